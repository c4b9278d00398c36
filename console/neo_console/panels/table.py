"""A table whose rows are known by key: refreshed by difference, its selection follows identity and never position."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, TypeGuard

from rich.cells import cell_len, set_cell_size
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from neo_console.vocabulary import Tone

if TYPE_CHECKING:
    from neo_console.rows.model import Cell, Column, Row
    from neo_console.subjects import Subject

_GAP = 2
Colours = Mapping[Tone, str]


class Drawn(Text):
    """A cell as drawn, which remembers the row it belongs to so that rows can be ordered by key."""

    row_key = ""


class KeyedTable(DataTable[Drawn], inherit_bindings=False):
    """Shows rows by key. When the selected row vanishes, nothing is selected until the operator moves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cursor_up", show=False),
        Binding("down", "cursor_down", show=False),
        Binding("pageup", "page_up", show=False),
        Binding("pagedown", "page_down", show=False),
        Binding("home", "scroll_top", show=False),
        Binding("end", "scroll_bottom", show=False),
    ]

    def __init__(self, columns: Sequence[Column], *, id: str) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(cursor_type="row", cell_padding=0, cursor_foreground_priority="renderable", id=id)
        self._columns_wanted = tuple(columns)
        self._widths: dict[int, int] = {}
        self._rows: dict[str, Row] = {}
        self._keys: list[str] = []
        self._gone: Subject | None = None
        self._touched = False
        self._colours: Colours = {}
        self.above: KeyedTable | None = None
        self.below: KeyedTable | None = None

    @property
    def subject(self) -> Subject | None:
        """What is selected now; ``None`` when the table is empty or the selected row vanished."""
        key = self._selected_key()
        return self._rows[key].subject if key and self._gone is None else None

    @property
    def gone(self) -> Subject | None:
        """What was selected until it vanished."""
        return self._gone

    def show_rows(self, rows: Sequence[Row], colours: Colours, *, refiltered: bool = False) -> None:
        """Make the table show exactly ``rows`` in that order, changing only what differs.

        ``refiltered`` says that the operator took rows away: then the selection moves instead of being lost.
        """
        self._colours = colours
        wanted = {row.key: row for row in rows}
        with self._selection_kept(wanted, refiltered=refiltered):
            if self._widths:
                self._remove_all_but(wanted)
                self._put(wanted)
                self._order(list(wanted))
            self._rows, self._keys = wanted, list(wanted)

    def move_by(self, step: int) -> None:
        """Move the selection by one row."""
        if step > 0:
            self.action_cursor_down()
        else:
            self.action_cursor_up()

    def move_to_end(self, *, last: bool) -> None:
        """Select the first row, or the last."""
        if last:
            self.action_scroll_bottom()
        else:
            self.action_scroll_top()

    def enter(self, *, last: bool) -> None:
        """Take the focus at once, at the first row or at the last: the next key may be in the queue already."""
        self.screen.set_focus(self)
        self.move_cursor(row=self.row_count - 1 if last else 0)

    def on_resize(self) -> None:
        """Give the flexible column what is left; new widths draw every row anew."""
        widths = _fit(self._columns_wanted, self.scrollable_content_region.width)
        if widths == self._widths:
            return
        self._widths = widths
        cursor = self.cursor_row
        self.clear(columns=True)
        last = max(widths)
        for index, width in widths.items():
            column = self._columns_wanted[index]
            label = Text(_sized(column.label, width, right=column.right))
            self.add_column(label, width=width if index == last else width + _GAP, key=column.key)
        for row in self._rows.values():
            self._add(row)
        self.move_cursor(row=cursor)

    def on_focus(self) -> None:
        """From now on the selection stays with what the operator saw, even when newer rows come."""
        self._touched = True

    def on_click(self) -> None:
        """A click selects, whatever was lost before."""
        self._settle()

    def action_cursor_down(self) -> None:
        """Move down, at the end into the table below; after the selected row vanished, select the one in its place."""
        if self._settle():
            return
        if self.cursor_row >= self.row_count - 1 and _enterable(self.below):
            self.below.enter(last=False)
        else:
            super().action_cursor_down()

    def action_cursor_up(self) -> None:
        """Move up, at the top into the table above; after the selected row vanished, select the one in its place."""
        if self._settle():
            return
        if self.cursor_row <= 0 and _enterable(self.above):
            self.above.enter(last=True)
        else:
            super().action_cursor_up()

    def action_page_down(self) -> None:
        """Move down by a page."""
        self._settle()
        super().action_page_down()

    def action_page_up(self) -> None:
        """Move up by a page."""
        self._settle()
        super().action_page_up()

    def action_scroll_top(self) -> None:
        """Select the first row, also of the table above."""
        self._settle()
        if _enterable(self.above):
            self.above.enter(last=False)
        else:
            super().action_scroll_top()

    def action_scroll_bottom(self) -> None:
        """Select the last row, also of the table below."""
        self._settle()
        if _enterable(self.below):
            self.below.enter(last=True)
        else:
            super().action_scroll_bottom()

    def _selected_key(self) -> str:
        return self._keys[self.cursor_row] if 0 <= self.cursor_row < len(self._keys) else ""

    def _settle(self) -> bool:
        """Select the row under the hidden cursor again; return whether it was hidden."""
        if self._gone is None:
            return False
        self._gone = None
        self.show_cursor = True
        return True

    @contextmanager
    def _selection_kept(self, wanted: Mapping[str, Row], *, refiltered: bool) -> Iterator[None]:
        key = self._gone.key if self._gone else self._selected_key()
        subject = self._gone or (self._rows[key].subject if key else None)
        before, touched = self.cursor_row, self._touched
        yield
        if not touched or subject is None:
            return
        if key in wanted:
            self._settle()
            self._follow(before, self._keys.index(key))
        elif refiltered:
            self._settle()
        elif self._gone is None:
            self._gone = subject
            self.show_cursor = False

    def _follow(self, before: int, row: int) -> None:
        """Put the cursor where its row went; an unchanged one is left alone, every extra call costs a repaint."""
        if row != self.cursor_row:
            self.move_cursor(row=row, scroll=False)
        if row != before and self.scroll_offset.y:
            self.call_after_refresh(self.scroll_to, y=self.scroll_offset.y + row - before, animate=False)

    def _remove_all_but(self, wanted: Mapping[str, Row]) -> None:
        for key in self._keys:
            if key not in wanted:
                self.remove_row(key)
        self._keys = [key for key in self._keys if key in wanted]

    def _put(self, wanted: Mapping[str, Row]) -> None:
        for key, row in wanted.items():
            old = self._rows.get(key)
            if old is None:
                self._add(row)
                self._keys.append(key)
            else:
                self._update(old, row)

    def _add(self, row: Row) -> None:
        self.add_row(*(self._draw(row, index) for index in self._widths), key=row.key)

    def _update(self, old: Row, row: Row) -> None:
        for index in self._widths:
            if old.cells[index] != row.cells[index]:
                self.update_cell(row.key, self._columns_wanted[index].key, self._draw(row, index))

    def _order(self, keys: list[str]) -> None:
        if keys == self._keys:
            return
        place = {key: index for index, key in enumerate(keys)}
        self.sort(self._columns_wanted[0].key, key=lambda cell: place[cell.row_key])

    def _draw(self, row: Row, index: int) -> Drawn:
        column, width, cell = self._columns_wanted[index], self._widths[index], row.cells[index]
        drawn = Drawn(_sized(_text_for(cell, width), width, right=column.right), no_wrap=True, end="")
        drawn.row_key = row.key
        if cell.strong:
            drawn.stylize("bold")
        if colour := self._colours.get(cell.tone):
            drawn.stylize(colour, 0, cell.text.find(" ") if cell.lead else None)
        return drawn


def _enterable(table: KeyedTable | None) -> TypeGuard[KeyedTable]:
    return table is not None and table.display and table.row_count > 0


def _text_for(cell: Cell, width: int) -> str:
    return cell.full if cell.full and cell_len(cell.full) <= width else cell.text


def _sized(text: str, width: int, *, right: bool) -> str:
    """Return ``text`` in exactly ``width`` cells, cut with an ellipsis where it is too long."""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, max(0, width - 1)) + "…"[:width]
    return " " * (width - length) + text if right else text + " " * (width - length)


def _fit(columns: Sequence[Column], available: int) -> dict[int, int]:
    """Return the width of every column that has room, by its index."""
    shown = dict(enumerate(columns))
    while _needed(shown.values()) > available and any(column.spare for column in shown.values()):
        del shown[max(shown, key=lambda index: shown[index].spare)]
    rest = max(0, available - _needed(shown.values()))
    return {index: column.width + rest if column.flexible else column.width for index, column in shown.items()}


def _needed(columns: Collection[Column]) -> int:
    return sum(column.width + _GAP for column in columns) - _GAP
