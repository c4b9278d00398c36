"""The snapshot and its rows as JSON: camelCase, ISO times, deferrals also in upstream's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from neo_core.clock import to_iso
from neo_core.ledger.models import Outcome, Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from neo_core.schedule.decision import Decision
    from neo_core.snapshot import LeaseView, Section, Snapshot, TaskView, TreeView

_RECENT = 20


def snapshot_json(snapshot: Snapshot) -> dict[str, Any]:
    """Return ``status --json``; a section that could not be read has no value but an ``error``."""
    return {
        "at": to_iso(snapshot.at),
        "workspace": snapshot.workspace,
        "readOnly": snapshot.read_only,
        "lease": _section(snapshot.lease, _lease),
        "tasks": _section(snapshot.schedule, lambda view: [_task(task) for task in view.tasks]),
        "pause": _section(snapshot.schedule, lambda view: msgspec.to_builtins(view.pause)),
        "outcomes": _section(snapshot.outcomes, lambda runs: [run_json(run) for run in runs[:_RECENT]]),
        "processes": _section(snapshot.processes, lambda trees: [_tree(tree) for tree in trees]),
        "memory": _section(snapshot.memory, msgspec.to_builtins),
    }


def run_json(run: Run) -> dict[str, Any]:
    """Return one row of the history; ``healthOutcome`` is what upstream records (a deferral as ``skipped``)."""
    return {
        "runId": run.run_id,
        "task": run.task,
        "trigger": str(run.trigger),
        "outcome": str(run.outcome) if run.outcome else None,
        "healthOutcome": _upstream(run.outcome),
        "reasonCode": run.reason_code,
        "reason": run.reason,
        "count": run.count,
        "requestedAt": _time(run.requested_at),
        "startedAt": _time(run.started_at),
        "endedAt": _time(run.ended_at),
        "lastAt": _time(run.last_at),
        "tookSeconds": run.took,
        "exitCode": run.exit_code,
        "parentRunId": run.parent_run_id or None,
        "requestedBy": run.requested_by,
        "blocker": run.blocker or None,
        "blockerPid": run.blocker_pid,
        "runnerPid": run.runner_pid,
        "leaseRole": str(run.lease_role),
        "leaseGeneration": run.generation or None,
        "peakMemoryBytes": run.peak_memory,
        "warning": run.warning or None,
        "command": run.command,
    }


def decision_json(decision: Decision) -> dict[str, Any]:
    """Return ``why --json``."""
    blocking = decision.blocking
    return {
        "task": decision.task,
        "at": to_iso(decision.at),
        "trigger": str(decision.trigger),
        "mayStart": decision.may_start,
        "blockedBy": str(blocking.gate) if blocking else None,
        "reasonCode": blocking.reason if blocking else None,
        "sentence": blocking.sentence if blocking else "",
        "clearsWhen": blocking.clears_when if blocking else "",
        "blocker": blocking.blocker if blocking else "",
        "blockerPid": blocking.blocker_pid if blocking else None,
        "gates": [
            {
                "gate": str(result.gate),
                "verdict": str(result.verdict),
                "value": result.value,
                "limit": result.limit,
                "clearsWhen": result.clears_when,
                "reasonCode": result.reason or None,
            }
            for result in decision.results
        ],
    }


def _lease(view: LeaseView) -> dict[str, Any]:
    held = bool(view.owner)
    return {
        "status": view.status,
        "state": str(view.light),
        "sentence": view.sentence,
        "mend": view.mend or None,
        "holder": None
        if not held
        else {
            "owner": view.owner,
            "reason": view.reason,
            "pid": view.pid,
            "liveness": view.holder,
            "task": view.task or None,
            "runId": view.run_id or None,
            "acquiredAt": _time(view.acquired_at),
            "renewedAt": _time(view.renewed_at),
            "expiresAt": _time(view.expires_at),
            "expired": view.expired,
            "tokenPrefix": view.token_prefix,
            "generation": view.generation,
        },
        "borrowers": list(view.borrowers),
        "carriers": msgspec.to_builtins(view.carriers),
        "unreadableEnvironments": view.unreadable_environments,
    }


def _task(task: TaskView) -> dict[str, Any]:
    blocking = task.decision.blocking
    return {
        "name": task.name,
        "class": "heavy" if task.heavy else "light",
        "state": str(task.state),
        "configured": task.configured,
        "missingKey": task.missing_key or None,
        "everySeconds": task.every,
        "dueAt": _time(task.due_at),
        "waitingSince": _time(task.waiting_since),
        "deferralStreak": task.streak,
        "snoozedUntil": _time(task.snoozed_until),
        "runId": task.running_run_id or None,
        "lastOutcome": _upstream(task.last_outcome),
        "lastReasonCode": task.last_reason or None,
        "lastAt": _time(task.last_at),
        "lastSuccessAt": _time(task.last_success_at),
        "blockedBy": None
        if blocking is None
        else {
            "gate": str(blocking.gate),
            "reasonCode": blocking.reason,
            "sentence": blocking.sentence,
            "clearsWhen": blocking.clears_when,
        },
    }


def _tree(tree: TreeView) -> dict[str, Any]:
    return {
        "owner": tree.owner,
        "kind": tree.kind,
        "runId": tree.run_id or None,
        "role": str(tree.role),
        "memoryBytes": tree.memory,
        "memoryIs": "pss" if tree.exact else "rss",
        "processes": [msgspec.to_builtins(process) for process in tree.processes],
    }


def _section(section: Section[Any], shape: Callable[[Any], Any]) -> dict[str, Any]:
    value = None if section.value is None else shape(section.value)
    return {"at": to_iso(section.at), "error": section.error or None, "value": value}


def _upstream(outcome: Outcome | None) -> str | None:
    if outcome is None:
        return None
    return str(Outcome.SKIPPED if outcome is Outcome.DEFERRED else outcome)


def _time(at: float | None) -> str | None:
    """Return ISO; a task that never ran is due at 0, which is "now" and no date."""
    if at is None:
        return None
    return "now" if at == 0 else to_iso(at)
