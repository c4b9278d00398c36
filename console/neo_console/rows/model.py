"""What is written in a cell, what a row stands for, how wide a column is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from neo_console.vocabulary import Tone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neo_console.subjects import Subject

Value = float | str | None


class Cell(NamedTuple):
    """One cell: its text, a longer text for where it fits, one between for where that does not, what its colour means.

    ``lead`` gives the colour to the first word only (the badge); ``strong`` makes it stand out.
    """

    text: str
    tone: Tone = Tone.PLAIN
    full: str = ""
    lead: bool = False
    strong: bool = False
    middle: str = ""


class About(NamedTuple):
    """What a filter may ask for by name: ``took`` in seconds, ``mem`` in bytes; ``None`` is unknown."""

    reason: str = ""
    owner: str = ""
    took: float | None = None
    mem: int | None = None


NOTHING_KNOWN = About()


class Row(NamedTuple):
    """One row. ``words``, ``task``, ``status`` and ``about`` are for the filter.

    ``values`` has what each column is sorted by, ``None`` for unknown. ``under`` is the key of the row that this one
    stays below. A ``closing`` row stays last, passes every filter, and its first cell is written across all columns.
    """

    subject: Subject
    cells: tuple[Cell, ...]
    words: str
    task: str
    status: tuple[str, ...]
    values: tuple[Value, ...] = ()
    about: About = NOTHING_KNOWN
    under: str = ""
    closing: bool = False

    @property
    def key(self) -> str:
        """The identity that survives a refresh."""
        return self.subject.key


class Column(NamedTuple):
    """One column of ``width``; the ``flexible`` one takes what is left.

    Where there is too little room, the column with the highest ``spare`` is left out first; 0 always stays. If that is
    not enough, those with a ``least`` width shrink to it, from the left. A ``falling`` one is sorted largest first, or
    newest first, before it is reversed.
    """

    key: str
    label: str
    width: int
    right: bool = False
    flexible: bool = False
    spare: int = 0
    least: int = 0
    falling: bool = False


def words_of(cells: tuple[Cell, ...], *more: str) -> str:
    """Return everything a row can be found by."""
    return " ".join((*(cell.full or cell.text for cell in cells), *more))


def closing_row(subject: Subject, text: str, columns: Sequence[Column], tone: Tone = Tone.DIM) -> Row:
    """Return a row that is one sentence across all columns, at the end."""
    return Row(subject, (Cell(text, tone),) * len(columns), "", "", (), closing=True)
