"""The line table draws what Textual's table draws, each row once, and changes many rows as one."""

from __future__ import annotations

from functools import partial

import pytest
from rich.text import Text
from textual.app import App
from textual.geometry import Region
from textual.widgets import DataTable
from textual.widgets.data_table import RowDoesNotExist

from neo_console.panels.lines import LineTable

WIDTHS = {"name": 8, "said": 12}


class Bench(App):
    def compose(self):
        yield LineTable(cursor_type="row", cell_padding=0, cursor_foreground_priority="renderable", id="table")


def cells(name, said="it is so", style="red"):
    shown = Text(said, no_wrap=True, end="")
    shown.stylize(style, 0, 2)
    return Text(name, no_wrap=True, end="", style="bold"), shown


@pytest.fixture
def a_table():
    """Run ``work`` with a table of rows ``a`` to ``e`` and the pilot."""

    async def run(work, names="abcde"):
        async with Bench().run_test(size=(30, 10)) as pilot:
            table = pilot.app.query_one(LineTable)
            for key, width in WIDTHS.items():
                table.add_column(key, width=width, key=key)
            table.add_lines([(name, partial(cells, name)) for name in names])
            await pilot.pause()
            await work(table, pilot)

    return run


def drawn(table, render, y):
    """What a line looks like: every character with its style, and the row that a click there selects."""
    strip = render(table, y, 0, table.size.width, table.rich_style)
    styles = [(char, segment.style) for segment in strip for char in segment.text]
    return [(char, style.clear_meta_and_links(), style.meta.get("row")) for char, style in styles]


async def test_every_line_is_what_textual_draws(a_table):
    async def work(table, pilot):
        for state in ("focused", "cursor", "changed", "sorted", "hovered", "wide", "no cursor"):
            if state == "cursor":
                await pilot.press("down", "down")
            elif state == "changed":
                table.change_line("b", lambda: cells("b", "日本語 far too long to fit"))
            elif state == "sorted":
                table.order_lines("edcba")
            elif state == "hovered":
                await pilot.hover(table, offset=(3, 2))
            elif state == "wide":
                await pilot.resize_terminal(60, 10)
            elif state == "no cursor":
                table.show_cursor = False
            await pilot.pause()
            ours = [drawn(table, LineTable._render_line, y) for y in range(6)]
            again = [drawn(table, LineTable._render_line, y) for y in range(6)]
            table._clear_caches()
            theirs = [drawn(table, DataTable._render_line, y) for y in range(6)]
            assert ours == theirs, state
            assert again == ours, state

    await a_table(work)


async def test_a_changed_cell_has_its_row_drawn_again_and_no_other(a_table, monkeypatch):
    async def work(table, pilot):
        strips = {y: table._render_line(y, 0, 30, table.rich_style) for y in range(1, 6)}
        dirty = []
        monkeypatch.setattr(table, "refresh", lambda *regions, **_: dirty.extend(regions))
        table.change_line("c", lambda: cells("c", "otherwise"))
        after = {y: table._render_line(y, 0, 30, table.rich_style) for y in range(1, 6)}
        assert [y for y in strips if after[y] is not strips[y]] == [3]
        assert "otherwise" in after[3].text
        assert dirty == [Region(0, 3, 30, 1)]

    await a_table(work)


async def test_a_row_out_of_sight_is_changed_without_a_drawing(a_table, monkeypatch):
    async def work(table, pilot):
        dirty = []
        monkeypatch.setattr(table, "refresh", lambda *regions, **_: dirty.extend(regions))
        table.change_line("z", lambda: cells("z", "otherwise"))
        assert dirty == []
        assert table.get_cell("z", "said").plain == "otherwise"

    await a_table(work, "abcdefghijklmnopqrstuvwxyz")


async def test_many_rows_come_and_go_as_one_change(a_table):
    async def work(table, pilot):
        table.move_cursor(row=4)
        table.remove_lines(["b", "d", "e"])
        assert [table.get_row_at(index)[0].plain for index in range(table.row_count)] == ["a", "c"]
        assert table.cursor_row == 1
        table.add_lines([(name, partial(cells, name)) for name in "bx"])
        await pilot.pause()
        assert [table.get_row_at(index)[0].plain for index in range(table.row_count)] == ["a", "c", "b", "x"]
        assert [table.get_row_index(name) for name in "acbx"] == [0, 1, 2, 3]
        assert table.virtual_size.height == 5
        table.remove_lines([])
        table.add_lines([])
        assert table.row_count == 4

    await a_table(work)


async def test_a_row_that_is_not_there_is_an_error(a_table):
    async def work(table, pilot):
        with pytest.raises(RowDoesNotExist):
            table.change_line("nobody", lambda: cells("nobody"))

    await a_table(work)


async def test_cells_are_made_when_their_row_comes_in_sight(a_table):
    made = []

    def noted(name):
        made.append(name)
        return cells(name)

    async def work(table, pilot):
        table.remove_lines("ab")
        table.add_lines([(f"row {number}", partial(noted, f"row {number}")) for number in range(500)])
        await pilot.pause()
        assert len(made) < 12
        table.order_lines([f"row {number}" for number in reversed(range(500))])
        await pilot.pause()
        assert len(made) < 24
        assert "row 499" in made
        table.move_cursor(row=250)
        await pilot.pause()
        await pilot.pause()
        assert "row 249" in made
        assert len(made) < 48
        assert len(set(made)) == len(made)

    await a_table(work, "ab")


async def test_what_is_kept_has_a_bound(a_table):
    async def work(table, pilot):
        for y in range(1, 400):
            table._render_line(y, 0, 30, table.rich_style)
        assert len(table._row_lines) == 128

    await a_table(work, [f"row{number}" for number in range(400)])
