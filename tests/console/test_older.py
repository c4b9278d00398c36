"""Outcomes before the latest five hundred: loaded page after page by identity, searched, and never with a gap."""

from __future__ import annotations

import pytest

from neo_console.filters import parse_filter
from neo_console.history import MOST, PAGE, History, Mark, look_back, read_page
from neo_core.clock import SystemClock
from neo_core.config import Config
from neo_core.engine import Engine
from neo_core.errors import LedgerError
from neo_core.ledger.models import Outcome
from neo_core.ledger.store import Ledger
from neo_core.workspace import ensure_state
from screenshots.engine import FixedEngine
from screenshots.fixtures import snapshot
from screenshots.parts import NOW, run


def ended(number, name="kbSync", **more):
    at = NOW - 60 * number
    return run(f"{number:012x}", name, Outcome.COMPLETED, at=at, started_at=at, ended_at=at + 1, **more)


RUNS = tuple(ended(number, "rare" if number == 1300 else "kbSync", decision="{}") for number in range(1700))


def an_engine(past=RUNS[PAGE:]):
    engine = FixedEngine(snapshot(outcomes=RUNS[:PAGE]))
    engine.past = past
    return engine


def a_history():
    history = History()
    history.take(RUNS[:PAGE])
    return history


def test_the_ledger_gives_what_follows_a_row_whatever_came_since(workspace):
    ensure_state(workspace)
    with Ledger(workspace.ledger) as ledger:
        for number in range(12):
            ledger.runs.insert(run(f"{number:012x}", "t", Outcome.FAILED, at=NOW - number // 3))
        whole = [one.run_id for one in ledger.runs.history()]
        read, last = [], ledger.runs.history(limit=4)
        while last:
            read.extend(one.run_id for one in last)
            ledger.runs.insert(run(f"new{len(read)}", "t", Outcome.FAILED, at=NOW + len(read)))
            last = ledger.runs.before(last[-1].run_id, last[-1].last_at, 4)
        assert read == whole
        again = [one.run_id for one in ledger.runs.before("gone", NOW - 1, 20)]
        assert again == whole[3:]


def test_the_engine_reads_older_rows_of_the_real_ledger(workspace):
    ensure_state(workspace)
    with Ledger(workspace.ledger) as ledger:
        for number in range(5):
            ledger.runs.insert(ended(number))
    engine = Engine(workspace, Config(), clock=SystemClock())
    assert [one.run_id for one in engine.older(f"{2:012x}", NOW - 120)] == [f"{3:012x}", f"{4:012x}"]


def test_pages_follow_each_other_until_the_ledger_ends():
    history, engine = a_history(), an_engine()
    while history.mark is not None:
        history.add(read_page(engine, history.mark))
    found = history.merged(RUNS[:PAGE])
    assert [one.run_id for one in found] == [one.run_id for one in RUNS]
    assert history.run(RUNS[-1].run_id).decision == ""
    assert history.ended


def test_nothing_older_is_offered_while_the_latest_are_all_there_is():
    history = History()
    history.take(RUNS[: PAGE - 1])
    assert history.mark is None


def test_what_newer_runs_push_out_stays_before_the_older():
    history = a_history()
    history.add(read_page(an_engine(), history.mark))
    newer = tuple(ended(-number) for number in range(1, 8))
    latest = (*newer[::-1], *RUNS[: PAGE - 7])
    history.take(latest)
    assert [one.run_id for one in history.merged(latest)] == [one.run_id for one in (*newer[::-1], *RUNS[: 2 * PAGE])]


def test_when_more_came_than_was_seen_the_older_are_dropped_for_there_may_be_a_gap():
    history = a_history()
    history.add(read_page(an_engine(), history.mark))
    latest = tuple(ended(-number) for number in range(PAGE, 0, -1))
    history.take(latest)
    assert len(history.merged(latest)) == PAGE
    assert history.mark == Mark(latest[-1].last_at, latest[-1].run_id)


def test_a_run_that_changed_since_is_shown_once_and_as_it_is_now():
    history = a_history()
    history.add(read_page(an_engine(), history.mark))
    moved = run(RUNS[600].run_id, "kbSync", Outcome.DEFERRED, at=NOW + 1, count=7)
    latest = (moved, *RUNS[: PAGE - 1])
    history.take(latest)
    found = [one for one in history.merged(latest) if one.run_id == moved.run_id]
    assert found == [moved]


def test_a_search_passes_over_what_does_not_match_and_goes_on_where_it_stopped():
    wanted = parse_filter("task:rare")
    page = look_back(an_engine(), Mark(RUNS[PAGE - 1].last_at, RUNS[PAGE - 1].run_id), wanted, NOW)
    assert [one.task for one in page.runs] == ["rare"]
    assert page.mark.run_id == RUNS[3 * PAGE - 1].run_id
    assert not page.ended
    rest = look_back(an_engine(), page.mark, wanted, NOW)
    assert rest.runs == ()
    assert rest.ended


def test_what_was_found_for_another_filter_is_forgotten():
    history = a_history()
    history.seek("task:rare")
    page = look_back(an_engine(), history.mark, parse_filter("task:rare"), NOW)
    history.seek("task:other")
    history.add(page)
    assert len(history.merged(RUNS[:PAGE])) == PAGE


async def reach(desk, key, text):
    await desk.press(*key)
    await desk.until(lambda: text in desk.screen_text())


@pytest.fixture
def long_past(machine):
    machine.picture = snapshot(outcomes=RUNS[:PAGE])
    machine.past = RUNS[PAGE:]
    return machine


async def test_enter_on_the_last_row_loads_older_ones_and_selects_nothing_meanwhile(long_past, open_console):
    async with open_console() as desk:
        await desk.press("3", "G")
        assert "older… enter loads 500 more" in desk.screen_text()
        await desk.press("x")
        assert "this row only loads what is older — press enter to load it" in desk.screen_text()
        await reach(desk, ["enter"], "500 older outcomes read; down goes on")
        assert desk.main.outcomes.table.row_count == 1001
        assert desk.app.context().subject is None
        await desk.press("down")
        assert desk.app.context().subject.key == RUNS[PAGE].run_id
        await desk.press("enter")
        assert f"Detail · kbSync {RUNS[PAGE].run_id[:8]}" in desk.screen_text()
        await desk.press("escape", "slash", *"task:rare", "enter")
        assert "0 of 1000 · /task:rare" in desk.screen_text()


async def test_a_filter_looks_further_back_than_the_latest(long_past, open_console):
    async with open_console() as desk:
        await desk.press("3", "slash", *"task:rare", "enter")
        assert "no match among the latest 500; enter looks further back" in desk.screen_text()
        await reach(desk, ["enter"], "1 match read; down goes on")
        assert "1 of 501 · /task:rare" in desk.screen_text()
        await reach(desk, ["G", "enter"], "nothing older is in the ledger")
        assert desk.main.outcomes.table.row_count == 1
        await desk.press("escape")
        assert desk.main.outcomes.table.row_count == 501


async def test_what_cannot_be_read_is_said_and_can_be_tried_again(long_past, open_console):
    def refuse(*_, **__):
        raise LedgerError("ledger x", "is locked", "Try again.")

    async with open_console() as desk:
        read, long_past.older = long_past.older, refuse
        await reach(desk, ["3", "G", "enter"], "older outcomes cannot be read. ledger x: is locked. Try again.")
        long_past.older = read
        await reach(desk, ["enter"], "500 older outcomes read")


async def test_loading_while_frozen_adds_what_is_older_and_nothing_newer(long_past, open_console):
    async with open_console() as desk:
        await desk.press("3", "G", "p")
        await desk.see(snapshot(outcomes=(ended(-1), *RUNS[: PAGE - 1])))
        await reach(desk, ["enter"], "500 older outcomes read")
        keys = desk.main.outcomes.table._keys
        assert [key for key in keys if not key.startswith("older")] == [one.run_id for one in RUNS[: len(keys) - 1]]
        assert len(keys) >= 1000


async def test_no_more_rows_are_kept_than_the_screen_can_bear(long_past, open_console):
    long_past.past = tuple(ended(number) for number in range(PAGE, PAGE + MOST + 10))
    async with open_console() as desk:
        history = desk.app.picture.history
        while not history.full:
            history.add(read_page(long_past, history.mark))
        desk.main.outcomes.show_loaded()
        await desk.press("3", "G")
        assert f"{PAGE + MOST} rows are loaded; a filter looks further back" in desk.screen_text()
        await desk.press("enter")
        assert "No more rows are kept here." in desk.screen_text()
