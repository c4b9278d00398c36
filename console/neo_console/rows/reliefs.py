"""The rows of what can be done about the memory: what, what it should free, by which measure, and its effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.format import plain
from neo_console.relieving import expected, title
from neo_console.rows.model import Cell, Column, Row, words_of
from neo_console.subjects import relief_subject
from neo_console.vocabulary import Tone, term
from neo_core.ledger.reliefs import ReliefKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neo_core.relief.options import Option

COLUMNS = (
    Column("what", "what", 26),
    Column("frees", "frees", 7, right=True),
    Column("by", "by", 31, spare=1),
    Column("effect", "effect", 20, flexible=True, least=16),
)


def key_of(option: Option) -> str:
    """Return what an option is known by from one look to the next."""
    return f"{option.kind}:{option.target}"


def relief_rows(options: Iterable[Option]) -> list[Row]:
    """Return a row for every option, in the order given."""
    return [_row(one) for one in options]


def _row(option: Option) -> Row:
    shown = term(option.kind)
    quiet = Tone.DIM if option.blocked else Tone.PLAIN
    ends = option.kind is ReliefKind.DEFER_HEAVY and bool(option.blocked)
    effect = f"not now: {option.blocked}" if option.blocked else option.effect
    if ends:
        effect = f"{option.blocked}: choose it to end that"
    cells = (
        Cell(f"{shown.badge} {title(option)}", shown.tone if quiet is Tone.PLAIN else quiet, lead=True, strong=True),
        Cell(expected(option), Tone.UNKNOWN if option.expected is None else quiet),
        Cell(plain(option.basis), Tone.DIM),
        Cell(plain(effect), Tone.CALM if ends else quiet),
    )
    subject = relief_subject(key_of(option), title(option))
    return Row(subject, cells, words_of(cells), "", (str(option.kind),))
