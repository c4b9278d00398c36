"""How reliefs are told: what they are called, what they should free, and what was measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.format import NOTHING, plain, size
from neo_console.vocabulary import result_term, term
from neo_core.ledger.reliefs import Relief, ReliefKind

if TYPE_CHECKING:
    from neo_core.relief.options import Option

UNKNOWN = "unknown"
NOT_MEASURED = "unmeasured"


def title(one: Option | Relief) -> str:
    """Return what is done, and to whom."""
    label = one.target if isinstance(one, Relief) else one.label
    if one.kind is ReliefKind.STOP:
        label = f"{label} {one.target[:8]}" if label != one.target else label[:8]
    if one.kind is ReliefKind.STRAY and label != one.target:
        label = f"{label} {one.target}"
    return f"{term(one.kind).word} {plain(label)}".strip()


def expected(one: Option | Relief) -> str:
    """Return what it should free."""
    if one.expected is None:
        return UNKNOWN
    return size(one.expected) if one.expected else "nothing"


def freed(relief: Relief) -> str:
    """Return what its processes cost less afterwards."""
    if relief.freed is None:
        return _not_measured(relief)
    return f"{'-' if relief.freed < 0 else ''}{size(abs(relief.freed))}"


def gained(relief: Relief) -> str:
    """Return by how much the available memory changed meanwhile, for whatever reasons."""
    if relief.gained is None:
        return _not_measured(relief)
    return f"{'-' if relief.gained < 0 else '+'}{size(abs(relief.gained))}"


def told(relief: Relief) -> str:
    """Return how it went."""
    parts = (str(result_term(relief.result)), relief.sentence, relief.note)
    return plain(" · ".join(part for part in parts if part))


def _not_measured(relief: Relief) -> str:
    if relief.kind is ReliefKind.DEFER_HEAVY:
        return NOTHING
    return "not yet" if relief.settled_at is None else NOT_MEASURED
