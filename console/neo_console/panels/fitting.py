"""How wide columns are, and text in exactly that many cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from neo_console.rows.model import Cell, Column

GAP = 2


def text_for(cell: Cell, width: int) -> str:
    """Return the longest text of a cell that fits."""
    return next((text for text in (cell.full, cell.middle) if text and cell_len(text) <= width), cell.text)


def sized(text: str, width: int, *, right: bool = False) -> str:
    """Return ``text`` in exactly ``width`` cells, cut with an ellipsis where it is too long."""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, max(0, width - 1)) + "…"[:width]
    return " " * (width - length) + text if right else text + " " * (width - length)


def part_of(text: str, widths: Mapping[int, int], index: int) -> str:
    """Return what falls into column ``index`` of a sentence that is written across all columns."""
    start = sum(width + GAP for before, width in widths.items() if before < index)
    whole = sized(text, sum(width + GAP for width in widths.values()) - GAP)
    return whole[start : start + widths[index] + GAP]


def fit(columns: Sequence[Column], available: int) -> dict[int, int]:
    """Return the width of every column that has room, by its index; text is shortened before it is cut off."""
    shown = dict(enumerate(columns))
    while _needed(shown.values()) > available and any(column.spare for column in shown.values()):
        del shown[max(shown, key=lambda index: shown[index].spare)]
    widths = {index: column.width for index, column in shown.items()}
    rest = available - _needed(shown.values())
    for index, column in shown.items():
        taken = min(max(0, -rest), column.width - column.least if column.least else 0)
        widths[index], rest = widths[index] - taken, rest + taken
    return {index: width + max(0, rest) if shown[index].flexible else width for index, width in widths.items()}


def _needed(columns: Collection[Column]) -> int:
    return sum(column.width + GAP for column in columns) - GAP
