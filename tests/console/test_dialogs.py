"""Dialogs say what becomes of them: a wrong name, a cancel, and that what they are about has ended meanwhile."""

from __future__ import annotations

import msgspec
import pytest

from neo_core.ledger.models import Outcome
from neo_core.snapshot import ScheduleView
from screenshots.fixtures import busy_tasks, first_run, snapshot
from screenshots.history import busy_runs
from screenshots.parts import NOW

DREAM = "9f31c07a55d2"


@pytest.mark.parametrize("size", [(120, 40), (60, 16)])
async def test_a_wrong_name_is_said_and_the_right_one_stops(machine, open_console, size):
    async with open_console(size=size) as desk:
        await desk.press("3", "X", *"dram", "enter")
        assert "That is not dream; nothing was stopped." in desk.screen_text()
        assert machine.asked == []
        await desk.press("backspace", "backspace", "backspace")
        assert "That is not" not in desk.screen_text()
        await desk.press(*"ream", "enter")
        assert machine.asked == [("stop", DREAM, True)]


async def test_a_cancel_says_that_nothing_was_done(machine, open_console):
    async with open_console(size=(80, 24)) as desk:
        for keys in (("1", "d"), ("P",), ("o",), ("y",), ("3", "x"), ("3", "X")):
            desk.app.say("what was said before")
            await desk.press(*keys)
            assert desk.app.screen is not desk.main, keys
            await desk.press("escape")
            assert desk.app.screen is desk.main, keys
            assert "cancelled, nothing was done" in desk.text_of(desk.main.result), keys
            assert machine.asked == [], keys
            assert desk.app.journal.results() == (), "nothing happened that has to be looked up later"


async def test_a_preview_says_by_itself_that_the_run_has_ended(machine, open_console):
    async with open_console(size=(80, 24)) as desk:
        await desk.press("3", "x", "tab")
        ended = msgspec.structs.replace(busy_runs()[0], outcome=Outcome.COMPLETED, ended_at=NOW)
        await desk.see(snapshot(outcomes=(ended, *busy_runs()[1:])))
        shown = " ".join(desk.screen_text().replace("│", " ").split())
        assert "Run 9f31c07a of dream has ended meanwhile (completed). Nothing was done." in shown
        assert desk.app.screen.confirm.disabled
        assert desk.app.focused is desk.app.screen.cancel
        desk.app.screen.action_confirm()
        await desk.press("enter")
        assert desk.app.screen is desk.main
        assert machine.asked == []


async def test_a_preview_shows_the_run_as_it_is_by_now(machine, open_console):
    async with open_console() as desk:
        await desk.press("3", "x")
        assert "running 12m, runner pid 4211" in desk.screen_text()
        desk.clock.at += 600
        await desk.see(snapshot(at=desk.clock.at))
        assert "running 22m, runner pid 4211" in desk.screen_text()
        assert "data    0s old" in " ".join(desk.screen_text().split()) or "0s old" in desk.screen_text()


@pytest.mark.parametrize("size", [(120, 40), (60, 16)])
async def test_a_stop_tells_the_command_its_memory_and_how_long_it_may_take(machine, open_console, size):
    long = msgspec.structs.replace(busy_runs()[0], command="python3 dream.py " + "--graph /a/long/path " * 30)
    dream = next(one for one in busy_tasks() if one.name == "dream")
    patient = msgspec.structs.replace(dream, grace=45.0)
    machine.picture = snapshot(outcomes=(long,), schedule=ScheduleView(tasks=(patient,)))
    async with open_console(size=size) as desk:
        await desk.press("x")
        shown = [line.strip("│ ") for line in desk.screen_text().splitlines()]
        place = next(number for number, line in enumerate(shown) if "python3 dream.py --graph" in line)
        assert "command " in shown[place]
        assert "…" in shown[place]
        assert "memory " in shown[place + 1], "the command keeps to one line"
        told = " ".join(" ".join(shown).replace("│", " ").split())
        assert "4.5G in 3 processes now, its runner among them" in told
        assert "asked to end; what is left after 45s is killed" in told


async def test_a_preview_of_a_start_opens_again_when_what_stood_in_its_way_has_gone(machine, open_console):
    machine.picture = first_run()
    async with open_console() as desk:
        await desk.press("t")
        tasks = first_run().schedule.value.tasks
        running = msgspec.structs.replace(tasks[0], running_run_id="abcdef0123456789")
        await desk.see(snapshot(schedule=ScheduleView(tasks=(running, *tasks[1:]))))
        assert "backup was started meanwhile (run abcdef01)." in desk.screen_text()
        assert desk.app.screen.confirm.disabled
        await desk.see(first_run())
        assert "started meanwhile" not in desk.screen_text()
        await desk.press("tab", "enter")
        assert machine.asked == [("trigger", busy_tasks()[0].name)]


@pytest.mark.parametrize("keys", [("P",), ("question_mark",), ("3", "x"), ("i",)])
async def test_what_can_be_seen_behind_goes_on_and_keeps_its_selection(machine, open_console, keys):
    async with open_console() as desk:
        await desk.press("j", "j", *keys)
        selected = desk.app.context().subject.key
        schedule = desk.main.schedule.table
        assert "in 4m" in _row_of(schedule, "primary-dev-sync")
        desk.clock.at += 215
        tasks = busy_tasks()
        await desk.see(snapshot(at=desk.clock.at, schedule=ScheduleView(tasks=(tasks[2], *tasks[:2], *tasks[3:]))))
        assert desk.app.screen is not desk.main
        assert "in 30s" in _row_of(schedule, "primary-dev-sync")
        assert desk.app.context().subject.key == selected


def _row_of(table, key):
    return " ".join(str(cell) for cell in table.get_row(key))
