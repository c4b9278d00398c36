"""Aligned columns in plain text. In a narrow terminal long texts wrap within their column, or rows become blocks."""

from __future__ import annotations

import textwrap
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP = "  "
_TEXT = 20  # cells; a column that is wider holds text and may wrap, down to _LEAST
_LEAST = 16


def aligned(rows: Sequence[Sequence[str]], width: int | None = None, *, blocks: bool = False) -> str:
    """Return the rows, the first of them the head, in at most ``width`` cells if that can be; every cell stays whole.

    Where the columns cannot be made so narrow, ``blocks`` puts every row into lines of its own.
    """
    natural = [max(map(len, column)) for column in zip(*rows, strict=True)]
    room = sum(natural) if width is None else width - len(GAP) * (len(natural) - 1)
    widths = _shared(natural, room)
    if sum(widths) <= room:
        return "\n".join(_line(line, widths) for row in rows for line in _wrapped(row, widths))
    if blocks and width is not None:
        return "\n\n".join(_block(rows[0], row, width) for row in rows[1:])
    return "\n".join(_line(row, natural) for row in rows)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return GAP.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _wrapped(row: Sequence[str], widths: Sequence[int]) -> list[tuple[str, ...]]:
    """Return the lines of a row."""
    return list(zip_longest(*(_lines(cell, width) for cell, width in zip(row, widths, strict=True)), fillvalue=""))


def _lines(cell: str, width: int) -> list[str]:
    return [cell] if len(cell) <= width else textwrap.wrap(cell, width, break_on_hyphens=False)


def _block(head: Sequence[str], row: Sequence[str], width: int) -> str:
    """Return a row as its first cell and, indented below it, the others after their names."""
    label = max(map(len, head[1:]))
    told = [row[0]]
    for name, cell in zip(head[1:], row[1:], strict=True):
        lines = _lines(cell, max(_LEAST, width - label - 2 * len(GAP)))
        told += [f"{GAP}{(name if not nth else '').ljust(label)}{GAP}{line}" for nth, line in enumerate(lines) if line]
    return "\n".join(told)


def _shared(natural: Sequence[int], room: int) -> list[int]:
    """Return the widths for ``room``: the first and short columns keep theirs, those of text share the rest evenly."""
    widths = [width if not place or width <= _TEXT else _LEAST for place, width in enumerate(natural)]
    while (spare := room - sum(widths)) > 0:
        wanting = [place for place, width in enumerate(widths) if width < natural[place]]
        if not wanting:
            break
        smallest = min(widths[place] for place in wanting)
        for place in [place for place in wanting if widths[place] == smallest][:spare]:
            widths[place] += 1
    return widths
