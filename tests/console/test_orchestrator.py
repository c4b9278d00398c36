"""The orchestrator in the console: the strip, the banners, starting and stopping it, its log, and the pause."""

from __future__ import annotations

import threading

import msgspec
import pytest

from neo_console.keymap import default_keymap
from neo_console.rows.banners import banners
from neo_console.rows.strip import Flags, fit_parts, strip_parts
from neo_console.vocabulary import Tone, term
from neo_core.errors import UsageError
from neo_core.ledger.models import Control, ControlKind
from neo_core.snapshot import OrchestratorState, ScheduleView, Section
from screenshots.fixtures import busy_tasks, first_run, killed_keeper, snapshot, trouble
from screenshots.parts import NOW
from screenshots.services import killed_orchestrator, running_orchestrator, stopped_orchestrator
from tests.console.taken import picture_of, written

KEY = default_keymap().key


class Daemon:
    """Takes its time until the test lets it go on."""

    def __init__(self):
        self.asked = []
        self.failure = None
        self.gate = threading.Event()
        self.gate.set()

    def start(self):
        return self._do("start", 4121)

    def stop(self, because):
        self._do(because, None)

    def _do(self, what, result):
        self.gate.wait(20)
        self.asked.append((what, threading.current_thread().name))
        if self.failure:
            raise self.failure
        return result


@pytest.fixture
def daemon():
    return Daemon()


def paused(**more):
    pause = Control(
        control_id=7,
        kind=ControlKind.PAUSE,
        target="",
        created_at=NOW - 60,
        because="disk swap",
        requested_by="root",
        **more,
    )
    return snapshot(schedule=ScheduleView(tasks=busy_tasks(), pause=pause))


def strip(picture, width=200, flags=Flags()):  # noqa: B008 - a frozen tuple
    left, right = fit_parts(*strip_parts(picture_of(picture), NOW, flags), width)
    return f"{written(left)}  {written(right)}"


def test_the_strip_shows_the_pid_of_a_running_orchestrator():
    assert "│  ORCH ● 4121" in strip(snapshot())


@pytest.mark.parametrize("state", [one for one in OrchestratorState if one is not OrchestratorState.RUNNING])
def test_every_other_state_is_a_word_with_a_badge_and_never_green(state):
    keeper = msgspec.structs.replace(running_orchestrator(), state=state)
    left, _ = strip_parts(picture_of(snapshot(orchestrator=keeper)), NOW, Flags())
    place = [part.text for part in left].index("ORCH")
    shown = left[place + 1 : place + 3]
    assert [part.text.lower() for part in shown] == [term(state).badge, term(state).word]
    assert not {part.tone for part in shown} & {Tone.OK, Tone.PLAIN}
    assert "4121" not in written(left)


def test_an_orchestrator_that_was_not_read_is_unknown():
    assert "ORCH ? unknown" in strip(snapshot(orchestrator=Section(at=NOW, error="E")))


@pytest.mark.parametrize("width", [58, 78, 98, 118, 160])
@pytest.mark.parametrize("picture", [snapshot, trouble, killed_keeper, first_run])
def test_the_strip_fits_one_line_and_keeps_the_trouble(width, picture):
    line = strip(picture(), width)
    assert len(line) <= width
    assert line.endswith("14:03:22")
    if picture is trouble:
        assert "✗ COLLISION" in line
        assert width < 70 or "1 starved" in line
        assert width < 90 or "1 starved · 3 services down" in line
        assert "✗ unhealthy" in line
    if picture is killed_keeper:
        assert "ORCH ! KILLED" in line


def test_the_health_word_stands_in_the_strip():
    assert "│  ✓ healthy" in strip(snapshot(schedule=ScheduleView(tasks=())))
    assert "│  ✗ unhealthy" in strip(trouble())
    left, _ = strip_parts(picture_of(snapshot()), NOW + 60, Flags())
    assert "? unknown" in written(left)


def test_banners_put_the_worst_first_and_name_the_way_out():
    said = [line.text for line in banners(picture_of(killed_keeper()), NOW, Flags(), KEY)]
    assert said == ["! ORCH  was killed (pid 4121); its runs go on, nothing new starts by itself — o starts it"]
    assert banners(picture_of(trouble()), NOW, Flags(), KEY)[0].text.startswith("✗ COLLISION  two heavy jobs run")
    assert "o starts it" not in banners(picture_of(killed_keeper()), NOW, Flags("RO"), KEY)[0].text


def test_a_refused_configuration_is_a_banner():
    wrong = msgspec.structs.replace(snapshot(), config_error="neo-console.toml: tasks.x: is wrong. Mend it.")
    assert [line.text for line in banners(picture_of(wrong), NOW, Flags(), KEY)] == [
        "✗ CONFIG  not in force: neo-console.toml: tasks.x: is wrong. Mend it."
    ]
    keeper = msgspec.structs.replace(running_orchestrator(), config_error="tasks.x: is wrong.")
    said = banners(picture_of(snapshot(orchestrator=keeper)), NOW, Flags(), KEY)[0].text
    assert said == "✗ ORCH  it goes on with an older configuration: tasks.x: is wrong."


async def test_starting_is_previewed_done_off_the_loop_and_told(machine, daemon, open_console):
    machine.picture = first_run()
    async with open_console(daemon=daemon) as desk:
        assert "no orchestrator: nothing starts by itself" in desk.screen_text()
        await desk.press("o")
        shown = desk.screen_text()
        for part in ("Start the orchestrator?", "outlives this console", "backup, kbSync, primary-dev-sync"):
            assert part in shown
        assert desk.app.focused is desk.app.screen.cancel
        daemon.gate.clear()
        await desk.pilot.press("tab", "enter")
        await desk.until(lambda: "ORCH … starting" in desk.screen_text())
        await desk.pilot.press("j")
        assert desk.app.context().subject.key == "kbSync"
        machine.picture = snapshot()
        daemon.gate.set()
        await desk.until(lambda: "the orchestrator runs as pid 4121; L shows its log" in desk.screen_text())
        await desk.until(lambda: "ORCH ● 4121" in desk.screen_text())
        assert daemon.asked == [("start", "collector")]


async def test_a_start_that_fails_is_told(machine, daemon, open_console):
    machine.picture = first_run()
    daemon.failure = UsageError("orchestrator", "runs already as pid 99", "Stop it first.")
    async with open_console(daemon=daemon) as desk:
        await desk.press("o", "tab", "enter")
        said = "the orchestrator did not start. orchestrator: runs already as pid 99. Stop it first."
        await desk.until(lambda: said in desk.screen_text())
        assert "starting" not in desk.screen_text().splitlines()[0]


async def test_stopping_says_what_goes_on(daemon, open_console):
    async with open_console(daemon=daemon) as desk:
        await desk.press("o")
        shown = desk.screen_text()
        for part in (
            "Stop the orchestrator?",
            "the orchestrator, pid 4121, running 2d",
            "dream: every run has its own runner",
            "2 services left running",
        ):
            assert part in shown
        await desk.press("tab", "enter")
        await desk.until(lambda: daemon.asked)
        await desk.until(lambda: "the orchestrator was asked to end; runs go on" in desk.screen_text())


async def test_an_orchestrator_that_changed_since_the_preview_is_left_alone(daemon, open_console):
    async with open_console(daemon=daemon) as desk:
        await desk.press("o")
        await desk.see(snapshot(orchestrator=killed_orchestrator()))
        assert "The orchestrator is killed by now. Nothing was done." in desk.screen_text()
        assert daemon.asked == []


async def test_what_is_not_known_is_neither_started_nor_stopped(machine, daemon, open_console):
    machine.picture = snapshot(orchestrator=Section(at=NOW, error="E"))
    async with open_console(daemon=daemon) as desk:
        await desk.press("o")
        assert "whether an orchestrator runs is not known — press r to look again" in desk.screen_text()


async def test_read_only_starts_and_stops_nothing(machine, daemon, open_console):
    machine.picture = first_run()
    async with open_console(daemon=daemon, read_only=True) as desk:
        await desk.press("o", "P")
        assert desk.app.screen is desk.main
        assert (daemon.asked, machine.asked) == ([], [])


async def test_a_configuration_that_cannot_be_used_blocks_actions_until_it_can(machine, open_console):
    why = "neo-console.toml cannot be used"
    machine.picture = msgspec.structs.replace(first_run(), config_error="tasks.x: is wrong.")
    async with open_console(unusable=why) as desk:
        await desk.press("t")
        said = f"this console is read-only: {why} — mend the file: it is read again by itself"
        assert desk.app.journal.results()[0].text == said
        assert desk.app.screen is desk.main
        await desk.see(first_run())
        await desk.press("t")
        assert "Start backup?" in desk.screen_text()


def test_a_removed_state_folder_is_told_for_five_minutes():
    def told(after):
        lost = msgspec.structs.replace(snapshot(), state_lost_at=NOW - after)
        return [line.text for line in banners(picture_of(lost), NOW, Flags(), KEY)]

    (said,) = told(300)
    assert said.startswith("✗ STATE  the state folder was removed, emptied or replaced at ")
    assert "heavy runs write themselves down anew within seconds, and nothing heavy starts before" in said
    assert said.endswith("; this line goes by itself at 14:03")
    assert told(301) == []


async def test_the_log_of_the_orchestrator_has_a_key_and_an_entry_in_the_palette(open_console):
    async with open_console() as desk:
        await desk.press("L")
        assert "Log · the orchestrator" in desk.screen_text()
        assert "backup is due and waits" in desk.screen_text()
        await desk.press("L")
        assert desk.app.screen is desk.main
        await desk.press("colon", *"log of the orch")
        await desk.until(lambda: "the log of the orchestrator, following" in desk.screen_text())


async def test_the_palette_shows_no_emoji(open_console):
    async with open_console() as desk:
        await desk.press("colon")
        await desk.until(lambda: "What do you want to do?" in desk.screen_text())
        assert not [character for character in desk.screen_text() if ord(character) > 0xFFFF]


async def test_pausing_asks_why_and_may_be_open(machine, open_console):
    async with open_console() as desk:
        await desk.press("P")
        assert "until somebody ends it: no task starts; what runs goes on" in desk.screen_text()
        await desk.press("enter", "enter")
        assert "Why? A few words" in desk.screen_text()
        await desk.press(*"disk", "enter")
        assert machine.asked == [("pause", "disk", None)]
        assert "every task is paused; P again ends it" in desk.screen_text()


async def test_pausing_for_a_time(machine, open_console):
    async with open_console() as desk:
        await desk.press("P", *"2h", "enter", *"disk", "enter")
        assert machine.asked == [("pause", "disk", 7200.0)]
        assert "every task is paused until 16:03" in desk.screen_text()


async def test_a_pause_stands_on_every_surface_and_is_ended_after_a_preview(machine, open_console):
    machine.picture = paused()
    banner = "‖ PAUSED  no task starts: disk swap — paused by root at 14:02"
    async with open_console() as desk:
        assert f"{banner}; P ends it" in desk.screen_text()
        for key in ("enter", "w", "l", "question_mark", "d"):
            await desk.press(key)
            assert desk.app.screen is not desk.main
            frame = desk.app.screen.query_one(".banners")
            assert frame.display
            assert "PAUSED" in str(frame.content)
            await desk.press("escape")
        await desk.press("P")
        assert "End the pause?" in desk.screen_text()
        assert "backup, kbSync" in desk.screen_text()
        await desk.press("tab", "enter")
        assert machine.asked == [("unpause",)]


async def test_a_pause_that_ended_meanwhile_is_not_ended_again(machine, open_console):
    machine.picture = paused(until=NOW + 600)
    async with open_console() as desk:
        assert "no task starts until 14:13: disk swap" in desk.screen_text()
        await desk.press("P")
        await desk.see(snapshot())
        assert "The pause has ended meanwhile. Nothing was done." in desk.screen_text()
        assert machine.asked == []


def test_the_stopped_one_is_told_calmly():
    line = banners(picture_of(snapshot(orchestrator=stopped_orchestrator())), NOW, Flags(), KEY)[0]
    assert line.tone is Tone.WAIT
