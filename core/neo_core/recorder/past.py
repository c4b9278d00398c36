"""The memory at a moment that is past: the recorded sample next to it, and what the ledger knows of that time.

Everything here is read, nothing is changed. What was not recorded is never filled in from a sample far away.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import msgspec

from neo_core.ledger.memory import TREES_KEPT, Incident, Sample
from neo_core.ledger.models import LeaseRole, Run
from neo_core.memory.attribution import Costs, TreeCost, attribute
from neo_core.recorder.roots import roots_of
from neo_core.recorder.schedule_then import TaskThen, schedule_at
from neo_core.schedule.decision import Reason
from neo_core.snapshot import TaskState

if TYPE_CHECKING:
    from collections.abc import Callable

    from neo_core.config import MemoryConfig
    from neo_core.lease.inspect import Inspection
    from neo_core.ledger.store import Ledger
    from neo_core.memory.reading import Reading
    from neo_core.processes.source import ProcessSource

LOOK_BACK = 30.0  # seconds: so old can the processes of a sample be at most
_NEAR = 30.0  # seconds
_NEAR_SAMPLES = 3
_BUDGET = 0.1  # seconds


class Then(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one moment, ``at`` (seconds since the epoch); ``sample`` is ``None`` when none is near.

    ``table`` are the trees of the look that is the nearest to it, at ``looked_at``: in calm times there is one every
    half minute, and the samples in between repeat it. ``runs`` worked then, ``waiting`` are the tasks whose start was
    held back; ``holder`` had the lease as far as that is known, and ``holder_run`` is its run, empty for a script's.
    """

    at: float
    sample: Sample | None = None
    table: tuple[TreeCost, ...] = ()
    looked_at: float | None = None
    runs: tuple[Run, ...] = ()
    waiting: tuple[TaskThen, ...] = ()
    incidents: tuple[Incident, ...] = ()
    holder: str = ""
    holder_run: str = ""

    @property
    def trees(self) -> list[TreeCost]:
        """The trees of the table, the dearest first."""
        return sorted(self.table, key=lambda tree: -tree.cost)

    @property
    def cut(self) -> bool:
        """Whether trees that are not ours may be missing, because only the dearest are kept."""
        return len(self.table) >= TREES_KEPT


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """The record of an interval, sample by sample. Times are seconds since the epoch.

    ``before`` and ``after`` are the nearest samples outside of it, ``oldest`` and ``newest`` those of the whole record;
    ``None``: there is none. A sample tells of the ``near`` seconds around it.
    """

    begin: float
    end: float
    near: float
    samples: tuple[Sample, ...] = ()
    rows: tuple[Run, ...] = ()
    incidents: tuple[Incident, ...] = ()
    before: float | None = None
    after: float | None = None
    oldest: float | None = None
    newest: float | None = None

    @property
    def runs(self) -> tuple[Run, ...]:
        """The rows of it that really ran."""
        return tuple(row for row in self.rows if row.started_at is not None)

    def around(self, at: float) -> tuple[float | None, float | None]:
        """Return the times of the last sample up to ``at`` and of the first one after it."""
        place = self._place(at)
        before = self.samples[place - 1].reading.at if place else self.before
        after = self.samples[place].reading.at if place < len(self.samples) else self.after
        return before, after

    def index(self, at: float) -> int | None:
        """Return which sample is the nearest to ``at``; ``None`` when none is near."""
        place = self._place(at)
        found = [one for one in (place - 1, place) if 0 <= one < len(self.samples)]
        nearest = min(found, key=lambda one: abs(self.samples[one].reading.at - at), default=None)
        if nearest is None or abs(self.samples[nearest].reading.at - at) > self.near:
            return None
        return nearest

    def then(self, at: float) -> Then:
        """Return what is known of ``at``: of the sample next to it, or without one when none is near."""
        index = self.index(at)
        return self._told(at, None) if index is None else self.moment(index)

    def moment(self, index: int) -> Then:
        """Return what is known of the moment of one of the samples."""
        return self._told(self.samples[index].reading.at, index)

    def _told(self, at: float, index: int | None) -> Then:
        runs = tuple(row for row in self.rows if _works(row, at))
        waiting = tuple(one for one in schedule_at(self.rows, at) if one.state is TaskState.WAITING)
        holder, run = _holder(runs, waiting)
        looked, table = (None, ()) if index is None else self._nearest_look(index)
        return Then(
            at=at,
            sample=None if index is None else self.samples[index],
            table=table,
            looked_at=looked,
            runs=runs,
            waiting=waiting,
            incidents=tuple(one for one in self.incidents if one.began_at <= at <= (one.ended_at or at)),
            holder=holder,
            holder_run=run,
        )

    def _nearest_look(self, index: int) -> tuple[float, tuple[TreeCost, ...]]:
        """Return the trees that a sample repeats or those of the look after it, whichever is nearer, and of when."""
        sample = self.samples[index]
        at, looked = sample.reading.at, self._looked_at(index)
        following = next((one for one in self.samples[index + 1 :] if one.trees != sample.trees), None)
        if following is not None and following.reading.at - at < at - looked:
            return following.reading.at, following.trees
        return looked, sample.trees

    def _looked_at(self, index: int) -> float:
        """Return when the trees of a sample were looked at: in the first of the samples that hold the same ones.

        Two looks that found the very same are taken for one, so that this may be too early, and never too late.
        """
        sample = self.samples[index]
        looked = sample.reading.at
        for one in reversed(self.samples[:index]):
            if one.trees != sample.trees or one.reading.at <= sample.reading.at - LOOK_BACK:
                break
            looked = one.reading.at
        return looked

    def _place(self, at: float) -> int:
        return bisect_right(self.samples, at, key=_at)


def read_past(ledger: Ledger, begin: float, end: float, config: MemoryConfig, as_seen: Callable[[Run], Run]) -> Past:
    """Return the record of an interval; ``as_seen`` tells of a run whether it is lost. Raises ``LedgerError``."""
    memory = ledger.memory
    rows = {row.run_id: row for row in (*memory.rows_during(begin, end), *ledger.runs.live())}
    before, after = memory.times_around(begin, end)
    oldest, newest = memory.span()
    return Past(
        begin=begin,
        end=end,
        near=max(_NEAR, _NEAR_SAMPLES * config.sample_every),
        samples=tuple(memory.samples(begin, end)),
        rows=tuple(as_seen(row) for row in rows.values()),
        incidents=tuple(memory.incidents_during(begin, end)),
        before=before,
        after=after,
        oldest=oldest,
        newest=newest,
    )


def look_now(ledger: Ledger, reading: Reading, source: ProcessSource, lease: Inspection) -> Sample:
    """Return a sample of this moment that nobody records: every tree of the machine. Raises ``LedgerError``."""
    processes = source.scan()
    costs = Costs(source)
    costs.refresh(processes, _BUDGET)
    roots = roots_of(ledger.runs.live(), ledger.services.all().values(), ledger.orchestrators.latest(), None, lease)
    return Sample(reading=reading, trees=tuple(attribute(roots, processes, costs.of)))


def _at(sample: Sample) -> float:
    return sample.reading.at


def _works(row: Run, at: float) -> bool:
    """Return whether a run worked at a moment; of a lost one only the last that was heard of it is known."""
    if row.started_at is None or row.started_at > at:
        return False
    if row.ended_at is not None:
        return at <= row.ended_at
    return row.live or at <= max(row.started_at, row.last_at)


def _holder(runs: tuple[Run, ...], waiting: tuple[TaskThen, ...]) -> tuple[str, str]:
    """Return who had the lease and its run: a run of ours, else whom a start that was held back then named."""
    for run in runs:
        if run.lease_role is LeaseRole.HOLDER:
            return run.task, run.run_id
    for one in waiting:
        if one.row is not None and one.row.blocker and one.row.reason_code == Reason.LEASE_HELD:
            return one.row.blocker, ""
    return "", ""
