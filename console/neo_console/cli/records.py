"""The ledger's rows as JSON: camelCase, ISO times, deferrals also in upstream's words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neo_core.clock import to_iso
from neo_core.ledger.models import Outcome, Run

if TYPE_CHECKING:
    from neo_core.ledger.models import Control, LeaseEvent
    from neo_core.schedule.decision import Decision


def run_json(run: Run) -> dict[str, Any]:
    """Return one row of the history; ``healthOutcome`` is what upstream records (a deferral as ``skipped``)."""
    return {
        "runId": run.run_id,
        "task": run.task,
        "trigger": str(run.trigger),
        "outcome": str(run.outcome) if run.outcome else None,
        "healthOutcome": upstream_outcome(run.outcome),
        "reasonCode": run.reason_code,
        "reason": run.reason,
        "count": run.count,
        "requestedAt": iso(run.requested_at),
        "startedAt": iso(run.started_at),
        "endedAt": iso(run.ended_at),
        "lastAt": iso(run.last_at),
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


def control_json(control: Control) -> dict[str, Any]:
    """Return an operator's command: a snooze, a pause, or what the orchestrator was asked."""
    return {
        "controlId": control.control_id,
        "kind": str(control.kind),
        "target": control.target or None,
        "createdAt": iso(control.created_at),
        "until": iso(control.until),
        "because": control.because,
        "force": control.force,
        "requestedBy": control.requested_by,
        "acknowledgedAt": iso(control.acknowledged_at),
    }


def lease_event_json(event: LeaseEvent) -> dict[str, Any]:
    """Return one line of ``history --lease --json``."""
    return {
        "at": iso(event.at),
        "event": event.event,
        "owner": event.owner,
        "tokenPrefix": event.token_prefix,
        "generation": event.generation,
        "runId": event.run_id or None,
        "pid": event.pid,
        "detail": event.detail or None,
    }


def upstream_outcome(outcome: Outcome | None) -> str | None:
    """Return what upstream records: a deferral as *skipped*, with its reason code beside it."""
    if outcome is None:
        return None
    return str(Outcome.SKIPPED if outcome is Outcome.DEFERRED else outcome)


def iso(at: float | None) -> str | None:
    """Return a moment as ISO 8601 in UTC."""
    return None if at is None else to_iso(at)
