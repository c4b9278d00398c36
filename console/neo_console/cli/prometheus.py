"""The snapshot as Prometheus text (exposition format 0.0.4); what is unknown is left out, never 0."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from neo_core.health import judge
from neo_core.ledger.models import Outcome, ServiceState
from neo_core.snapshot import HealthStatus, OrchestratorState
from neo_core.snapshot_strays import StrayKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from neo_core.ledger.models import Run
    from neo_core.snapshot import (
        CollisionView,
        LeaseView,
        MemoryView,
        OrchestratorView,
        ScheduleView,
        ServiceView,
        Snapshot,
    )
    from neo_core.snapshot_strays import StraysView

_PREFIX = "neo_console_"


class _Metric(NamedTuple):
    """One family: its samples are (labels, value); without one it is not printed."""

    name: str
    help: str
    samples: tuple[tuple[dict[str, str], float], ...]


def prometheus_text(snapshot: Snapshot) -> str:
    """Return everything as gauges, for a node exporter's textfile collector or whoever runs this command."""
    return "".join(_family(metric) for metric in _metrics(snapshot) if metric.samples)


def _metrics(snapshot: Snapshot) -> Iterator[_Metric]:
    status = judge(snapshot).status
    yield _one("snapshot_timestamp_seconds", "When this was true, since the epoch.", snapshot.at)
    yield _Metric(
        "health",
        "1 for the status that everything together has; unknown is never healthy.",
        tuple(({"status": str(word)}, float(word is status)) for word in HealthStatus),
    )
    yield from _lease(snapshot.lease.value, snapshot.at)
    yield from _tasks(snapshot.schedule.value, snapshot.at)
    yield from _runs(snapshot.outcomes.value)
    yield from _services(snapshot.services.value or ())
    yield from _orchestrator(snapshot.orchestrator.value)
    yield from _collisions(snapshot.collisions.value)
    yield from _strays(snapshot.strays.value)
    yield from _memory(snapshot.memory.value)


def _strays(view: StraysView | None) -> Iterator[_Metric]:
    if view is None:
        return
    counts = Counter(one.kind for one in view.found)
    samples = tuple(({"kind": str(kind)}, float(counts[kind])) for kind in StrayKind)
    yield _Metric("strays", "Process trees that belong to no live run or service.", samples)


def _lease(view: LeaseView | None, now: float) -> Iterator[_Metric]:
    if view is None or view.status in ("unreadable", "malformed"):
        return
    held = view.status == "active"
    labels = {"owner": view.owner} if held else {}
    yield _Metric("lease_held", "Whether the heavy-maintenance lease is held.", ((labels, float(held)),))
    if held and view.acquired_at is not None:
        yield _one("lease_age_seconds", "For how long the lease has been held.", max(0.0, now - view.acquired_at))


def _tasks(view: ScheduleView | None, now: float) -> Iterator[_Metric]:
    tasks = [task for task in view.tasks if task.configured] if view else []
    yield _Metric(
        "task_last_success_timestamp_seconds",
        "When the task last did its work, since the epoch; absent when it never did.",
        tuple(({"task": one.name}, one.last_success_at) for one in tasks if one.last_success_at is not None),
    )
    yield _Metric(
        "task_deferral_streak",
        "Starts in a row that were deferred since the task last ran.",
        tuple(({"task": one.name}, float(one.streak)) for one in tasks),
    )
    yield _Metric(
        "task_failures",
        "Runs in a row that failed, ran into their limit or were lost.",
        tuple(({"task": one.name}, float(one.failures)) for one in tasks),
    )
    yield _Metric(
        "task_waiting_seconds",
        "For how long the task has been waiting; 0 while it does not wait.",
        tuple(
            ({"task": one.name}, 0.0 if one.waiting_since is None else max(0.0, now - one.waiting_since))
            for one in tasks
        ),
    )
    yield _Metric(
        "task_starved",
        "Whether the task has waited longer than orchestrator.starved_after.",
        tuple(({"task": one.name}, float(one.starved)) for one in tasks),
    )
    if view is not None:
        yield _one("paused", "Whether an operator paused every task.", float(view.pause is not None))
        told = "Whether an operator deferred everything heavy."
        yield _one("heavy_deferred", told, float(view.heavy_deferral is not None))


def _runs(rows: tuple[Run, ...] | None) -> Iterator[_Metric]:
    if rows is None:
        return
    counts = Counter((run.task, run.outcome) for run in rows if run.outcome is not None)
    yield _Metric(
        "runs_recent",
        f"Rows of the ledger's latest {len(rows)} by task and outcome; a window that moves, not a counter.",
        tuple(
            ({"task": task, "outcome": str(outcome)}, float(count))
            for (task, outcome), count in sorted(counts.items(), key=lambda item: (item[0][0], str(item[0][1])))
            if isinstance(outcome, Outcome)
        ),
    )


def _services(views: tuple[ServiceView, ...]) -> Iterator[_Metric]:
    yield _Metric(
        "service_up",
        "Whether the service runs and, where it has a probe, answers.",
        tuple(({"service": one.name}, float(one.state is ServiceState.RUNNING)) for one in views),
    )
    yield _Metric(
        "service_wanted",
        "Whether an operator wants the service to run.",
        tuple(({"service": one.name}, float(one.wanted)) for one in views),
    )
    yield _Metric(
        "service_restarts",
        "Starts of the service after a fault.",
        tuple(({"service": one.name}, float(one.restarts)) for one in views),
    )


def _orchestrator(view: OrchestratorView | None) -> Iterator[_Metric]:
    if view is None or view.state is OrchestratorState.UNKNOWN:
        return
    up = view.state is OrchestratorState.RUNNING
    yield _one("orchestrator_up", "Whether the orchestrator runs and polls.", float(up))
    if view.beat_at is not None:
        yield _one("orchestrator_last_poll_timestamp_seconds", "When it last polled, since the epoch.", view.beat_at)


def _collisions(views: tuple[CollisionView, ...] | None) -> Iterator[_Metric]:
    if views is not None:
        yield _one("collisions", "Pairs of heavy process trees that live at the same time.", float(len(views)))


def _memory(view: MemoryView | None) -> Iterator[_Metric]:
    if view is None:
        return
    for name, says, amount in (
        ("memory_total_bytes", "The machine's memory.", view.total),
        ("memory_available_bytes", "Memory that can be had without swapping.", view.available),
        ("swap_used_bytes", "Swap in use.", view.swap_used),
    ):
        if amount is not None:
            yield _one(name, says, float(amount))
    if view.pressure is not None:
        yield _one("memory_pressure_ratio", "PSI: the part of 10 s in which something waited.", view.pressure / 100)


def _one(name: str, says: str, value: float) -> _Metric:
    return _Metric(name, says, (({}, value),))


def _family(metric: _Metric) -> str:
    name = f"{_PREFIX}{metric.name}"
    says = metric.help.replace("\\", "\\\\").replace("\n", "\\n")
    lines = [f"# HELP {name} {says}", f"# TYPE {name} gauge"]
    lines += [f"{name}{_labels(labels.items())} {_number(value)}" for labels, value in metric.samples]
    return "\n".join(lines) + "\n"


def _labels(labels: Iterable[tuple[str, str]]) -> str:
    shown = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    return f"{{{shown}}}" if shown else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() else repr(value)
