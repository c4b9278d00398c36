"""Relieving the memory in the console: listed, previewed, confirmed, done aside, and told."""

from __future__ import annotations

import threading

import msgspec
import pytest

from neo_console.availability import explain_block
from neo_console.context import Context
from neo_console.flows.relief import _changed
from neo_console.keymap import default_keymap
from neo_console.picture import Picture
from neo_console.relieving import freed
from neo_console.screens.relief import ReliefPage
from neo_console.screens.replay import ReplayPage
from neo_console.vocabulary import Seen, Tone
from neo_core.errors import LedgerError, NeoError
from neo_core.ledger.models import Control, ControlKind, Outcome
from neo_core.relief.options import Astray, options
from neo_core.relief.trees import Tree
from neo_core.schedule.decision import Gate, GateResult, Reason, Verdict
from neo_core.snapshot import Section, TaskState
from neo_core.snapshot_strays import StraysView
from screenshots.courses import replay_of_last
from screenshots.fixtures import pressed, snapshot
from screenshots.parts import NOW
from screenshots.relief import past, situation
from tests.console.taken import ORPHAN

HELD = Control(
    control_id=9,
    kind=ControlKind.DEFER_HEAVY,
    target="",
    created_at=NOW - 60,
    until=NOW + 3600,
    because="it [b]swaps[/b]",
    requested_by="ada",
)


def deferred():
    picture = pressed()
    view = msgspec.structs.replace(picture.schedule.value, heavy_deferral=HELD)
    return msgspec.structs.replace(picture, schedule=msgspec.structs.replace(picture.schedule, value=view))


@pytest.fixture
def listed(machine, open_console):
    """Open the console under pressure, and the list in it."""
    machine.picture = pressed()

    class Opened:
        def __init__(self, **more):
            self._opening = open_console(**more)

        async def __aenter__(self):
            desk = await self._opening.__aenter__()
            await desk.press("m")
            await desk.until(lambda: desk.app.screen.table.row_count == 4)
            await desk.settled()
            return desk

        async def __aexit__(self, *told):
            return await self._opening.__aexit__(*told)

    return Opened


async def test_the_options_stand_in_their_order_with_what_they_should_free_and_what_was_done_below(listed):
    async with listed() as desk:
        shown = desk.screen_text()
        for part in (
            "what costs least first",
            "‖ defer everything heavy    nothing  frees nothing by itself",
            "▿ unload ollama                4.8G  median of 3 past times",
            "⊘ stop dream 9f31c07a          4.1G  PSS of its tree now, at most",
            "not now: nobody listens on por",
            "What was done, the newest first",
            "4.8G        4.8G       +4.5G  ▸ done",
            "unmeasured",
            "measured 0s ago · enter previews",
        ):
            assert part in shown
        rows = [shown.index(part) for part in ("‖ defer", "▿ unload ollama", "▿ unload lm-studio", "⊘ stop dream")]
        assert rows == sorted(rows)


async def test_an_unload_is_previewed_cancel_has_the_focus_and_a_confirmed_one_is_told(listed, machine):
    async with listed() as desk:
        await desk.press("down", "enter")
        shown = desk.screen_text()
        for part in ("Unload ollama?", "asks 127.0.0.1:11434", "4.8G: median of 3 past times", "0s old"):
            assert part in shown
        assert desk.app.focused is desk.app.screen.cancel
        await desk.press("enter")
        assert machine.asked == []
        await desk.press("enter", "tab", "enter")
        await desk.until(lambda: len(desk.app.journal.results()) == 2)
        assert machine.asked == [("unload", "ollama", "asked for in the console")]
        told = desk.app.journal.results()[0].text
        assert told == "ollama answered with 200; should free 4.8G, which is measured in 15s"
        assert "should free" in desk.screen_text().splitlines()[-2]


async def test_a_server_that_hangs_holds_up_neither_the_screen_nor_the_collector(listed, machine):
    answered = threading.Event()
    unload = machine.relief.unload

    def hang(name, because=""):
        answered.wait(10)
        return unload(name, because)

    machine.relief.unload = hang
    async with listed() as desk:
        await desk.press("down", "enter", "tab", "enter")
        assert desk.app.journal.results()[0].text == "asking ollama to unload"
        await desk.see(snapshot())
        await desk.press("enter")
        assert "ollama is being asked already. Nothing was done." in desk.screen_text()
        answered.set()
        await desk.until(lambda: not desk.app.unloading)
        assert [one[0] for one in machine.asked] == ["unload"]


async def test_what_fails_and_what_cannot_be_done_is_told_with_the_way_out(listed, machine):
    machine.relief.error = NeoError("unload.ollama", "127.0.0.1:11434 answered with 500", "Look at its log.")
    async with listed() as desk:
        await desk.press("down", "enter", "tab", "enter")
        await desk.until(lambda: len(desk.app.journal.results()) == 2)
        told = desk.app.journal.results()[0]
        assert told.text == "ollama was not unloaded. " + str(machine.relief.error)
        assert told.tone is Tone.FAIL
        await desk.press("down", "enter")
        told = desk.app.journal.results()[0].text
        assert told.startswith("nobody listens on port 1234 — start it, or correct unload.lm-studio.url")
        assert isinstance(desk.app.screen, ReliefPage)


async def test_a_run_is_stopped_from_here_unless_it_has_ended_meanwhile(listed, machine):
    async with listed() as desk:
        await desk.press("G", "enter")
        assert "ends the run; its work of 3m12s may be lost" in desk.screen_text()
        await desk.press("tab", "enter")
        await desk.until(lambda: machine.asked)
        assert machine.asked == [("relief-stop", "9f31c07a55d2", "asked for in the console")]
        machine.asked.clear()
        await desk.until(lambda: isinstance(desk.app.screen, ReliefPage))
        await desk.press("enter")
        runs = machine.picture.outcomes.value
        ended = tuple(msgspec.structs.replace(one, outcome=Outcome.COMPLETED) for one in runs)
        outcomes = msgspec.structs.replace(machine.picture.outcomes, value=ended)
        await desk.see(msgspec.structs.replace(machine.picture, outcomes=outcomes))
        await desk.until(lambda: "has ended meanwhile (completed)" in desk.screen_text())
        await desk.press("tab", "enter")
        assert machine.asked == []


async def test_a_stray_is_offered_before_what_somebody_needs_and_ended_from_here_while_it_is_one(machine, open_console):
    stray = ORPHAN
    tree = Tree(members=stray.members, cost=1229 * 1024 * 1024)
    found = options(msgspec.structs.replace(situation(), strays=(Astray(stray=stray, tree=tree),)))
    machine.relief.options = lambda: found
    section = Section(at=NOW, value=StraysView(found=(stray,)))
    machine.picture = msgspec.structs.replace(pressed(), strays=section)
    async with open_console() as desk:
        await desk.press("m")
        await desk.until(lambda: desk.app.screen.table.row_count == 5)
        await desk.press("down", "enter")
        shown = desk.screen_text()
        for part in (f"End stray {stray.name} {stray.pid}?", stray.sentence[:30], "1.2G: PSS of its tree now, at most"):
            assert part in shown
        await desk.press("tab", "enter")
        await desk.until(lambda: len(desk.app.journal.results()) == 2)
        assert machine.asked == [("end-stray", stray.pid, stray.start_time, "asked for in the console")]
        assert _changed(desk.app, found[1]) == ""
        desk.app.picture.take(pressed())
        assert _changed(desk.app, found[1]) == "node (pid 7710) is no stray any more."


async def test_everything_heavy_is_deferred_with_a_reason_and_let_go_again(listed, machine):
    async with listed() as desk:
        await desk.press("enter")
        assert "holds back backup (due), kbSync (in 4m12s)" in desk.screen_text()
        await desk.press("enter", *"swaps", "enter")
        await desk.until(lambda: machine.asked)
        assert machine.asked == [("defer-heavy", 3600.0, "swaps")]
        await desk.until(desk.app.journal.results)
        assert "everything heavy is deferred until 15:03; m ends it" in desk.app.journal.results()[0].text
        await desk.see(deferred())
        await desk.press("r")
        await desk.until(lambda: "everything heavy is deferred a" in desk.screen_text())
        await desk.press("enter")
        assert "Let heavy tasks start again?" in desk.screen_text()
        await desk.press("tab", "enter")
        await desk.until(lambda: len(machine.asked) == 2)
        assert machine.asked[1] == ("resume-heavy",)


async def test_the_banner_stands_on_every_surface_and_is_no_markup(machine, open_console):
    machine.picture = deferred()
    said = "‖ HEAVY  nothing heavy starts until 15:03: it [b]swaps[/b] — deferred by ada at 14:02; m ends it"
    async with open_console() as desk:
        assert said in desk.screen_text()
        for key in ("h", "P"):
            await desk.press(key)
            assert said[:60] in desk.screen_text()
            await desk.press("escape")


async def test_what_cannot_be_measured_is_not_shown_as_nothing(machine, open_console):
    def broken():
        raise LedgerError("ledger x", "is locked by another process", "Try again.")

    machine.relief.options = broken
    async with open_console() as desk:
        await desk.press("m")
        await desk.until(lambda: desk.app.screen._seen is Seen.UNREADABLE)
        await desk.settled()
        assert "What can be done is not known. ledger x: is locked" in desk.text_of(desk.app.screen._notice)


def test_a_start_that_it_holds_back_names_the_way_out():
    picture = Picture()
    picture.take(snapshot())
    context = Context(picture, None, None, "", default_keymap().key)
    gate = GateResult(
        gate=Gate.PAUSE,
        verdict=Verdict.BLOCK,
        reason=Reason.HEAVY_DEFERRED.value,
        sentence="everything heavy is deferred",
    )
    task = msgspec.structs.replace(picture.task("backup"), state=TaskState.PAUSED)

    assert explain_block(context, task, gate).way_out == "press m to let heavy tasks start again"


def test_what_was_not_measured_is_told_as_that():
    failed, measured = past()

    assert (freed(failed), freed(measured)) == ("unmeasured", "4.8G")
    assert freed(msgspec.structs.replace(measured, settled_at=None, tree_after=None)) == "not yet"
    assert freed(msgspec.structs.replace(measured, tree_after=6000 * 1024 * 1024)) == "-790M"


async def test_a_replay_tells_what_was_done_by_then_and_what_was_measured_by_then(machine, open_console):
    replay = replay_of_last()
    _, measured = past()
    late = msgspec.structs.replace(measured, asked_at=NOW - 180, settled_at=NOW - 100)
    told = msgspec.structs.replace(replay, report=msgspec.structs.replace(replay.report, reliefs=(late,)))
    machine.picture, machine.replay = pressed(), lambda number: told
    async with open_console(size=(120, 70)) as desk:
        await desk.press("i")
        await desk.until(lambda: desk.app.screen.table.row_count)
        await desk.press("enter")
        await desk.until(lambda: isinstance(desk.app.screen, ReplayPage))
        page = desk.app.screen
        assert "What they did to free memory" not in desk.screen_text()
        page.action_step(2)
        await desk.settled()
        assert (page.moment.reliefs[0].freed, page.moment.reliefs[0].sentence) == (None, measured.sentence)
        assert "What they did to free memory, and what was measured by then" in desk.screen_text()
        page.action_step(1000)
        await desk.settled()
        assert page.moment.reliefs[0].freed == measured.freed
        assert "4.8G        4.8G" in desk.screen_text()
