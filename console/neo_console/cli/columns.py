"""Aligned columns and prose in plain text; in a narrow terminal both wrap at word borders, elsewhere nothing does."""

from __future__ import annotations

import re
import textwrap
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP = "  "
_BELOW = 4 * " "
_TEXT = 20  # cells; a column that is wider holds text and may wrap, down to _LEAST
_LEAST = 16
_READABLE = 30  # cells; a last column with less reads better below its row
_GLUE = "\0"  # a space that no line is broken at; what is printed has no control characters
_BADGE = re.compile(r"(?<!\S)([^\w\s]) (?=\w)")
_COMMAND = re.compile(r"\bneo-(?:console|lease|orchestrator)(?: [\w./=-]+){1,4}")


def aligned(
    rows: Sequence[Sequence[str]], width: int | None = None, *, blocks: bool = False, below: bool = False
) -> str:
    """Return the rows, the first of them the head, in at most ``width`` cells if that can be; every cell stays whole.

    Where the last column gets too little room to read, ``below`` puts its cells on lines of their own below their
    rows. Where the columns cannot be made so narrow, ``blocks`` or ``below`` puts every row into lines of its own.
    """
    natural = [max(map(len, column)) for column in zip(*rows, strict=True)]
    room = sum(natural) if width is None else width - len(GAP) * (len(natural) - 1)
    widths = _shared(natural, room)
    if sum(widths) <= room and not (below and widths[-1] < min(natural[-1], _READABLE)):
        return _columns(rows, widths)
    if below and width is not None and (text := _with_last_below(rows, width)):
        return text
    if (blocks or below) and width is not None:
        return "\n\n".join(_block(rows[0], row, width) for row in rows[1:])
    return _columns(rows, natural)


def prose(text: str, width: int | None, hang: int = 0) -> str:
    """Return one line of text as lines of at most ``width`` cells, all but the first indented by ``hang``.

    A badge stays with its word, and a command, or what stands behind an arrow, on one line if it fits on one; a word
    that is longer than a line, like a path, is not broken.
    """
    if width is None or len(text) <= width:
        return text
    head, arrow, mend = text.rpartition(" → ")
    if arrow and len(mend) + 2 <= width - hang:
        lines = _fill(head, width, hang)
        glued = f"→ {mend}"
        if len(lines[-1]) + 1 + len(glued) <= width:
            return "\n".join((*lines[:-1], f"{lines[-1]} {glued}"))
        return "\n".join((*lines, " " * hang + glued))
    return "\n".join(_fill(text, width, hang))


def _fill(text: str, width: int, hang: int) -> list[str]:
    indent = text[: len(text) - len(text.lstrip())]
    room = width - hang

    def glued(found: re.Match[str]) -> str:
        return found[0].replace(" ", _GLUE) if len(found[0]) <= room else found[0]

    lines = textwrap.wrap(
        _BADGE.sub(rf"\g<1>{_GLUE}", _COMMAND.sub(glued, text.lstrip())),
        width,
        initial_indent=indent,
        subsequent_indent=" " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(_GLUE, " ") for line in lines]


def _columns(rows: Sequence[Sequence[str]], widths: Sequence[int]) -> str:
    return "\n".join(_line(line, widths) for row in rows for line in _wrapped(row, widths))


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return GAP.join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()


def _wrapped(row: Sequence[str], widths: Sequence[int]) -> list[tuple[str, ...]]:
    """Return the lines of a row."""
    return list(zip_longest(*(_lines(cell, width) for cell, width in zip(row, widths, strict=True)), fillvalue=""))


def _lines(cell: str, width: int) -> list[str]:
    if len(cell) <= width:
        return [cell]
    glued = _BADGE.sub(rf"\g<1>{_GLUE}", cell)
    return [line.replace(_GLUE, " ") for line in textwrap.wrap(glued, width, break_on_hyphens=False)]


def _with_last_below(rows: Sequence[Sequence[str]], width: int) -> str:
    """Return the table with its last cells below their rows; empty when the other columns alone are too wide."""
    firsts = [row[:-1] for row in rows]
    natural = [max(map(len, column)) for column in zip(*firsts, strict=True)]
    least = [natural[0], *(max(map(_longest_word, column)) for column in list(zip(*firsts, strict=True))[1:])]
    room = width - len(GAP) * (len(natural) - 1)
    widths = _grown(least, natural, room)
    if sum(widths) > room:
        return ""
    told: list[str] = []
    for row, first in zip(rows, firsts, strict=True):
        told.append(_columns([first], widths))
        if row[-1]:
            told.append(prose(_BELOW + row[-1], width, len(_BELOW)))
    return "\n".join(told)


def _longest_word(cell: str) -> int:
    return max(map(len, _BADGE.sub(rf"\g<1>{_GLUE}", cell).split()), default=0)


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
    least = [width if not place or width <= _TEXT else _LEAST for place, width in enumerate(natural)]
    return _grown(least, natural, room)


def _grown(least: Sequence[int], natural: Sequence[int], room: int) -> list[int]:
    """Return widths from ``least`` on, the smallest grown first, up to ``natural`` or until the room is used up."""
    widths = list(least)
    while (spare := room - sum(widths)) > 0:
        wanting = [place for place, width in enumerate(widths) if width < natural[place]]
        if not wanting:
            break
        smallest = min(widths[place] for place in wanting)
        for place in [place for place in wanting if widths[place] == smallest][:spare]:
            widths[place] += 1
    return widths
