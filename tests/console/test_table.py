"""The keyed table: only what differs is touched, and the selection follows identity."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
from textual.app import App

from neo_console.panels.table import KeyedTable
from neo_console.rows.model import Cell, Column, Row
from neo_console.subjects import task_subject

COLUMNS = (Column("name", "name", 10, flexible=True), Column("n", "n", 5, right=True))


def row(name, number=0, **more):
    cells = (Cell(name, **more), Cell(str(number)))
    return Row(task_subject(name), cells, name, name, ())


def rows(text, number=0):
    return [row(name, number) for name in text]


class Bench(App):
    AUTO_FOCUS = None

    def compose(self):
        yield KeyedTable(COLUMNS, id="table")


@asynccontextmanager
async def a_table(first="abcde"):
    app = Bench()
    async with app.run_test(size=(40, 8)) as pilot:
        table = app.query_one(KeyedTable)
        table.show_rows(rows(first), {})
        await pilot.pause()
        yield table, pilot


def order(table):
    return "".join(table.get_row_at(index)[0].plain.strip() for index in range(table.row_count))


async def test_a_refresh_touches_only_rows_that_differ(monkeypatch):
    async with a_table() as (table, _):
        updated = []
        monkeypatch.setattr(table, "change_line", lambda key, make: updated.append((key, make()[1].plain.strip())))
        for name in ("order_lines", "clear", "add_row", "remove_row", "move_cursor"):
            monkeypatch.setattr(table, name, lambda *_, name=name, **__: updated.append(name))
        table.show_rows(rows("abcde"), {})
        assert updated == []
        table.show_rows([*rows("ab"), row("c", 7), *rows("de")], {})
        assert updated == [("c", "7")]


@pytest.mark.parametrize(
    "after", ["abcde", "edcba", "cabde", "xyabcde", "c", "acx", "zc", "edcbaxyz", "abxcde"], ids=lambda text: text
)
async def test_the_selection_follows_identity(after):
    async with a_table() as (table, pilot):
        table.focus()
        await pilot.press("down", "down")
        assert table.subject.key == "c"
        table.show_rows(rows(after), {})
        assert table.subject.key == "c"
        assert order(table) == after
        await pilot.pause()
        assert table.subject.key == "c"
        assert table.get_row_at(table.cursor_row)[0].plain.strip() == "c"


async def test_what_vanished_is_not_replaced_by_its_neighbour():
    async with a_table() as (table, pilot):
        table.focus()
        await pilot.press("down", "down")
        table.show_rows(rows("abde"), {})
        assert table.subject is None
        assert table.gone.key == "c"
        assert not table.show_cursor
        table.show_rows(rows("bade"), {})
        assert table.subject is None
        await pilot.press("down")
        assert table.show_cursor
        assert table.subject.key == "d"
        assert table.gone is None


async def test_what_vanished_and_came_back_is_selected_again():
    async with a_table() as (table, pilot):
        table.focus()
        await pilot.press("down", "down")
        table.show_rows(rows("abde"), {})
        table.show_rows(rows("ecabd"), {})
        assert table.subject.key == "c"
        assert table.show_cursor


async def test_filtering_moves_the_selection_instead_of_losing_it():
    async with a_table() as (table, pilot):
        table.focus()
        await pilot.press("end")
        table.show_rows(rows("ab"), {}, refiltered=True)
        assert table.subject.key == "b"


async def test_a_table_that_nobody_entered_shows_the_newest():
    async with a_table() as (table, _):
        table.show_rows(rows("xabcde"), {})
        assert table.subject.key == "x"


async def test_an_empty_table_selects_nothing_and_can_fill_again():
    async with a_table("") as (table, pilot):
        table.focus()
        await pilot.press("down", "up", "end", "home", "pagedown")
        assert table.subject is None
        table.show_rows(rows("ab"), {})
        assert table.subject.key == "a"
        table.show_rows([], {})
        assert table.subject is None
        assert table.gone.key == "a"


async def test_scrolling_stays_where_the_operator_reads():
    async with a_table("abcdefghijklmnopqrst") as (table, pilot):
        table.focus()
        await pilot.press("end")
        await pilot.pause()
        at = table.cursor_row - table.scroll_offset.y
        table.show_rows(rows("XYabcdefghijklmnopqrst"), {})
        await pilot.pause()
        assert table.subject.key == "t"
        assert table.cursor_row - table.scroll_offset.y == at


async def test_cells_have_their_width_whatever_is_in_them():
    async with a_table("") as (table, _):
        table.show_rows([row("日本語日本語日本語日本語日本語日本語日本語", 7), row("ok", 123_456_789)], {})
        first, second = table.get_row_at(0), table.get_row_at(1)
        assert first[0].cell_len == second[0].cell_len
        assert first[0].plain.rstrip().endswith("…")
        assert first[1].plain == "    7"
        assert second[1].plain == "1234…"


async def test_the_longer_text_is_shown_where_it_fits():
    async with a_table("") as (table, pilot):
        table.show_rows([row("short", full="rather longer than that")], {})
        assert table.get_row_at(0)[0].plain.strip() == "rather longer than that"
        await pilot.resize_terminal(24, 8)
        async with asyncio.timeout(10):
            while table.size.width > 24:
                await pilot.pause()
        assert table.get_row_at(0)[0].plain.strip() == "short"
        assert table.subject.key == "short"


async def test_two_rows_of_one_key_do_no_harm():
    async with a_table("") as (table, _):
        table.show_rows(rows("aab"), {})
        assert order(table) == "ab"


async def test_text_is_never_markup():
    async with a_table("") as (table, _):
        table.show_rows([row("[red]x[/]")], {})
        assert table.get_row_at(0)[0].plain.strip() == "[red]x[/]"
