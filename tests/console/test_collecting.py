"""The collector thread: it never ends the console, and the console never waits for it."""

from __future__ import annotations

import threading
import time

import pytest

from neo_console.collector import Collected, CollectFailed, Collector, pause_after
from neo_console.news import News
from neo_core.config import Config, ConsoleConfig
from neo_core.durations import Duration
from neo_core.errors import WorkspaceError
from screenshots.courses import calm_course
from screenshots.engine import FixedEngine
from screenshots.fixtures import snapshot


def every(seconds):
    return Config(console=ConsoleConfig(refresh_every=Duration(seconds)))


async def test_a_failure_shows_the_last_good_picture_as_stale(machine, open_console):
    async with open_console() as desk:
        machine.failure = OSError("the disk is gone")
        desk.clock.at += 42
        desk.app.nudge()
        await desk.until(lambda: "the disk is gone" in desk.screen_text())
        shown = desk.screen_text()
        assert "STALE" in shown
        assert "this picture is 42s old: the disk is gone" in shown
        assert "The schedule is 42s old. the disk is gone" in shown
        assert "primary-dev-sync" in shown
        machine.failure = None
        desk.app.nudge()
        await desk.until(lambda: not desk.app.picture.failure)
        desk.clock.at -= 42
        desk.main.refresh_page()
        await desk.pilot.pause()
        assert "STALE" not in desk.screen_text()


async def test_a_machine_that_was_never_seen_is_unreadable_not_loading(machine, open_console):
    machine.failure = WorkspaceError("workspace /w", "is gone", "Make it.")
    async with open_console() as desk:
        await desk.until(lambda: "UNREADABLE" in desk.screen_text())
        assert "workspace /w: is gone. Make it." in desk.screen_text()


async def test_a_collector_that_hangs_makes_the_picture_old(machine, open_console):
    async with open_console(config=every(1)) as desk:
        machine.gate.clear()
        desk.app.nudge()
        desk.clock.at += 30
        desk.main.refresh_page()
        said = "this picture is 30s old: the collector has not answered since"
        await desk.until(lambda: said in desk.screen_text())


async def test_quitting_does_not_wait_for_a_slow_collection(machine, open_console):
    machine.gate.clear()
    async with open_console(first=False) as desk:
        await desk.until(machine.collecting.is_set)
        await desk.settled()
        began = time.monotonic()
        await desk.press("q")
        await desk.until(lambda: not desk.app.is_running)
        assert time.monotonic() - began < 5  # 0.3 s alone; a console that waited would take twenty


async def test_what_arrives_while_it_closes_does_no_harm(open_console):
    async with open_console() as desk:
        app = desk.app
    assert app.screen_stack == []
    late = snapshot(outcomes=())
    app.on_news(News(Collected(late)))
    assert app.picture.snapshot is late


async def test_it_refreshes_by_itself(machine, open_console):
    async with open_console(config=every(0.1)) as desk:
        machine.picture = snapshot(outcomes=())
        await desk.until(lambda: desk.main.outcomes.table.row_count == 0)


async def test_only_the_collector_is_a_thread(machine, open_console):
    before = set(threading.enumerate())
    async with open_console() as desk:
        for keys in (("l", "escape"), ("w", "escape"), ("colon", "escape"), ("slash", "a", "escape")):
            await desk.press(*keys)
        assert {thread.name for thread in set(threading.enumerate()) - before} == {"collector"}


def test_the_thread_ends_when_nobody_listens(until):
    def closed(_message):
        raise RuntimeError("Event loop is closed")

    collector = Collector(FixedEngine, every=0.01)
    collector.listen(closed)
    until(lambda: not collector._thread.is_alive())


def test_what_it_finds_before_anybody_listens_is_told_then(until):
    heard, looked = [], threading.Event()

    class Engine(FixedEngine):
        def snapshot(self):
            looked.set()
            return super().snapshot()

    collector = Collector(Engine, every=0.01)
    collector.start()
    assert looked.wait(10)
    collector.listen(heard.append)
    until(lambda: heard)
    collector.stop()
    assert isinstance(heard[0], Collected)


def test_it_ends_where_nobody_ever_listens(until):
    collector = Collector(FixedEngine, every=0.01)
    collector.start()
    collector.stop()
    until(lambda: not collector._thread.is_alive())


def test_it_tries_again_after_it_could_not_connect(until):
    messages = []

    class Engine:
        tries = 0

        def __init__(self):
            Engine.tries += 1
            if Engine.tries == 1:
                raise ValueError

        def reconfigure_if_changed(self):
            return ""

        def record_memory(self):
            pass

        def snapshot(self):
            return snapshot()

        def memory_course(self, seconds, step):
            return calm_course()

    collector = Collector(Engine, every=0.01)
    collector.listen(messages.append)
    until(lambda: len(messages) >= 2)
    collector.stop()
    assert isinstance(messages[0], CollectFailed)
    assert messages[0].why == "ValueError"
    assert isinstance(messages[1], Collected)


def test_the_first_picture_does_not_wait_for_the_memory_to_be_recorded(until):
    done = []

    class Engine(FixedEngine):
        def record_memory(self):
            done.append("record")

        def snapshot(self):
            done.append("look")
            return super().snapshot()

    collector = Collector(Engine, every=0.01)
    collector.listen(lambda found: None)
    until(lambda: len(done) >= 3)
    collector.stop()
    assert done[:3] == ["look", "record", "look"]


async def test_the_clock_ticks_between_two_pictures_and_the_panels_wait_for_the_next(open_console, monkeypatch):
    async with open_console() as desk:
        app, shown = desk.app, []
        monkeypatch.setattr(desk.main, "refresh_strip", lambda: shown.append("strip"))
        monkeypatch.setattr(desk.main, "refresh_page", lambda: shown.append("page"))
        app._ticked_at = time.monotonic()
        app._beat()
        assert shown == ["strip"]
        app._ticked_at -= 5
        app._beat()
        assert shown == ["strip", "page"]


@pytest.mark.parametrize(("took", "pause"), [(0.0, 1.0), (0.1, 0.9), (0.2, 0.8), (0.5, 2.0), (2.0, 8.0), (60.0, 10.0)])
def test_slow_collections_rest_longer(took, pause):
    assert pause_after(took, 1.0) == pytest.approx(pause)
