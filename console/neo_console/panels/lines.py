"""A data table with fixed widths and rows of one line that draws a row once, and again only when it changed.

Textual's own wants every cell before it is looked at, draws every visible row anew whenever any cell changes, keeps ten
thousand drawn cells that no row will ever ask for again, and measures every cell that is added. What stands on the
screen is the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual._segment_tools import line_crop
from textual._two_way_dict import TwoWayDict
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widgets import DataTable
from textual.widgets.data_table import ColumnKey, Row, RowDoesNotExist, RowKey

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from rich.console import Console
    from textual.coordinate import Coordinate

    Make = Callable[[], Sequence[Text]]

_KEPT_LINES = 128
_KEPT_CELLS = 32  # Textual's caches are left to the header's line


class _Cells(dict[ColumnKey, Text]):
    """The cells of a row, made when the first of them is asked for."""

    def __init__(self, columns: Sequence[ColumnKey], make: Make) -> None:
        super().__init__()
        self._columns, self._make = columns, make

    def __missing__(self, column: ColumnKey) -> Text:
        made = dict(zip(self._columns, self._make(), strict=True))
        self.update(made)
        return made[column]


class LineTable(DataTable[Text]):
    """Keeps one drawn line per row and state; the newest ``_KEPT_LINES`` of them."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - the data table's own
        self._row_lines: LRUCache[RowKey, tuple[object, Strip]] = LRUCache(_KEPT_LINES)
        self._aim: int | None = None
        self._led_to: int | None = None
        super().__init__(**options)
        self._row_render_cache = LRUCache(_KEPT_CELLS)
        self._cell_render_cache = LRUCache(_KEPT_CELLS)
        self._row_renderable_cache = LRUCache(_KEPT_CELLS)
        self._line_cache = LRUCache(_KEPT_CELLS)

    def change_line(self, name: str, make: Make) -> None:
        """Give a row other cells and have it drawn again, no other. Raises ``RowDoesNotExist``."""
        row = RowKey(name)
        if row not in self._row_locations:
            raise RowDoesNotExist(f"there is no row {name!r}")
        self._data[row] = _Cells(self._column_keys(), make)
        if row in self._row_lines:
            self._row_lines.discard(row)
        place = int(self._row_locations.get(row) or 0)
        top = place + self._head_height - self.scroll_offset.y
        if self._head_height <= top < self.size.height:
            self.refresh(Region(0, top, self.size.width, 1))

    def add_lines(self, lines: Sequence[tuple[str, Make]]) -> None:
        """Add rows at the end, each a key and what makes a cell per column once it is looked at, as one change."""
        if not lines:
            return
        columns, before = self._column_keys(), len(self.rows)
        for place, (name, make) in enumerate(lines, before):
            key = RowKey(name)
            self._row_locations[key] = place
            self._data[key] = _Cells(columns, make)
            self.rows[key] = Row(key, 1, None, False)
        self._reshaped()
        if not before and columns and self.show_cursor:
            self._highlight_cursor()

    def remove_lines(self, names: Collection[str]) -> None:
        """Remove rows by key, as one change."""
        gone = {RowKey(name) for name in names}
        if not gone:
            return
        left = [key for key in self._row_locations if key not in gone]
        self._row_locations = TwoWayDict({key: place for place, key in enumerate(left)})
        self._updated_cells = {cell for cell in self._updated_cells if cell.row_key not in gone}
        for key in gone:
            del self.rows[key], self._data[key]
            if key in self._row_lines:
                self._row_lines.discard(key)
        self.hover_coordinate = self.hover_coordinate
        self._reshaped()
        self.refresh(layout=True)

    def order_lines(self, names: Sequence[str]) -> None:
        """Put the rows into the order of ``names``, which are all of them, without a look at their cells."""
        self._row_locations = TwoWayDict({RowKey(name): place for place, name in enumerate(names)})
        self._update_count += 1
        self.refresh()

    def notify_style_update(self) -> None:
        """Draw every row anew: what they look like changed."""
        self._row_lines.clear()
        super().notify_style_update()

    @property
    def room(self) -> int:
        """How many rows there is room for; of a table that is hidden now, how many there was."""
        bar = self.scrollbar_size_horizontal if self.show_horizontal_scrollbar else 0
        return max(0, self.outer_size.height - self.gutter.height - bar - self._head_height)

    @property
    def looks_from(self) -> int:
        """The first row in sight, or the one that will be as soon as everything asked for is drawn."""
        return self.scroll_offset.y if self._aim is None else self._aim

    def look_from(self, row: int) -> None:
        """Show the rows from that one on, after the next drawing; of several such wishes the last one holds."""
        self._aim = max(0, row)
        self.call_after_refresh(self._arrive)

    def lead_cursor(self, row: int, *, first: int) -> None:
        """Put the cursor there and show the rows from ``first`` on, whether it is in sight then or not."""
        self._led_to = row
        self.move_cursor(row=row, scroll=False)
        self.look_from(first)

    def watch_cursor_coordinate(self, old_coordinate: Coordinate, new_coordinate: Coordinate) -> None:
        """Aim at the cursor's row at once, also while the height has still to be counted."""
        super().watch_cursor_coordinate(old_coordinate, new_coordinate)
        if old_coordinate != new_coordinate:
            self._scroll_cursor_into_view()

    def _arrive(self) -> None:
        if self._aim is None:
            return
        if self._require_update_dimensions:
            self.call_after_refresh(self._arrive)
            return
        aim, self._aim, self._led_to = self._aim, None, None
        self.scroll_to(y=aim, animate=False, immediate=True, force=True)

    def _scroll_cursor_into_view(self, animate: bool = False) -> None:  # noqa: ARG002 - Textual's own
        """Aim at the cursor's row; Textual's own starts from where the table looks before it has got anywhere."""
        row, first = self.cursor_row, self.looks_from
        if row == self._led_to:
            return
        if row < first:
            self.look_from(row)
        elif row >= first + self.room > first:
            self.look_from(row - self.room + 1)

    @property
    def _head_height(self) -> int:
        return self.header_height if self.show_header else 0

    def _column_keys(self) -> list[ColumnKey]:
        return [column.key for column in self.ordered_columns]

    def _reshaped(self) -> None:
        """Have the height counted anew, and the cursor put back inside."""
        self._require_update_dimensions = True
        self.cursor_coordinate = self.cursor_coordinate
        self._update_count += 1
        self.check_idle()

    def _clear_caches(self) -> None:
        self._row_lines.clear()
        super()._clear_caches()

    def _update_dimensions(self, new_rows: object) -> None:  # noqa: ARG002 - nothing is measured
        width = sum(column.get_render_width(self) for column in self.columns.values())
        self.virtual_size = Size(width, len(self.rows) + self._head_height)

    def _render_line(self, y: int, x1: int, x2: int, base_style: Style) -> Strip:
        place = y - self._head_height
        if not 0 <= place < len(self.rows):
            return super()._render_line(y, x1, x2, base_style)
        key = self._row_locations.get_key(place)
        if key is None:
            return super()._render_line(y, x1, x2, base_style)
        hovered = self._show_hover_cursor and self.hover_coordinate.row == place
        state = (
            *(place, x1, x2, self.size.width, base_style, self._pseudo_class_state),
            *(self.show_cursor and self.cursor_coordinate.row == place, hovered),
        )
        kept = self._row_lines.get(key)
        if kept is not None and kept[0] == state:
            return kept[1]
        strip = self._drawn_line(key, place, x1, x2, base_style)
        self._row_lines.set(key, (state, strip))
        return strip

    def _drawn_line(self, key: RowKey, place: int, x1: int, x2: int, base_style: Style) -> Strip:
        before, after = self._get_styles_to_render_cell(
            False,
            False,
            False,
            self.hover_coordinate.row == place,
            self.cursor_coordinate.row == place,
            self.show_cursor,
            self._show_hover_cursor,
            self.cursor_foreground_priority == "css",
            self.cursor_background_priority == "css",
        )
        # Where a click lands: only the row matters, and one style for all of it makes one stretch of it.
        style = self._get_row_style(place, base_style) + Style.from_meta({"row": place, "column": 0}) + before
        segments: list[Segment] = []
        taken = 0
        for column in self.ordered_columns:
            width = column.get_render_width(self)
            segments += _cell(self._data[key][column.key], width, style, after, self.app.console)
            taken += width
        segments.append(Segment(" " * max(0, self.size.width - taken), style))
        width = self.size.width
        return Strip(line_crop(segments, x1, x2, width)).adjust_cell_length(width, base_style).simplify()


def _cell(text: Text, width: int, before: Style, after: Style, console: Console) -> list[Segment]:
    """Return a cell in exactly ``width`` cells."""
    if not text.spans:
        parts = [Segment(text.plain, console.get_style(text.style) if text.style else None)]
    else:
        parts = list(text.render(console))
    drawn = [Segment(one.text, before + one.style if one.style else before) for one in parts]
    spare = width - text.cell_len
    if spare:
        drawn = Segment.adjust_line_length(drawn, width, before)
    return [Segment(one.text, (one.style or before) + after) for one in drawn] if after else drawn
