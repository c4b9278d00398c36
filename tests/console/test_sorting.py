"""Sorting, zooming, freezing: the tables as the operator wants them, whatever the machine does meanwhile."""

from __future__ import annotations

import msgspec
import pytest

from neo_console.picture import Picture
from neo_console.rows.model import Column, Row, closing_row
from neo_console.rows.order import OWN, Order, arranged, next_order
from neo_console.rows.processes import COLUMNS as PROCESSES
from neo_console.rows.processes import process_rows
from neo_console.rows.schedule import COLUMNS as SCHEDULE
from neo_console.rows.schedule import schedule_rows
from neo_console.subjects import more_subject, task_subject
from neo_core.snapshot import ScheduleView, TaskState
from screenshots.fixtures import busy_trees, first_run, snapshot
from screenshots.parts import NOW, task

COLUMNS = (Column("name", "name", 9), Column("n", "n", 5, right=True, falling=True))


def rows(*told):
    return [Row(task_subject(name), (), name, name, (), (name, value), under=under) for name, value, under in told]


def order_of(found):
    return [row.key for row in found]


def test_the_tables_own_order_is_one_stop_of_the_cycle():
    stops = [OWN]
    for _ in range(3):
        stops.append(next_order(stops[-1], COLUMNS))
    assert stops == [OWN, Order("name"), Order("n", falling=True), OWN]
    assert next_order(Order("hidden"), COLUMNS) == Order("name")


@pytest.mark.parametrize(("falling", "expected"), [(False, "cabde"), (True, "bacde")])
def test_values_are_compared_and_not_their_text_and_the_unknown_comes_last_both_ways(falling, expected):
    told = rows(("a", 9, ""), ("b", 10, ""), ("c", 2.5, ""), ("d", None, ""), ("e", None, ""))
    assert "".join(order_of(arranged(told, Order("n", falling=falling), COLUMNS))) == expected


def test_text_is_sorted_without_regard_to_case_and_equals_keep_their_order():
    told = rows(("b", 1, ""), ("A", 1, ""), ("c", 1, ""))
    assert order_of(arranged(told, Order("name"), COLUMNS)) == ["A", "b", "c"]
    assert order_of(arranged(told, Order("n", falling=True), COLUMNS)) == ["b", "A", "c"]


def test_children_stay_below_their_parent():
    told = rows(
        ("a", 5, ""), ("a1", 1, "a"), ("a2", 4, "a"), ("a21", 3, "a2"), ("b", 9, ""), ("b1", 9, "b"), ("x", 7, "?")
    )
    assert order_of(arranged(told, Order("n", falling=True), COLUMNS)) == ["b", "b1", "x", "a", "a2", "a21", "a1"]
    assert order_of(arranged(told, Order("n"), COLUMNS)) == ["a", "a1", "a2", "a21", "x", "b", "b1"]


def test_every_row_stays_once_whatever_is_said_to_be_above_it():
    told = rows(("a", 1, "a"), ("b", 2, "c"), ("c", 3, ""))
    assert order_of(arranged(told, Order("n"), COLUMNS)) == ["a", "c", "b"]


def test_the_closing_row_stays_last():
    last = closing_row(more_subject("r"), "older…", COLUMNS)
    assert arranged([last, *rows(("a", 1, ""))], Order("n"), COLUMNS)[-1] is last
    assert arranged([last, *rows(("a", 1, ""))], OWN, COLUMNS)[-1] is last


def test_processes_are_sorted_by_their_owners_tree():
    found = arranged(process_rows(busy_trees()), Order("pss"), PROCESSES)
    assert [row.cells[0].text for row in found] == [
        *("neo-console", "└ neo-console", "dream", "└ python", "  └ node", "    └ python3"),
    ]


def test_rows_have_a_value_for_every_column():
    shown = snapshot()
    picture = Picture()
    picture.take(shown)
    for columns, found in (
        (SCHEDULE, schedule_rows(shown.schedule.value, picture, NOW)),
        (PROCESSES, process_rows(busy_trees())),
    ):
        assert all(len(row.values) == len(columns) <= 6 for row in found)


async def test_when_a_task_is_next_is_never_cut_at_120(machine, open_console):
    tasks = []
    for seconds in (59, 3599, 36_000, 86_399, 86_400, 6 * 86_400 - 1, 9 * 86_400, 400 * 86_400):
        view = task(f"a{seconds}", TaskState.IDLE, due_at=NOW + seconds)
        late = msgspec.structs.replace(view, name=f"b{seconds}", failures=3, retry_at=NOW + seconds)
        tasks += [view, late]
    machine.picture = snapshot(schedule=ScheduleView(tasks=tuple(tasks)))
    async with open_console() as desk:
        table = desk.main.schedule.table
        for one in tasks:
            cells = [cell.plain for cell in table.get_row(one.name)]
            cell = next(cell for cell in cells if cell.lstrip().startswith(("in ", "retry ")))
            assert "…" not in cell, one.name


async def test_sorting_is_shown_in_the_header_and_the_cursor_follows(open_console):
    async with open_console(size=(140, 40)) as desk:
        table = desk.main.schedule.table
        await desk.press("j", "s")
        assert "task▲" in desk.screen_text()
        assert desk.app.context().subject.key == "kbSync"
        await desk.press("s", "s", "s", "s", "s")
        assert "took▼" in desk.screen_text()
        assert table._keys[:2] == ["dream", "backup"]
        assert table._keys[-1] == "golden-path"
        await desk.press("S")
        assert "took▲" in desk.screen_text()
        assert table._keys[0] == "primary-dev-sync"
        assert table._keys[-1] == "golden-path"
        assert desk.app.context().subject.key == "kbSync"
        await desk.press("s")
        assert "▲" not in desk.text_of(table)
        await desk.press("S")
        assert "this is the table's own order — s sorts by a column" in desk.screen_text()


async def test_each_table_keeps_its_own_order_through_refresh_and_resize(open_console):
    async with open_console() as desk:
        await desk.press("2", "s", "s", "s", "3", "s", "s")
        await desk.resize(80, 24)
        await desk.see(snapshot())
        await desk.resize(120, 40)
        assert "PSS▼" in desk.screen_text()
        assert "task▲" in desk.text_of(desk.main.outcomes)
        assert desk.main.schedule.table.order == OWN


async def test_a_sort_by_a_column_that_has_no_room_is_said_in_the_title(open_console):
    async with open_console() as desk:
        await desk.press("3", "z", *"ssssss")
        assert "peak▼" in desk.screen_text()
        await desk.press("z")
        assert "3 Outcomes · by peak ▼" in desk.screen_text()


async def test_there_is_nothing_to_sort_in_the_plot(open_console):
    async with open_console() as desk:
        await desk.press("4", "s")
        assert "there is nothing to sort here" in desk.screen_text()


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 16)])
async def test_zooming_fills_the_screen_and_says_the_way_back(open_console, size):
    async with open_console(size=size) as desk:
        for key in "12345":
            await desk.press(key, "z")
            assert "zoomed: z or esc shows all" in desk.screen_text()
            assert [panel.display for panel in desk.main.panels].count(True) == 1
            assert desk.app.focused is desk.main.current.body
            await desk.press("z" if key in "135" else "escape")
            assert "zoomed" not in desk.screen_text()
            assert [panel.display for panel in desk.main.panels].count(True) == (5 if size[0] == 120 else 1)


async def test_a_zoom_survives_resizing_and_everything_works_in_it(machine, open_console):
    machine.picture = first_run()
    async with open_console() as desk:
        await desk.press("z", "j", "t")
        assert "Start kbSync?" in desk.screen_text()
        await desk.press("escape")
        for size in ((80, 24), (50, 10), (120, 40)):
            await desk.resize(*size)
        assert "zoomed: z or esc shows all" in desk.screen_text()
        await desk.press("slash", *"kb", "enter", "escape")
        assert desk.main.zoomed
        assert not desk.main.schedule.filter.text
        await desk.press("3")
        assert desk.main.outcomes.display
        assert not desk.main.schedule.display
        await desk.press("escape")
        assert all(panel.display for panel in desk.main.panels)


async def test_frozen_tables_can_be_sorted_and_filtered_and_show_nothing_newer(open_console):
    async with open_console() as desk:
        await desk.press("p")
        await desk.see(first_run())
        await desk.press("3", "s", "slash", *"dream", "enter")
        assert desk.main.outcomes.table.row_count == 4
        assert "4 of 10 · /dream" in desk.screen_text()
        await desk.press("escape", "1", "slash", *"task:kb", "enter")
        assert "waiting 2m: dream" in desk.text_of(desk.main.schedule)
        assert "FROZEN" in desk.screen_text()


async def test_freezing_in_one_column_freezes_what_is_not_in_sight_too(open_console):
    async with open_console(size=(80, 24)) as desk:
        await desk.press("p")
        await desk.see(first_run())
        await desk.press("3")
        assert desk.main.outcomes.table.row_count == 10


async def test_acting_on_a_frozen_row_is_judged_by_what_is_known_now(machine, open_console):
    async with open_console() as desk:
        await desk.press("2", "down", "p")
        await desk.see(snapshot(processes=()))
        await desk.press("x")
        assert "python (4211) is gone — what is shown is older than what is known" in desk.screen_text()
        await desk.press("1", "g", "j", "j")
        await desk.see(snapshot(schedule=ScheduleView(tasks=first_run().schedule.value.tasks[:2])))
        await desk.press("t")
        assert "primary-dev-sync is gone — what is shown" in desk.screen_text()
        assert machine.asked == []
        await desk.press("k")
        assert "kbSync" in desk.text_of(desk.main.schedule)
        await desk.press("t", "tab", "enter")
        assert machine.asked == [("trigger", "kbSync")]
