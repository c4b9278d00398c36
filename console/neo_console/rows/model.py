"""What is written in a cell, what a row stands for, how wide a column is."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from neo_console.vocabulary import Tone

if TYPE_CHECKING:
    from neo_console.subjects import Subject


class Cell(NamedTuple):
    """One cell: its text, a longer text for where it fits, and what its colour means.

    ``lead`` gives the colour to the first word only (the badge); ``strong`` makes it stand out.
    """

    text: str
    tone: Tone = Tone.PLAIN
    full: str = ""
    lead: bool = False
    strong: bool = False


class Row(NamedTuple):
    """One row. ``words``, ``task`` and ``status`` are for the filter."""

    subject: Subject
    cells: tuple[Cell, ...]
    words: str
    task: str
    status: tuple[str, ...]

    @property
    def key(self) -> str:
        """The identity that survives a refresh."""
        return self.subject.key


class Column(NamedTuple):
    """One column of fixed ``width``; the ``flexible`` one takes what is left, and never less than its width.

    Where there is too little room, the column with the highest ``spare`` is left out first; 0 always stays.
    """

    key: str
    label: str
    width: int
    right: bool = False
    flexible: bool = False
    spare: int = 0


def words_of(cells: tuple[Cell, ...], *more: str) -> str:
    """Return everything a row can be found by."""
    return " ".join((*(cell.full or cell.text for cell in cells), *more))
