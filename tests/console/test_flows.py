"""Acting: confirmed, on the identity that was captured, and never silently."""

from __future__ import annotations

import msgspec
import pytest

from neo_core.errors import UsageError
from neo_core.ledger.models import Outcome
from neo_core.snapshot import ScheduleView
from neo_core.starting import Attempt
from screenshots.fixtures import first_run, snapshot, unreadable_lease
from screenshots.history import busy_runs
from screenshots.parts import NOW, blocked_by_lease, decision


@pytest.fixture
def idle(machine):
    """A machine on which everything may start."""
    machine.picture = first_run()
    return machine


def buttons(desk):
    return desk.app.screen.cancel, desk.app.screen.confirm


async def test_a_start_is_previewed_and_cancel_has_the_focus(idle, open_console):
    async with open_console() as desk:
        await desk.press("t")
        shown = desk.screen_text()
        for part in (
            "Start backup?",
            "target",
            "✓ all 8 let it start",
            "takes the heavy lease",
            "✓ pass    already running",
            "0s old",
            "tab next · enter choose · esc cancel",
        ):
            assert part in shown
        assert desk.app.focused is buttons(desk)[0]
        await desk.press("enter")
        assert desk.app.screen is desk.main
        assert idle.asked == []


async def test_a_confirmed_start_is_a_line_that_stays_for_a_while(idle, open_console):
    async with open_console() as desk:
        await desk.press("down", "t", "tab", "enter")
        assert idle.asked == [("trigger", "kbSync")]
        assert "● kbSync started as run feedface; l shows its log" in desk.screen_text()
        desk.clock.at += 11
        desk.main.refresh_page()
        await desk.pilot.pause()
        assert "kbSync started as run" in desk.screen_text()
        desk.clock.at += 2
        desk.main.refresh_page()
        await desk.pilot.pause()
        assert "kbSync started as run" not in desk.screen_text()
        assert "kbSync started as run" in desk.app.journal.results()[0].text


async def test_the_age_of_the_data_ticks_in_the_dialog(idle, open_console):
    async with open_console() as desk:
        await desk.press("t")
        desk.clock.at += 7
        desk.app.screen.refresh_page()
        await desk.pilot.pause()
        assert "7s old" in desk.screen_text()


async def test_a_task_that_is_gone_when_confirmed_is_not_started(idle, open_console):
    async with open_console() as desk:
        await desk.press("t")
        await desk.see(snapshot(schedule=ScheduleView(tasks=first_run().schedule.value.tasks[1:])))
        assert "backup is no longer in the schedule. Nothing was done." in desk.screen_text()
        assert desk.app.focused is buttons(desk)[0]
        await desk.press("enter")
        assert idle.asked == []
        assert desk.app.screen is desk.main


async def test_what_changed_since_the_preview_is_said_and_nothing_started(idle, open_console):
    async with open_console() as desk:
        await desk.press("t", "tab")
        idle.picture = unreadable_lease()
        await desk.press("enter")
        assert "Since the preview: the lease file cannot be read" in desk.screen_text()
        assert idle.asked == []


async def test_the_confirmation_keeps_its_target_when_rows_move(idle, open_console):
    async with open_console() as desk:
        await desk.press("down", "t")
        tasks = first_run().schedule.value.tasks
        await desk.see(snapshot(schedule=ScheduleView(tasks=tasks[::-1])))
        await desk.press("tab", "enter")
        assert idle.asked == [("trigger", "kbSync")]


async def test_a_start_that_was_deferred_in_the_last_moment_says_so(idle, open_console):
    async with open_console() as desk:
        await desk.press("t")
        blocked = decision("backup", blocked_by_lease())
        idle.trigger = lambda task, **_: Attempt(run_id="x", started=False, decision=blocked)
        await desk.press("tab", "enter")
        assert "◐ backup deferred: lease held by dream (pid 4211)" in desk.screen_text()


async def test_pressing_a_blocked_action_says_the_reason_and_the_way_out(machine, open_console):
    async with open_console() as desk:
        await desk.press("t")
        assert desk.app.screen is desk.main
        said = "lease held by dream (pid 4211): its holder is alive — press w for why, d to defer"
        assert said in desk.screen_text()
        assert machine.asked == []


async def test_a_failure_is_kept_in_the_list_of_the_help_page(idle, open_console):
    def refuse(_task, **_):
        raise UsageError("ledger x", "is full", "Free space.")

    idle.trigger = refuse
    async with open_console() as desk:
        await desk.press("t", "tab", "enter")
        assert "✗ backup was not started. ledger x: is full. Free space." in desk.screen_text()
        await desk.press("question_mark", "G")
        await desk.until(lambda: "Results of this session" in desk.screen_text())


async def test_an_engine_that_cannot_be_had_is_said(idle, open_console):
    async with open_console() as desk:
        desk.app._engine = None

        def refuse():
            raise UsageError("workspace x", "is gone", "Make it.")

        desk.app._connect = refuse
        await desk.press("t")
        assert "backup was not started. workspace x: is gone. Make it." in desk.screen_text()
        await desk.see(snapshot())
        await desk.until(lambda: "The log cannot be read. workspace x: is gone." in desk.screen_text())
        await desk.press("l")
        assert "The log cannot be read. workspace x: is gone." in desk.screen_text()


async def test_deferring_asks_how_long_and_why(machine, open_console):
    async with open_console() as desk:
        await desk.press("d")
        assert "Defer backup" in desk.screen_text()
        assert "in 1h00m · 15:03" in desk.screen_text()
        await desk.press("enter", "enter")
        assert "Why? A few words" in desk.screen_text()
        await desk.press(*"talk", "enter")
        assert machine.asked == [("defer", "backup", 3600.0, "talk")]
        assert "✓ backup is snoozed until 15:03; d again resumes it" in desk.screen_text()


async def test_a_duration_that_is_none_is_refused_in_the_form(machine, open_console):
    async with open_console() as desk:
        await desk.press("d", "backspace", "backspace", *"soon", "enter", *"x", "enter")
        assert "For how long? Write it like 30m, 2h or 1d." in desk.screen_text()
        await desk.press("escape")
        assert machine.asked == []


async def test_deferring_again_resumes_after_a_preview(machine, open_console):
    async with open_console() as desk:
        await desk.press("j", "j", "j")
        assert "d resume" in desk.screen_text()
        await desk.press("d")
        for part in ("Resume summary?", "until 15:10: giving a talk", "it is due: it may start at once"):
            assert part in desk.screen_text()
        assert desk.app.focused is buttons(desk)[0]
        assert machine.asked == []
        await desk.press("tab", "enter")
        assert machine.asked == [("resume", "summary")]


async def test_a_deferral_that_is_another_by_now_is_not_ended(machine, open_console):
    async with open_console() as desk:
        await desk.press("j", "j", "j", "d")
        tasks = {one.name: one for one in snapshot().schedule.value.tasks}
        longer = msgspec.structs.replace(tasks["summary"], snoozed_until=NOW + 9000)
        await desk.see(snapshot(schedule=ScheduleView(tasks=tuple({**tasks, "summary": longer}.values()))))
        assert "It is another deferral by now. Nothing was done." in desk.screen_text()
        assert buttons(desk)[1].disabled
        await desk.press("enter")
        assert machine.asked == []


async def test_stopping_is_confirmed_and_soft(machine, open_console):
    async with open_console() as desk:
        await desk.press("3", "x")
        shown = desk.screen_text()
        assert "run 9f31c07a55d2 of dream, running 12m, runner pid 4211" in shown
        assert desk.app.focused is buttons(desk)[0]
        await desk.press("right", "enter")
        assert machine.asked == [("stop", "9f31c07a55d2", False)]


async def test_force_asks_for_the_name(machine, open_console):
    async with open_console() as desk:
        await desk.press("3", "X")
        assert desk.app.focused is buttons(desk)[0]
        await desk.press(*"drea", "enter")
        assert machine.asked == []
        assert buttons(desk)[1].disabled
        await desk.press("m", "enter")
        assert machine.asked == [("stop", "9f31c07a55d2", True)]


async def test_a_run_that_ended_meanwhile_is_not_stopped(machine, open_console):
    async with open_console() as desk:
        await desk.press("3", "x")
        ended = msgspec.structs.replace(busy_runs()[0], outcome=Outcome.COMPLETED, ended_at=NOW)
        await desk.see(snapshot(outcomes=(ended, *busy_runs()[1:])))
        assert "Run 9f31c07a of dream has ended meanwhile (completed). Nothing was done." in desk.screen_text()
        await desk.press("tab", "enter")
        assert machine.asked == []


async def test_a_run_with_another_runner_is_not_the_one_that_was_captured(machine, open_console):
    async with open_console() as desk:
        await desk.press("3", "x")
        other = msgspec.structs.replace(busy_runs()[0], runner_pid=9999)
        await desk.see(snapshot(outcomes=(other,)))
        assert "has another runner now. Nothing was done." in desk.screen_text()
        await desk.press("tab", "enter")
        assert machine.asked == []


async def test_a_process_of_a_run_stops_its_run(machine, open_console):
    async with open_console() as desk:
        await desk.press("2", "down", "down", "x", "tab", "enter")
        assert machine.asked == [("stop", "9f31c07a55d2", False)]


@pytest.mark.parametrize("how", ["option", "folder"])
async def test_read_only_refuses_every_change_and_says_so(machine, open_console, how):
    why = "started with --read-only" if how == "option" else "/w is not writable for you"
    machine.picture = snapshot(read_only="" if how == "option" else why)
    async with open_console(read_only=how == "option") as desk:
        assert " RO " in desk.screen_text().splitlines()[0]
        assert f"nothing can be changed from here: {why}" in desk.screen_text()
        await desk.press("1", "t", "d", "3", "x", "X")
        assert desk.app.screen is desk.main
        assert machine.asked == []
        assert f"this console is read-only: {why}" in desk.screen_text()
        await desk.press("w")
        assert "Why · dream" in desk.screen_text()


async def test_why_shows_every_gate_of_now(open_console):
    async with open_console() as desk:
        await desk.press("w")
        shown = desk.screen_text()
        for part in (
            "Why · backup · as of now",
            "◐ backup may not start: lease held by dream",
            "other heavy run",
            "clears when",
            "dream ends",
        ):
            assert part in shown
        await desk.see(first_run())
        await desk.until(lambda: "may start now: every gate passes." in desk.screen_text())


async def test_why_on_an_outcome_shows_the_decision_of_that_time(machine, open_console):
    async with open_console() as desk:
        await desk.press("3", "down")
        await desk.see(first_run_with_history())
        await desk.press("w")
        assert "run 51d0c4e8, as it was then" in desk.screen_text()
        assert "judged 12s ago · 14:03:10" in desk.screen_text()
        assert "✗ block" in desk.screen_text()
        assert "was to clear when" in desk.screen_text()
        await desk.press("escape", "down", "w")
        assert "No decision was recorded for this run" in desk.screen_text()


async def test_why_of_the_past_does_not_say_that_it_may_start_now(machine, open_console):
    run = busy_runs()[0]
    kept = msgspec.json.encode(decision("dream", at=NOW - 733)).decode()
    machine.picture = snapshot(outcomes=(msgspec.structs.replace(run, decision=kept),))
    async with open_console() as desk:
        await desk.press("3", "w")
        assert "✓ Every gate passed: it was allowed to start." in desk.screen_text()
        assert "may start" not in desk.screen_text()


def first_run_with_history():
    return msgspec.structs.replace(first_run(), outcomes=snapshot().outcomes)
