"""The snapshot as JSON: camelCase, ISO times, deferrals in upstream's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neo_console.cli.records import control_json, iso, run_json, upstream_outcome
from neo_core.clock import to_iso
from neo_core.health import judge
from neo_core.ledger.models import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from neo_core.snapshot import (
        CollisionView,
        Health,
        LeaseView,
        MemoryView,
        OrchestratorView,
        ProcessView,
        Section,
        ServiceView,
        Snapshot,
        TaskView,
        TreeView,
    )
    from neo_core.snapshot_strays import StraysView, StrayView

_RECENT = 20


def snapshot_json(snapshot: Snapshot) -> dict[str, Any]:
    """Return ``status --json``; a section that could not be read has no value but an ``error``."""
    at = snapshot.at
    return {
        "at": to_iso(at),
        "workspace": snapshot.workspace,
        "readOnly": snapshot.read_only,
        "configError": snapshot.config_error or None,
        "health": health_json(judge(snapshot)),
        "lease": _section(snapshot.lease, lambda view: lease_object(view, at)),
        "tasks": _section(snapshot.schedule, lambda view: [_task(task, at) for task in view.tasks]),
        "pause": _section(snapshot.schedule, lambda view: control_json(view.pause) if view.pause else None),
        "heavyDeferral": _section(
            snapshot.schedule, lambda view: control_json(view.heavy_deferral) if view.heavy_deferral else None
        ),
        "outcomes": _section(snapshot.outcomes, lambda runs: [run_json(run) for run in runs[:_RECENT]]),
        "services": _section(snapshot.services, lambda views: [service_json(view) for view in views]),
        "orchestrator": _section(snapshot.orchestrator, orchestrator_json),
        "collisions": _section(snapshot.collisions, lambda views: [_collision(view) for view in views]),
        "strays": _section(snapshot.strays, strays_json),
        "processes": _section(snapshot.processes, lambda trees: [_tree(tree) for tree in trees]),
        "memory": _section(snapshot.memory, _memory),
    }


def health_json(health: Health) -> dict[str, Any]:
    """Return the verdict and its causes, the worst first."""
    return {
        "status": str(health.status),
        "causes": [
            {
                "status": str(cause.status),
                "code": cause.code,
                "subject": cause.subject,
                "sentence": cause.sentence,
                "mend": cause.mend or None,
            }
            for cause in health.causes
        ],
    }


def service_json(view: ServiceView) -> dict[str, Any]:
    """Return one service."""
    return {
        "name": view.name,
        "title": view.title,
        "state": str(view.state),
        "since": iso(view.since or None),
        "wanted": view.wanted,
        "kept": view.kept,
        "sentence": view.sentence,
        "command": view.command,
        "endpoint": view.endpoint or None,
        "pid": view.pid,
        "startTime": view.start_time,
        "startedAt": iso(view.started_at),
        "restarts": view.restarts,
        "failures": view.failures,
        "nextStartAt": iso(view.next_start_at),
        "lastExit": view.last_exit or None,
        "probedAt": iso(view.probed_at),
        "adopted": view.adopted,
    }


def orchestrator_json(view: OrchestratorView) -> dict[str, Any]:
    """Return the orchestrator."""
    return {
        "state": str(view.state),
        "sentence": view.sentence,
        "mend": view.mend or None,
        "pid": view.pid,
        "startedAt": iso(view.started_at),
        "lastPollAt": iso(view.beat_at),
        "endedAt": iso(view.ended_at),
        "ending": view.ending or None,
        "configError": view.config_error or None,
    }


def strays_json(view: StraysView) -> dict[str, Any]:
    """Return every stray, and what could not be looked at."""
    return {
        "found": [stray_json(one) for one in view.found],
        "examined": view.looked_at,
        "unreadable": view.unreadable,
        "otherUsers": view.others,
        "tooNew": view.settling,
        "unknown": list(view.unknown),
        "orphaned": {"sentence": view.orphaned, "mend": view.orphaned_mend or None} if view.orphaned else None,
    }


def stray_json(view: StrayView) -> dict[str, Any]:
    """Return one stray tree."""
    return {
        "kind": str(view.kind),
        "pid": view.pid,
        "startTime": view.start_time,
        "bootId": view.boot_id,
        "owner": view.owner,
        "runId": view.run_id or None,
        "name": view.name,
        "command": view.command,
        "sentence": view.sentence,
        "blocks": view.blocks or None,
        "mend": view.mend,
        "ageSeconds": view.age,
        "memoryBytes": view.memory,
        "memoryIs": "pss" if view.exact else "rss",
        "pids": [pid for pid, _ in view.members],
    }


def lease_object(view: LeaseView, now: float) -> dict[str, Any]:
    """Return the lease; its token only by its first part: who has all of it may borrow the lease."""
    return {
        "status": view.status,
        "state": str(view.light),
        "sentence": view.sentence,
        "mend": view.mend or None,
        "liveness": view.holder or None,
        "ageSeconds": None if view.acquired_at is None else max(0.0, round(now - view.acquired_at, 3)),
        "holder": None
        if not view.owner
        else {
            "owner": view.owner,
            "reason": view.reason,
            "pid": view.pid,
            "task": view.task or None,
            "runId": view.run_id or None,
            "acquiredAt": iso(view.acquired_at),
            "renewedAt": iso(view.renewed_at),
            "expiresAt": iso(view.expires_at),
            "expired": view.expired,
            "tokenPrefix": view.token_prefix,
            "generation": view.generation,
        },
        "borrowers": list(view.borrowers),
        "carriers": [{"pid": one.pid, "command": one.command, "by": one.by} for one in view.carriers],
        "unreadableEnvironments": view.unreadable_environments,
    }


def _task(task: TaskView, now: float) -> dict[str, Any]:
    """``outcome`` and ``reasonCode`` are upstream's words for its latest attempt: a deferral is *skipped*, with why.

    ``lastOutcome``, ``lastReasonCode`` and the sentence ``lastReason`` are ours for the latest run that ended;
    ``deferral`` is the latest start that was deferred since.
    """
    blocking, put_off = task.decision.blocking, task.deferral
    deferred = put_off is not None and blocking is not None and blocking.outcome is Outcome.DEFERRED
    return {
        "name": task.name,
        "class": "heavy" if task.heavy else "light",
        "state": str(task.state),
        "configured": task.configured,
        "missingKey": task.missing_key or None,
        "everySeconds": task.every,
        "cron": task.cron or None,
        # One that never ran is due at no date: since ever, which is now.
        "nextDueAt": iso(now if task.due_at == 0 else task.due_at),
        "retryAt": iso(task.retry_at),
        "promptedBy": task.prompted_by or None,
        "waitingSince": iso(task.waiting_since),
        "retriedByOrchestrator": task.retried,
        "waiters": [{"pid": one.pid, "since": iso(one.since), "until": iso(one.until)} for one in task.waiters],
        "starved": task.starved,
        "streak": task.streak,
        "deferral": None
        if put_off is None
        else {"at": iso(put_off.last_at), "blocker": put_off.blocker or None, "reasonCode": put_off.reason_code},
        "failures": task.failures,
        "snoozedUntil": iso(task.snoozed_until),
        "runId": task.running_run_id or None,
        "outcome": upstream_outcome(Outcome.DEFERRED if deferred else task.last_outcome),
        "reasonCode": blocking.reason if blocking is not None and deferred else task.last_reason_code or None,
        "lastOutcome": str(task.last_outcome) if task.last_outcome else None,
        "lastReasonCode": task.last_reason_code or None,
        "lastReason": task.last_reason or None,
        "lastAt": iso(task.last_at),
        "lastSuccessAt": iso(task.last_success_at),
        "blockedBy": None
        if blocking is None
        else {
            "gate": str(blocking.gate),
            "reasonCode": blocking.reason,
            "sentence": blocking.sentence,
            "clearsWhen": blocking.clears_when,
        },
    }


def _collision(view: CollisionView) -> dict[str, Any]:
    return {
        "tasks": list(view.tasks),
        "runIds": list(view.runs),
        "pids": list(view.pids),
        "sentence": view.sentence,
    }


def _tree(tree: TreeView) -> dict[str, Any]:
    return {
        "owner": tree.owner,
        "kind": tree.kind,
        "runId": tree.run_id or None,
        "role": str(tree.role),
        "memoryBytes": tree.memory,
        "memoryIs": "pss" if tree.exact else "rss",
        "processes": [_process(process) for process in tree.processes],
    }


def _process(process: ProcessView) -> dict[str, Any]:
    return {
        "pid": process.pid,
        "startTime": process.start_time,
        "depth": process.depth,
        "name": process.name,
        "command": process.command,
        "rssBytes": process.rss,
        "pssBytes": process.pss,
        "cpuPercent": process.cpu,
        "ageSeconds": process.age,
    }


def _memory(view: MemoryView) -> dict[str, Any]:
    return {
        "totalBytes": view.total,
        "availableBytes": view.available,
        "swapUsedBytes": view.swap_used,
        "pressurePercent": view.pressure,
        "phase": str(view.phase),
        "since": None if view.since is None else to_iso(view.since),
        "signal": view.signal or None,
        "signalValue": view.value or None,
        "signalLimit": view.limit or None,
        "incident": view.incident or None,
    }


def _section(section: Section[Any], shape: Callable[[Any], Any]) -> dict[str, Any]:
    value = None if section.value is None else shape(section.value)
    return {"at": to_iso(section.at), "error": section.error or None, "value": value}
