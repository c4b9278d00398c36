"""Which of the tasks that may start does: data safety first, then the most overdue, one heavy one at a time."""

from __future__ import annotations

import msgspec

# Data safety: what protects the data runs before what changes it.
FIRST_IN_LINE = ("backup",)


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A task that is due and that no gate blocks.

    ``overdue`` is how long it has been due in units of its own period (1.0: it has missed one whole interval).
    ``waiting`` is for how many seconds it has been deferred since it last started, ``streak`` how often. A ``starved``
    one has waited longer than the operator allows. ``idle`` is how many seconds ago it last started.
    """

    name: str
    heavy: bool
    overdue: float
    waiting: float = 0.0
    starved: bool = False
    streak: int = 0
    idle: float = float("inf")


def pick(candidates: list[Candidate]) -> list[str]:
    """Return what starts now, in this order: at most one heavy task, and every light one."""
    heavy, light = in_turn(candidates)
    return heavy[:1] + light


def in_turn(candidates: list[Candidate]) -> tuple[list[str], list[str]]:
    """Return the heavy and the light tasks, each in the order of their turns.

    ``backup`` goes first, then the starved by how long they wait (a task with a long interval would else stay behind
    short ones that are always late), then the most overdue relative to its own interval, ties by the longest streak,
    then by name so that the choice never depends on an order of reading. A starved task that has already waited through
    a whole turn of ``backup`` goes before it, so that a backup that is always due holds up nobody for ever.
    """
    starved_for = max((one.waiting for one in candidates if one.heavy and one.starved), default=0.0)

    def rank(one: Candidate) -> tuple[bool, bool, float, int, str]:
        first = one.name in FIRST_IN_LINE and one.idle >= starved_for
        urgency = one.waiting if one.starved else one.overdue
        return (not first, not one.starved, -urgency, -one.streak, one.name)

    ordered = sorted(candidates, key=rank)
    return [one.name for one in ordered if one.heavy], [one.name for one in ordered if not one.heavy]
