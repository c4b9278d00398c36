"""One verdict over a snapshot: healthy, degraded or unhealthy, with every cause. Pure; the snapshot is all it knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_core.health_tasks import task_causes
from neo_core.ledger.models import ServiceState
from neo_core.memory.incidents import Phase
from neo_core.snapshot import Cause, Health, HealthStatus, LeaseLight, OrchestratorState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neo_core.snapshot import (
        CollisionView,
        LeaseView,
        MemoryView,
        OrchestratorView,
        ScheduleView,
        Section,
        ServiceView,
        Snapshot,
    )
    from neo_core.snapshot_strays import StraysView

SECTIONS = ("lease", "schedule", "outcomes", "processes", "memory", "services", "orchestrator", "collisions", "strays")

_STRAYS_TOLD = 3
_WORST_FIRST = (HealthStatus.UNHEALTHY, HealthStatus.UNKNOWN, HealthStatus.DEGRADED)
_LEASE = {
    LeaseLight.UNREADABLE: (HealthStatus.UNHEALTHY, "lease-unreadable"),
    LeaseLight.UNKNOWN: (HealthStatus.UNKNOWN, "lease-holder-unknown"),
    LeaseLight.MALFORMED: (HealthStatus.DEGRADED, "lease-malformed"),
    LeaseLight.ORPHANED: (HealthStatus.DEGRADED, "lease-orphaned"),
    LeaseLight.OVERDUE: (HealthStatus.DEGRADED, "lease-overdue"),
}
_SERVICE = {
    ServiceState.FATAL: (HealthStatus.UNHEALTHY, "service-fatal"),
    ServiceState.UNHEALTHY: (HealthStatus.DEGRADED, "service-unhealthy"),
    ServiceState.BACKOFF: (HealthStatus.DEGRADED, "service-backoff"),
    ServiceState.STOPPED: (HealthStatus.DEGRADED, "service-down"),
}
_ORCHESTRATOR = {
    OrchestratorState.SILENT: (HealthStatus.UNHEALTHY, "orchestrator-silent"),
    OrchestratorState.KILLED: (HealthStatus.UNHEALTHY, "orchestrator-killed"),
    OrchestratorState.CRASHED: (HealthStatus.UNHEALTHY, "orchestrator-crashed"),
    OrchestratorState.UNKNOWN: (HealthStatus.UNKNOWN, "orchestrator-unknown"),
}

_MEMORY = {
    Phase.ELEVATED: HealthStatus.DEGRADED,
    Phase.RECOVERING: HealthStatus.DEGRADED,
    Phase.CRITICAL: HealthStatus.UNHEALTHY,
}


def judge(snapshot: Snapshot) -> Health:
    """Return the verdict and its causes, the worst first.

    What could not be read is *unknown*, which only *unhealthy* is worse than; without a cause all was read and is well.
    """
    found = [
        *_unread(snapshot),
        *_workspace(snapshot),
        *_lease(snapshot.lease.value),
        *_collisions(snapshot.collisions.value or ()),
        *_orchestrator(snapshot.orchestrator.value, snapshot),
        *_services(snapshot.services.value or ()),
        *_memory(snapshot.memory.value),
        *_strays(snapshot.strays.value),
        *_schedule(snapshot.schedule.value, snapshot.at),
    ]
    causes = tuple(sorted(found, key=lambda cause: _WORST_FIRST.index(cause.status)))
    return Health(status=causes[0].status if causes else HealthStatus.HEALTHY, causes=causes)


def _unread(snapshot: Snapshot) -> Iterator[Cause]:
    """One file is behind several sections, so one error is one cause."""
    by_error: dict[str, list[str]] = {}
    for name in SECTIONS:
        section: Section[object] = getattr(snapshot, name)
        if section.error or section.value is None:
            by_error.setdefault(section.error, []).append(name)
    for error, names in by_error.items():
        yield Cause(
            status=HealthStatus.UNKNOWN,
            code="unreadable" if error else "not-read",
            subject=", ".join(names),
            sentence=error or "has not been read",
            mend="neo-console doctor",
        )


def _workspace(snapshot: Snapshot) -> Iterator[Cause]:
    if snapshot.config_error:
        yield Cause(
            status=HealthStatus.UNHEALTHY,
            code="configuration",
            subject="neo-console.toml",
            sentence=snapshot.config_error,
            mend="neo-console doctor",
        )
    if snapshot.read_only:
        yield Cause(
            status=HealthStatus.DEGRADED,
            code="read-only",
            subject="workspace",
            sentence=f"nothing can be changed: {snapshot.read_only}",
            mend="neo-console doctor",
        )


def _lease(view: LeaseView | None) -> Iterator[Cause]:
    if view is not None and view.light in _LEASE:
        status, code = _LEASE[view.light]
        yield Cause(status=status, code=code, subject="lease", sentence=view.sentence, mend=view.mend)


def _memory(view: MemoryView | None) -> Iterator[Cause]:
    if view is not None and view.phase in _MEMORY:
        yield Cause(
            status=_MEMORY[view.phase],
            code=f"memory-{view.phase}",
            subject="memory",
            sentence=f"{view.signal} {view.value} (limit {view.limit}); nothing heavy starts",
            mend=f"neo-console incident {view.incident}" if view.incident else "",
        )


def _collisions(views: tuple[CollisionView, ...]) -> Iterator[Cause]:
    for view in views:
        yield Cause(
            status=HealthStatus.UNHEALTHY,
            code="collision",
            subject=", ".join(view.tasks),
            sentence=view.sentence,
            mend=f"neo-console stop {view.runs[-1]}" if view.runs else "end one of them",
        )


def _strays(view: StraysView | None) -> Iterator[Cause]:
    """What should have been seen and could not is no "none"."""
    if view is None:
        return
    found = [one for one in view.found if not one.keeps_lease]  # the lease's cause says it
    if found:
        whose = "; ".join(f"{one.label} {one.sentence}" for one in found[:_STRAYS_TOLD])
        more = f"; and {len(found) - _STRAYS_TOLD} more" if len(found) > _STRAYS_TOLD else ""
        yield Cause(
            status=HealthStatus.DEGRADED,
            code="strays",
            subject="processes",
            sentence=f"{whose}{more}",
            mend="neo-console strays",
        )
    if view.unknown:
        yield Cause(
            status=HealthStatus.UNKNOWN,
            code="strays-unknown",
            subject="processes",
            sentence="; ".join(view.unknown),
            mend="neo-console strays",
        )


def _orchestrator(view: OrchestratorView | None, snapshot: Snapshot) -> Iterator[Cause]:
    if view is None:
        return
    status, code = _ORCHESTRATOR.get(view.state, (HealthStatus.HEALTHY, ""))
    if view.state is OrchestratorState.STOPPED and _needed(snapshot):
        status, code = HealthStatus.DEGRADED, "orchestrator-not-running"
    if code:
        yield Cause(status=status, code=code, subject="orchestrator", sentence=view.sentence, mend=view.mend)
    if view.config_error and view.state is OrchestratorState.RUNNING:
        yield Cause(
            status=HealthStatus.DEGRADED,
            code="orchestrator-configuration",
            subject="orchestrator",
            sentence=f"goes on with its older configuration: {view.config_error}",
            mend="neo-console doctor",
        )


def _needed(snapshot: Snapshot) -> bool:
    """Return whether anything here waits for an orchestrator; also when that could not be read."""
    schedule, services = snapshot.schedule.value, snapshot.services.value
    if schedule is None or services is None:
        return True
    return any(task.configured and task.period for task in schedule.tasks) or any(one.wanted for one in services)


def _services(views: tuple[ServiceView, ...]) -> Iterator[Cause]:
    for view in views:
        if not view.wanted or not view.command:
            continue
        status, code = _SERVICE.get(view.state, (HealthStatus.HEALTHY, ""))
        mend = f"neo-console logs {view.name}"
        if not view.kept and view.state is not ServiceState.FATAL:
            status, code = HealthStatus.DEGRADED, "service-not-kept"
            mend = "neo-console orchestrator start"
        sentence = view.sentence
        if not code and view.failures:  # between two restarts it may look well for a moment
            status, code = HealthStatus.DEGRADED, "service-unstable"
            last = f", the last: {view.last_exit}" if view.last_exit else ""
            sentence = f"{view.failures} fault{'s' if view.failures > 1 else ''} in a row{last}; {view.sentence}"
        if code:
            yield Cause(status=status, code=code, subject=view.name, sentence=sentence, mend=mend)


def _schedule(view: ScheduleView | None, now: float) -> Iterator[Cause]:
    if view is None:
        return
    if view.pause is not None:
        because = f": {view.pause.because}" if view.pause.because else ""
        yield Cause(
            status=HealthStatus.DEGRADED,
            code="paused",
            subject="schedule",
            sentence=f"no task starts; paused by {view.pause.requested_by or 'an operator'}{because}",
            mend="neo-console unpause",
        )
    if view.heavy_deferral is not None:
        held = view.heavy_deferral
        because = f": {held.because}" if held.because else ""
        yield Cause(
            status=HealthStatus.DEGRADED,
            code="heavy-deferred",
            subject="schedule",
            sentence=f"nothing heavy starts; deferred by {held.requested_by or 'an operator'}{because}",
            mend="neo-console relief resume-heavy",
        )
    for task in view.tasks:
        yield from task_causes(task, now, paused=view.pause is not None)
