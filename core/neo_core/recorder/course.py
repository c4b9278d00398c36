"""How the memory went lately: thinned samples, the incidents among them, and which trees grew meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from neo_core.ledger.memory import Incident, Sample
from neo_core.memory.attribution import Growth, rank

if TYPE_CHECKING:
    from neo_core.ledger.store import Ledger


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """The memory from ``begin`` to ``end``; ``grew`` are the trees that cost more at its end, the most first."""

    begin: float
    end: float
    samples: tuple[Sample, ...] = ()
    incidents: tuple[Incident, ...] = ()
    grew: tuple[Growth, ...] = ()


def read_course(ledger: Ledger, begin: float, end: float, *, step: float) -> Course:
    """Return the course of an interval with one sample per ``step`` seconds. Raises ``LedgerError``."""
    samples = tuple(ledger.memory.samples(begin, end, step=step))
    grew: list[Growth] = []
    if len(samples) > 1:
        first, last = samples[0], samples[-1]
        grew = rank(first.baseline, last.trees)
    incidents = tuple(ledger.memory.incidents_during(begin, end))
    return Course(begin=begin, end=end, samples=samples, incidents=incidents, grew=tuple(grew))
