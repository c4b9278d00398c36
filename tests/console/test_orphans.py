"""Runs whose runner was killed, acting on what is left of them, and what ticks behind a page."""

from __future__ import annotations

import msgspec
import pytest

from neo_console.format import clock_time
from neo_console.vocabulary import Tone
from neo_core.ledger.models import LeaseRole, Outcome
from neo_core.schedule.decision import Reason
from neo_core.snapshot import ScheduleView, TaskState
from screenshots.fixtures import busy_tasks, busy_trees, own_tree, snapshot
from screenshots.history import busy_runs
from screenshots.parts import NOW

RUN = "9f31c07a55d2"


def orphaned():
    """The runner of dream was killed; its processes still work."""
    run, *others = busy_runs()
    lost = msgspec.structs.replace(
        run, outcome=Outcome.LOST, reason_code=Reason.RUNNER_GONE.value, runner_pid=None, runner_start=None
    )
    tree = msgspec.structs.replace(busy_trees()[0], kind="orphans", role=LeaseRole.NONE)
    tasks = tuple(
        msgspec.structs.replace(one, state=TaskState.IDLE, running_run_id="", due_at=NOW + 60)
        if one.name == "dream"
        else one
        for one in busy_tasks()
    )
    return snapshot(outcomes=(lost, *others), processes=(tree, own_tree()), schedule=ScheduleView(tasks=tasks))


@pytest.mark.parametrize(
    ("keys", "label"),
    [
        (("2",), "the tree"),
        (("2", "down", "down"), "a process of it"),
        (("j", "j", "j", "j"), "its task"),
        (("3", "slash", *"status:lost", "enter"), "its outcome"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("force", [False, True])
async def test_what_is_left_of_a_lost_run_can_be_stopped(machine, open_console, keys, label, force):
    machine.picture = orphaned()
    async with open_console() as desk:
        await desk.press(*keys, "X" if force else "x")
        assert f"run {RUN} of dream" in desk.screen_text(), label
        assert "its runner was killed; what is left of it is" in desk.screen_text()
        if force:
            await desk.press(*"dream", "enter")
        else:
            await desk.press("tab", "enter")
        assert machine.asked == [("stop", RUN, force)]


async def test_what_a_killed_run_left_is_marked_and_who_ended_it_is_in_its_row(machine, open_console):
    machine.picture = orphaned()
    async with open_console() as desk:
        await desk.press("2")
        assert "◍ dream" in desk.screen_text()
        await desk.press("x", "tab", "enter")
        assert "the row of that run says who asked" in desk.screen_text()


async def test_orphans_that_ended_meanwhile_are_not_stopped(machine, open_console):
    machine.picture = orphaned()
    async with open_console() as desk:
        await desk.press("2", "x")
        await desk.see(snapshot(outcomes=orphaned().outcomes, processes=(own_tree(),)))
        assert "of dream has ended meanwhile (lost). Nothing was done." in desk.screen_text()
        assert machine.asked == []


async def test_the_strip_ticks_behind_every_page_and_dialog(open_console):
    async with open_console() as desk:
        for key in ("enter", "w", "l", "question_mark", "d", "P", "o"):
            await desk.press(key)
            assert desk.app.screen is not desk.main, key
            desk.clock.at += 7
            desk.app._tick()
            await desk.settled()
            assert clock_time(desk.clock.at) in str(desk.main.strip.content), key
            await desk.press("escape")
            assert clock_time(desk.clock.at) in desk.screen_text().splitlines()[0], key


async def test_a_result_stands_below_a_page_and_covers_no_dialog(open_console):
    async with open_console() as desk:
        await desk.press("P")
        desk.app.report("it is done", Tone.OK)
        assert "it is done" not in desk.screen_text()
        await desk.press("escape")
        assert "it is done" in desk.screen_text()
        await desk.press("question_mark")
        desk.app.report("that too", Tone.OK)
        await desk.settled()
        lines = desk.screen_text().splitlines()
        assert "that too" in lines[-2]
        assert desk.screen_text().count("that too") == 1
        assert "esc back" in "".join(lines[-6:-1])
        desk.clock.at += 13
        desk.app._tick()
        await desk.settled()
        assert "that too" not in desk.screen_text()


@pytest.mark.parametrize("tone", [Tone.OK, Tone.FAIL, Tone.WAIT])
async def test_a_failure_and_a_refusal_stand_longer_than_a_success(open_console, tone):
    async with open_console() as desk:
        desk.app.report("it went so", tone)
        desk.clock.at += 30
        desk.main.refresh_page()
        assert desk.main.result.display == (tone is not Tone.OK)
        desk.clock.at += 31
        desk.main.refresh_page()
        assert not desk.main.result.display


async def test_a_refusal_is_kept_with_its_way_out_where_the_help_page_says(open_console):
    async with open_console(size=(120, 110)) as desk:
        await desk.press("t", "question_mark")
        desk.clock.at += 61
        desk.app._tick()
        await desk.settled()
        assert "1 result at the end: G" in desk.screen_text()
        told = desk.screen_text().partition("Results of this session")[2]
        assert "lease held by dream (pid 4211): its holder is alive — press w for why" in told
        assert desk.screen_text().count("its holder is alive — press w for why") == 1
