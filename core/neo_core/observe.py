"""From the engine's parts to the snapshot's sections: pure translations, one per section."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from neo_core.lease.explain import MALFORMED_SENTENCE, RECLAIM, UNREADABLE_MEND, explain_held, way_out
from neo_core.lease.words import HolderState, RecordStatus
from neo_core.ledger.models import Control, LeaseRole, Outcome, Run, Waiter
from neo_core.schedule.decision import Decision, Reason
from neo_core.schedule.due import Past, inside_window, next_due, period, retry_at
from neo_core.schedule.gates import LeaseFacts
from neo_core.snapshot import CarrierView, LeaseLight, LeaseView, MemoryView, TaskState, TaskView

if TYPE_CHECKING:
    from neo_core.lease.inspect import Inspection
    from neo_core.ledger.memory import Incident
    from neo_core.ledger.records import TaskRecord
    from neo_core.memory.reading import Reading
    from neo_core.profiles import Task
    from neo_core.schedule.memory_gates import MemoryFacts

_LIGHTS = {
    RecordStatus.MISSING: LeaseLight.FREE,
    RecordStatus.UNREADABLE: LeaseLight.UNREADABLE,
    RecordStatus.STALE: LeaseLight.STALE,
}


def lease_light(seen: Inspection) -> LeaseLight:
    """Return the lease in one word."""
    if seen.status is RecordStatus.MALFORMED:
        return LeaseLight.BUSY if seen.busy else LeaseLight.MALFORMED
    if seen.status is not RecordStatus.ACTIVE:
        return _LIGHTS[seen.status]
    if seen.scan.carriers:
        return LeaseLight.ORPHANED
    if seen.holder is HolderState.UNKNOWN:
        return LeaseLight.UNKNOWN
    return LeaseLight.OVERDUE if seen.expired else LeaseLight.HELD


def lease_view(seen: Inspection, live: tuple[Run, ...]) -> LeaseView:
    """Return the lease as the strip and ``status`` show it."""
    light = lease_light(seen)
    sentence, mend = lease_sentences(seen)
    view = LeaseView(light=light, status=str(seen.status), sentence=sentence, mend=mend)
    lease = seen.lease
    carriers = tuple(CarrierView(pid=one.pid, command=one.command, by=one.by) for one in seen.scan.carriers)
    if lease is None:
        return msgspec.structs.replace(view, holder=str(seen.holder or ""), owner=seen.task, carriers=carriers)
    return msgspec.structs.replace(
        view,
        holder=str(seen.holder or ""),
        owner=lease.owner,
        reason=lease.reason,
        pid=lease.pid,
        task=_text(lease.metadata.get("task")),
        run_id=_text(lease.metadata.get("runId")),
        token_prefix=lease.token[:8],
        generation=lease.holder.generation if lease.holder else 0,
        acquired_at=lease.acquired_at,
        renewed_at=lease.renewed_at,
        expires_at=lease.expires_at,
        expired=seen.expired,
        carriers=carriers,
        borrowers=tuple(run.run_id for run in live if run.lease_role is LeaseRole.BORROWER),
        unreadable_environments=seen.scan.unreadable,
    )


def lease_facts(seen: Inspection) -> LeaseFacts:
    """Return what the lease gate needs."""
    lease = seen.lease
    sentence, mend = lease_sentences(seen)
    return LeaseFacts(
        takeable=seen.takeable,
        readable=seen.status is not RecordStatus.UNREADABLE,
        status=str(seen.status),
        sentence=sentence,
        clears_when=_clears_when(seen, mend),
        owner=lease.owner if lease else seen.task,
        reason=lease.reason if lease else "",
        pid=lease.pid if lease else next((one.pid for one in seen.scan.carriers), None),
    )


def task_view(
    task: Task,
    record: TaskRecord,
    decision: Decision,
    *,
    past: Past,
    now: float,
    snooze: Control | None,
    running: Run | None,
    starved_after: float,
    waiters: tuple[Waiter, ...] = (),
    scheduling: bool = False,
) -> TaskView:
    """Return one line of the schedule; ``decision`` is the one of a manual start, made now.

    ``waiters`` are the living processes that wait to start the task; ``scheduling`` says that an orchestrator polls.
    """
    last = record.last
    due_at = next_due(task, past, now)
    due = due_at is not None and due_at <= now
    tried = scheduling and due and inside_window(task.window, now)
    blocking = decision.blocking
    retried = tried and record.streak > 0 and blocking is not None and blocking.outcome is Outcome.DEFERRED
    state = _task_state(task, decision, due_at, now, waited_for=retried or bool(waiters), running=running)
    since = _waiting_since(record, waiters, retried=retried) if state is TaskState.WAITING else None
    return TaskView(
        name=task.name,
        title=task.title,
        heavy=task.heavy,
        every=task.every,
        state=state,
        configured=task.configured,
        missing_key=task.missing_key,
        decision=decision,
        due_at=due_at,
        waiting_since=since,
        waiters=waiters,
        retried=retried,
        starved=since is not None and now - since > starved_after,
        streak=record.streak,
        deferral=record.last_deferred,
        failures=record.failures,
        tries=record.tries,
        retry_at=retry_at(task, past),
        cron=task.cron,
        period=period(task, past, now) if task.cron or task.every > 0 else 0.0,
        first_seen_at=past.first_seen_at,
        prompted=bool(task.trigger_file or task.trigger_glob),
        grace=task.grace,
        prompted_by=past.prompted_by,
        snoozed_until=snooze.until if snooze else None,
        snoozed_because=snooze.because if snooze else "",
        running_run_id=running.run_id if running else "",
        last_outcome=last.outcome if last else None,
        last_reason=last.reason if last else "",
        last_reason_code=last.reason_code if last else "",
        last_at=last.last_at if last else None,
        last_took=last.took if last else None,
        last_success_at=record.last_success_at,
    )


def _waiting_since(record: TaskRecord, waiters: tuple[Waiter, ...], *, retried: bool) -> float | None:
    """Return since when somebody waits who still does."""
    times = [waiter.since for waiter in waiters]
    if retried and record.waiting_since is not None:
        times.append(record.waiting_since)
    return min(times, default=None)


def _task_state(
    task: Task, decision: Decision, due_at: float | None, now: float, *, waited_for: bool, running: Run | None
) -> TaskState:
    if not task.configured:
        return TaskState.NOT_CONFIGURED
    if running is not None:
        return TaskState.RUNNING
    blocking = decision.blocking
    due = due_at is not None and due_at <= now
    by_operator = {
        str(Reason.PAUSED): TaskState.PAUSED,
        str(Reason.HEAVY_DEFERRED): TaskState.PAUSED,
        str(Reason.SNOOZED): TaskState.SNOOZED,
    }
    if blocking is not None and blocking.reason in by_operator:
        return by_operator[blocking.reason]
    if waited_for:
        return TaskState.WAITING
    if due:
        return TaskState.DUE
    return TaskState.DISABLED if due_at is None else TaskState.IDLE


def lease_sentences(seen: Inspection) -> tuple[str, str]:
    """Return what the lease's state means and how it is mended; no mend where none is needed."""
    light = lease_light(seen)
    lease = seen.lease
    who = f"{lease.owner} (pid {lease.pid or 'unknown'})" if lease else ""
    if light is LeaseLight.FREE:
        return "nobody holds the lease", ""
    if light is LeaseLight.UNREADABLE:
        return (
            f"the lease file {_sentence_error(seen)}; nothing heavy starts",
            UNREADABLE_MEND,
        )
    if light is LeaseLight.MALFORMED:
        return MALFORMED_SENTENCE, RECLAIM
    if light is LeaseLight.STALE:
        gone = "is gone" if seen.holder is HolderState.DEAD else "is past its declared deadline"
        return f"{who} {gone}; the next start takes the lease over", RECLAIM
    if light is LeaseLight.BUSY or lease is None:
        return explain_held(seen), way_out(seen)
    return f"lease held by {who}: {explain_held(seen)}", way_out(seen)


def _clears_when(seen: Inspection, mend: str) -> str:
    if seen.scan.carriers:
        pids = ", ".join(str(one.pid) for one in seen.scan.carriers)
        return f"the last of these processes ends: pid {pids}{f'; to end them: {mend}' if mend else ''}"
    if mend:
        return mend
    if seen.lease is None:
        return "the writer has finished, a moment from now"
    return f"{seen.lease.owner} ends" if seen.lease.holder else f"{seen.lease.owner} ends, or its deadline passes"


def _sentence_error(seen: Inspection) -> str:
    return seen.error if seen.error.startswith("is ") else f"cannot be read ({seen.error})"


def _text(value: object) -> str:
    return value if isinstance(value, str) and value.isprintable() else ""


def memory_view(reading: Reading, facts: MemoryFacts, incident: Incident | None) -> MemoryView:
    """Return the machine's memory as the strip and ``status`` show it."""
    return MemoryView(
        total=reading.total,
        available=reading.available,
        swap_used=reading.swap_used,
        pressure=reading.some.avg10 if reading.some else None,
        phase=facts.phase,
        since=facts.since,
        signal=facts.signal,
        value=facts.value,
        limit=facts.limit,
        incident=incident.incident_id if incident else 0,
    )
