"""Recording: a look every few seconds, a sample into the ring, and the incident that it opens, feeds or closes."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeVar

import msgspec

from neo_core.collisions import LOST_LOOKED_AT, confirmed_collisions, may_collide
from neo_core.errors import LedgerError
from neo_core.ledger.memory import TREES_KEPT, Incident, Sample
from neo_core.ledger.models import LeaseRole, Outcome
from neo_core.memory.attribution import Baseline, Costs, Growth, attribute, baseline_of, rank
from neo_core.memory.incidents import Phase, Thresholds, Watch, advance
from neo_core.recorder.roots import roots_of
from neo_core.recorder.turn import Turn
from neo_core.relief.settling import Now, settle_due

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from neo_core.clock import Clock
    from neo_core.config import MemoryConfig
    from neo_core.lease.inspect import Inspection
    from neo_core.lease.store import LeaseStore
    from neo_core.ledger.models import Run
    from neo_core.ledger.store import Ledger
    from neo_core.memory.attribution import TreeCost
    from neo_core.memory.reading import MemorySource, Reading
    from neo_core.processes.source import ProcessIdentity, ProcessSource
    from neo_core.workspace import Workspace

N = TypeVar("N", int, float)

_TREES_NAMED = 10
_TREES_EVERY = 30.0
_FALL = 256 * 1024 * 1024
_BUDGET = 0.005
_BUDGET_AT_THE_BEGINNING = 0.25
_ORDER = (Phase.UNKNOWN, Phase.NORMAL, Phase.RECOVERING, Phase.ELEVATED, Phase.CRITICAL)


def thresholds_of(config: MemoryConfig) -> Thresholds:
    """Return the configured thresholds; a gap of ten samples is a sleep of the machine."""
    return Thresholds(
        elevated_some=config.elevated_some,
        critical_full=config.critical_full,
        critical_available=config.critical_available,
        full_for=config.critical_full_for,
        calm_for=config.calm_for,
        wake_grace=config.wake_grace,
        gap=max(30.0, 10 * config.sample_every),
    )


class Recorder:
    """Records one workspace's memory while it is this process's turn. ``console`` is the console that asks, if any."""

    def __init__(
        self,
        workspace: Workspace,
        config: MemoryConfig,
        *,
        memory: MemorySource,
        source: ProcessSource,
        clock: Clock,
        lease: LeaseStore,
        console: ProcessIdentity | None = None,
    ) -> None:
        self._config, self._memory, self._source, self._clock = config, memory, source, clock
        self._lease, self._console = lease, console
        self._turn = Turn(workspace.state / "recorder.lock")
        self._costs = Costs(source)
        self._watch: Watch | None = None
        self._incident: Incident | None = None
        self._baseline = Baseline(costs={})
        self._trees: tuple[TreeCost, ...] = ()
        self._looked: Reading | None = None
        self._recent: deque[tuple[float, Baseline]] = deque()
        self._next = 0.0

    def configure(self, config: MemoryConfig) -> None:
        """Go on with other settings."""
        self._config = config

    def tick(self, ledger: Ledger) -> bool:
        """Take a sample if one is due and it is our turn; return whether one was taken. Raises ``LedgerError``."""
        if not self.due():
            return False
        self._next = self._clock.monotonic() + self._config.sample_every
        if not self._turn.mine():
            return False
        try:
            self._record(ledger)
        except LedgerError:
            self._forget()
            raise
        return True

    def due(self) -> bool:
        """Return whether it is time for a sample, or for asking whether it is our turn."""
        return self._clock.monotonic() >= self._next

    def next_at(self) -> float:
        """Return when the next sample is due, by the monotonic clock."""
        return self._next

    def close(self) -> None:
        """Let somebody else record; what was recorded stays."""
        self._turn.give_up()
        self._forget()

    def _record(self, ledger: Ledger) -> None:
        at = self._clock.now()
        watch = self._resume(ledger)
        reading = self._memory.read(at)
        after = advance(watch, reading, thresholds_of(self._config))
        durable = after.open or self._incident is not None
        seen = self._lease.inspect() if durable else None
        live = ledger.runs.live() if durable or self._stale(reading) else []
        if after.open or self._stale(reading):
            self._look_at_trees(ledger, live, reading, anew=after.open and self._incident is None)
        trees = self._trees
        sample = Sample(reading=reading, trees=trees)
        collisions = () if seen is None else self._collisions(ledger, live, seen)
        with ledger.database.transaction(durable=durable):
            kept = Sample(reading=reading, trees=trees[:TREES_KEPT])
            ledger.memory.put(kept, after, slot=self._slot(at))
            self._follow(ledger, after, sample, live, collisions)
        self._watch = after
        self._remember(at, trees)
        settle_due(ledger, Now(at, reading.available, self._source), self._config.relief_settle)

    def _resume(self, ledger: Ledger) -> Watch:
        """Take over where the recorder before us stopped."""
        if self._watch is None:
            self._watch = ledger.memory.watch() or Watch()
            self._incident = ledger.memory.unfinished()
            if self._incident is not None:
                self._baseline = self._written(ledger, self._incident.since, self._incident.began_at)[1]
        return self._watch

    def _collisions(self, ledger: Ledger, live: list[Run], seen: Inspection) -> tuple[str, ...]:
        """Return sentences about heavy work beside heavy work; where none of ours works, nothing collides with it."""
        if not may_collide(live):
            return ()
        lost = ledger.runs.history(outcome=Outcome.LOST, limit=LOST_LOOKED_AT)
        found = confirmed_collisions(tuple(live), lost, seen, self._lease, self._source)
        return tuple(one.sentence for one in found)

    def _follow(
        self, ledger: Ledger, watch: Watch, sample: Sample, live: list[Run], collisions: tuple[str, ...]
    ) -> None:
        if watch.open and self._incident is None:
            self._open(ledger, watch, sample.reading.at)
        if self._incident is None:
            return
        incident = _enriched(self._incident, watch, sample, live, self._baseline)
        incident = msgspec.structs.replace(incident, collisions=_joined(incident.collisions, collisions))
        if not watch.open:
            incident = msgspec.structs.replace(incident, ended_at=sample.reading.at)
        ledger.memory.update_incident(incident)
        self._incident = incident if watch.open else None

    def _open(self, ledger: Ledger, watch: Watch, at: float) -> None:
        begin = at - self._config.window
        written = self._written(ledger, begin, at)
        remembered = self._recent[0] if self._recent else written
        since, self._baseline = remembered if remembered[0] <= written[0] else written
        incident = Incident(began_at=at, worst=watch.judgement, since=since)
        number = ledger.memory.open_incident(incident)
        self._incident = msgspec.structs.replace(incident, incident_id=number)

    def _stale(self, reading: Reading) -> bool:
        """Return whether the trees must be looked at again: it was long ago, or much memory has gone since."""
        then = self._looked
        if then is None or not 0 <= reading.at - then.at < _TREES_EVERY:
            return True
        return then.available is not None and (reading.available or 0) < then.available - _FALL

    def _look_at_trees(self, ledger: Ledger, live: list[Run], reading: Reading, *, anew: bool) -> None:
        """Count every process; in calm times a look holds for a while, because it is what recording costs most."""
        self._looked = reading
        processes = self._source.scan()
        self._costs.refresh(processes, _BUDGET_AT_THE_BEGINNING if anew else _BUDGET, anew=anew)
        lease, orchestrator = self._lease.inspect(), ledger.orchestrators.latest()
        roots = roots_of(live, ledger.services.all().values(), orchestrator, self._console, lease)
        trees = attribute(roots, processes, self._costs.of)
        ours = [tree for tree in trees if tree.kind != "other"]
        self._trees = tuple(ours + [tree for tree in trees if tree.kind == "other"])

    def _slot(self, at: float) -> int:
        """Return the place of a moment in the ring, which holds one sample per interval for the configured time."""
        every = self._config.sample_every
        return int(at / every) % max(1, int(self._config.keep / every))

    def _forget(self) -> None:
        """Begin from the ledger again next time: it may not hold what we remember."""
        self._watch = None
        self._incident = None

    def _remember(self, at: float, trees: tuple[TreeCost, ...]) -> None:
        """Keep the window's baselines: the ledger holds only the biggest trees of each moment."""
        self._recent.append((at, baseline_of(trees, complete=True)))
        while self._recent[0][0] < at - self._config.window:
            self._recent.popleft()

    @staticmethod
    def _written(ledger: Ledger, begin: float, end: float) -> tuple[float, Baseline]:
        first = ledger.memory.first_sample(begin, end)
        if first is None:
            return end, Baseline(costs={})
        return first.reading.at, first.baseline


def _enriched(incident: Incident, watch: Watch, sample: Sample, live: list[Run], baseline: Baseline) -> Incident:
    """Return the incident with what one more sample tells about it."""
    reading = sample.reading
    worse = _ORDER.index(watch.phase) > _ORDER.index(incident.worst.phase)
    return msgspec.structs.replace(
        incident,
        worst=watch.judgement if worse else incident.worst,
        least_available=_extreme(min, incident.least_available, reading.available),
        most_some=_extreme(max, incident.most_some, reading.some.avg10 if reading.some else None),
        most_full=_extreme(max, incident.most_full, reading.full.avg10 if reading.full else None),
        trees=_most(incident.trees, rank(baseline, sample.trees)),
        lease_owners=_joined(incident.lease_owners, (run.task for run in live if run.lease_role is LeaseRole.HOLDER)),
        runs=_joined(incident.runs, (run.run_id for run in live)),
        borrowed=_joined(incident.borrowed, (run.run_id for run in live if run.lease_role is LeaseRole.BORROWER)),
    )


def _most(before: tuple[Growth, ...], now: list[Growth]) -> tuple[Growth, ...]:
    """Return each tree at its greatest growth during the incident, the most first."""
    found = {one.tree.key: one for one in before}
    for one in now:
        if one.tree.key not in found or one.grown > found[one.tree.key].grown:
            found[one.tree.key] = one
    return tuple(sorted(found.values(), key=lambda one: -one.grown)[:_TREES_NAMED])


def _extreme(choose: Callable[[N, N], N], before: N | None, now: N | None) -> N | None:
    if before is None or now is None:
        return now if before is None else before
    return choose(before, now)


def _joined(before: tuple[str, ...], now: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*before, *now)))
