"""Which of the tasks that may start does: data safety first, then the most overdue, one heavy one at a time."""

from __future__ import annotations

import msgspec

# Data safety: what protects the data runs before what changes it.
FIRST_IN_LINE = ("backup",)


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A task that is due and that no gate blocks.

    ``overdue`` is how long it has been due in units of its own period (1.0: it has missed one whole interval);
    ``waiting`` is the same in seconds, ``streak`` counts its deferrals since it last started. A ``starved`` one has
    waited longer than the operator allows.
    """

    name: str
    heavy: bool
    overdue: float
    waiting: float = 0.0
    starved: bool = False
    streak: int = 0


def pick(candidates: list[Candidate]) -> list[str]:
    """Return what starts now, in this order: at most one heavy task, and every light one.

    Among heavy ones ``backup`` goes first, then the starved by how long they wait (a task with a long interval would
    else stay behind short ones that are always late), then the most overdue relative to its own interval, ties by the
    longest streak, then by name so that the choice never depends on an order of reading.
    """
    heavy = sorted((one for one in candidates if one.heavy), key=_rank)
    light = sorted((one for one in candidates if not one.heavy), key=_rank)
    return [one.name for one in heavy[:1] + light]


def _rank(one: Candidate) -> tuple[bool, bool, float, int, str]:
    urgency = one.waiting if one.starved else one.overdue
    return (one.name not in FIRST_IN_LINE, not one.starved, -urgency, -one.streak, one.name)
