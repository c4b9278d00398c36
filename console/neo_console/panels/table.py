"""A table whose rows are known by key: refreshed by difference, its selection follows identity and never position."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, ClassVar, TypeGuard

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets.data_table import ColumnKey

from neo_console.panels.fitting import GAP, fit, part_of, sized, text_for
from neo_console.panels.lines import LineTable
from neo_console.panels.sight import scroll_after_change, scroll_after_resize
from neo_console.rows.order import OWN, arranged, next_order
from neo_console.vocabulary import Tone

if TYPE_CHECKING:
    from neo_console.rows.model import Column, Row
    from neo_console.rows.order import Order
    from neo_console.subjects import Subject

Colours = Mapping[Tone, str]


class KeyedTable(LineTable, inherit_bindings=False):
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
        self._told: Sequence[Row] = ()
        self._rows: dict[str, Row] = {}
        self._keys: list[str] = []
        self._gone: Subject | None = None
        self._touched = self._chosen = False
        self._height = 0
        self._colours: Colours = {}
        self.order = OWN
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

    @property
    def fitted(self) -> bool:
        """Whether the columns are there: they wait for the table's size, and the rows for them."""
        return bool(self._widths)

    def show_rows(self, rows: Sequence[Row], colours: Colours, *, refiltered: bool = False) -> None:
        """Make the table show exactly ``rows``, in that order unless it is sorted, changing only what differs.

        ``refiltered`` says that the operator took rows away: then the selection moves instead of being lost.
        """
        self._told, self._colours = rows, colours
        wanted = {row.key: row for row in arranged(rows, self.order, self._columns_wanted)}
        with self._selection_kept(wanted, refiltered=refiltered):
            if self._widths:
                self._remove_all_but(wanted)
                self._put(wanted)
                self._order(list(wanted))
            self._rows, self._keys = wanted, list(wanted)

    @property
    def hidden_order(self) -> str:
        """What the rows are sorted by where that column has no room, so that no header shows it."""
        column = next((one for one in self._columns_wanted if one.key == self.order.column), None)
        shown = {self._columns_wanted[index].key for index in self._widths}
        return f"{column.label} {self.order.mark}" if column is not None and column.key not in shown else ""

    def sort_next(self) -> None:
        """Sort by the next column that is shown; after the last one comes the table's own order."""
        self._sort(next_order(self.order, [self._columns_wanted[index] for index in self._widths]))

    def sort_reverse(self) -> bool:
        """Turn the order round; false for the table's own, which has no other way round."""
        self._sort(self.order.reversed())
        return bool(self.order.column)

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

    def settle(self) -> bool:
        """Select the row under the hidden cursor, which is drawn again; return whether it was hidden."""
        if self._gone is None:
            return False
        self._gone = None
        self.show_cursor = True
        return True

    def enter(self, *, last: bool) -> None:
        """Take the focus at once, at the first row or at the last: the next key may be in the queue already."""
        self.screen.set_focus(self)
        self.move_cursor(row=self.row_count - 1 if last else 0)
        self._choose()

    def select(self, key: str) -> bool:
        """Take the focus with that row selected; return whether it is there."""
        if key not in self._keys:
            return False
        self.settle()
        self.screen.set_focus(self)
        self.move_cursor(row=self._keys.index(key))
        self._choose()
        return True

    def on_resize(self) -> None:
        """Keep the selected row in sight; give the flexible column what is left, new widths draw every row anew."""
        self._keep_in_sight()
        widths = fit(self._columns_wanted, self.scrollable_content_region.width)
        if widths == self._widths:
            return
        self._widths = widths
        cursor = self.cursor_row
        self.clear(columns=True)
        last = max(widths)
        for index, width in widths.items():
            column = self._columns_wanted[index]
            room = width if index == last else width + GAP
            self.add_column(self._label(column, width), width=room, key=column.key)
        self._add(self._rows.values())
        self.move_cursor(row=cursor)

    def _keep_in_sight(self) -> None:
        """Scroll where the table lost the lines that the chosen row stood in, and back when it has them again."""
        before, self._height = self._height, self.scrollable_content_region.height - self._head_height
        first = self.looks_from
        if self.show_cursor and self._chosen and before:
            wanted = scroll_after_resize(first, self.cursor_row, before, self._height)
            if wanted != first:
                self.look_from(wanted)

    def on_focus(self) -> None:
        """From now on the selection stays with what the operator saw, even when newer rows come."""
        self._touched = True

    def on_click(self) -> None:
        """A click selects, whatever was lost before."""
        self.settle()
        self._chosen = True

    def action_cursor_down(self) -> None:
        """Move down, at the end into the table below; after the selected row vanished, select the one in its place."""
        if self.settle():
            return
        if self.cursor_row >= self.row_count - 1 and _enterable(self.below):
            self.below.enter(last=False)
        else:
            super().action_cursor_down()
            self._choose()

    def action_cursor_up(self) -> None:
        """Move up, at the top into the table above; after the selected row vanished, select the one in its place."""
        if self.settle():
            return
        if self.cursor_row <= 0 and _enterable(self.above):
            self.above.enter(last=True)
        else:
            super().action_cursor_up()
            self._choose()

    def action_page_down(self) -> None:
        """Move down by a page."""
        self.settle()
        super().action_page_down()
        self._choose()

    def action_page_up(self) -> None:
        """Move up by a page."""
        self.settle()
        super().action_page_up()
        self._choose()

    def action_scroll_top(self) -> None:
        """Select the first row, also of the table above."""
        self.settle()
        if _enterable(self.above):
            self.above.enter(last=False)
        else:
            super().action_scroll_top()
            self._choose()

    def action_scroll_bottom(self) -> None:
        """Select the last row, also of the table below."""
        self.settle()
        if _enterable(self.below):
            self.below.enter(last=True)
        else:
            super().action_scroll_bottom()
            self._choose()

    def _sort(self, order: Order) -> None:
        if order == self.order:
            return
        self.order = order
        for index, width in self._widths.items():
            column = self._columns_wanted[index]
            self.columns[ColumnKey(column.key)].label = self._label(column, width)
        self._clear_caches()
        self.refresh()
        self.show_rows(self._told, self._colours)

    def _label(self, column: Column, width: int) -> Text:
        mark = self.order.mark if column.key == self.order.column else ""
        label = f"{column.label[: width - 1]}{mark}" if mark else column.label
        return Text(sized(label, width, right=column.right), style="bold" if mark else "")

    def _selected_key(self) -> str:
        return self._keys[self.cursor_row] if 0 <= self.cursor_row < len(self._keys) else ""

    def _choose(self) -> None:
        """Remember whether the operator moved down to a row: only that one is kept in sight when newer rows come."""
        self._chosen = self.cursor_row > 0

    @contextmanager
    def _selection_kept(self, wanted: Mapping[str, Row], *, refiltered: bool) -> Iterator[None]:
        key = self._gone.key if self._gone else self._selected_key()
        subject = self._gone or (self._rows[key].subject if key else None)
        before, touched, first = self.cursor_row, self._touched, self.looks_from
        yield
        if not touched or subject is None:
            return
        if key in wanted:
            self.settle()
            self._follow(before, self._keys.index(key), first)
        elif refiltered:
            self.settle()
        elif self._gone is None:
            self._gone = subject
            self.show_cursor = False
            if before < self.row_count and before != self.cursor_row:
                self.move_cursor(row=before, scroll=False)

    def _follow(self, before: int, row: int, first: int) -> None:
        """Put the cursor where its row went; every extra call costs a repaint."""
        wanted = scroll_after_change(first, before, row, self.room, chosen=self._chosen)
        if row != self.cursor_row:
            self.lead_cursor(row, first=wanted)
        elif wanted != self.looks_from:
            self.look_from(wanted)

    def _remove_all_but(self, wanted: Mapping[str, Row]) -> None:
        self.remove_lines([key for key in self._keys if key not in wanted])
        self._keys = [key for key in self._keys if key in wanted]

    def _put(self, wanted: Mapping[str, Row]) -> None:
        fresh = [row for key, row in wanted.items() if key not in self._rows]
        for key in self._keys:
            if self._rows[key] is not wanted[key]:
                self._update(self._rows[key], wanted[key])
        self._add(fresh)
        self._keys += [row.key for row in fresh]

    def _add(self, rows: Iterable[Row]) -> None:
        self.add_lines([(row.key, partial(self._cells, row)) for row in rows])

    def _update(self, old: Row, row: Row) -> None:
        if any(old.cells[index] != row.cells[index] for index in self._widths):
            self.change_line(row.key, partial(self._cells, row))

    def _order(self, keys: list[str]) -> None:
        if keys != self._keys:
            self.order_lines(keys)

    def _cells(self, row: Row) -> list[Text]:
        return [self._draw(row, index) for index in self._widths]

    def _draw(self, row: Row, index: int) -> Text:
        column, width, cell = self._columns_wanted[index], self._widths[index], row.cells[index]
        if row.closing:
            text = part_of(cell.text, self._widths, index)
        else:
            text = sized(text_for(cell, width), width, right=column.right)
        drawn = Text(text, no_wrap=True, end="")
        if cell.strong:
            drawn.stylize("bold")
        if colour := self._colours.get(cell.tone):
            drawn.stylize(colour, 0, cell.text.find(" ") if cell.lead else None)
        return drawn


def _enterable(table: KeyedTable | None) -> TypeGuard[KeyedTable]:
    return table is not None and table.display and table.row_count > 0
