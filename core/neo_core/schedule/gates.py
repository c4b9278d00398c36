"""The one way to be admitted: ``decide`` evaluates every gate over given facts, completely, every time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from neo_core.clock import local_time, to_iso
from neo_core.durations import format_duration
from neo_core.ledger.models import Control, ControlKind, Outcome, Run, Trigger
from neo_core.schedule.decision import Decision, Gate, GateResult, Reason, Verdict
from neo_core.schedule.due import Past, inside_window, next_due, which_retry
from neo_core.schedule.memory_gates import MemoryFacts, forecast_gate, pressure_gate

if TYPE_CHECKING:
    from collections.abc import Callable

    from neo_core.profiles import Task


class LeaseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The lease as far as admission cares. ``takeable`` is false also for what cannot be read (fail closed)."""

    takeable: bool
    readable: bool = True
    status: str = "missing"
    sentence: str = ""
    clears_when: str = ""
    owner: str = ""
    reason: str = ""
    pid: int | None = None


class DependencyFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A service that a task needs: whether it is up, and what is known of it."""

    name: str
    ready: bool
    sentence: str = ""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a decision rests on, read beforehand. ``pause`` is what holds back this task among others, if any.

    ``live`` are the runs that have not ended, ours of every task; ``inherited`` is true when this start carries the
    token of the active lease; ``parent`` is then the run that lent it, ``ancestors`` are all runs that led here.
    """

    now: float
    trigger: Trigger
    lease: LeaseFacts
    past: Past = Past()
    dependencies: tuple[DependencyFacts, ...] = ()
    memory: MemoryFacts = MemoryFacts()
    pause: Control | None = None
    snooze: Control | None = None
    live: tuple[Run, ...] = ()
    inherited: bool = False
    parent: str = ""
    ancestors: frozenset[str] = frozenset()


def decide(task: Task, facts: Facts) -> Decision:
    """Return whether ``task`` may start, with every gate's verdict in the order of architecture.md."""
    results = tuple(gate(task, facts) for gate in _GATES)
    retry = which_retry(task, facts.past, facts.now) if facts.trigger is Trigger.SCHEDULED else 0
    return Decision(task=task.name, at=facts.now, trigger=facts.trigger, results=results, retry=retry)


def _configured(task: Task, _facts: Facts) -> GateResult:
    if task.configured:
        return _pass(Gate.CONFIGURED, value=" ".join(task.command))
    return _block(
        Gate.CONFIGURED,
        Reason.NOT_CONFIGURED,
        Outcome.SKIPPED,
        sentence=f"{task.name} is not configured: {task.mend}",
        value="no command",
        clears_when=f"{task.missing_key} is set",
    )


def _pause(_task: Task, facts: Facts) -> GateResult:
    pause = facts.pause
    if pause is None:
        return _pass(Gate.PAUSE, value="not paused")
    if pause.kind is ControlKind.DEFER_HEAVY:
        held, what, way_out = Reason.HEAVY_DEFERRED, "everything heavy is deferred", "neo-console relief resume-heavy"
    else:
        held, what, way_out = Reason.PAUSED, "every task is paused", "neo-console unpause"
    return _held_by_operator(Gate.PAUSE, held, pause, (what, way_out), facts.now)


def _snooze(task: Task, facts: Facts) -> GateResult:
    snooze = facts.snooze
    if snooze is None:
        return _pass(Gate.SNOOZE, value="not snoozed")
    what, way_out = f"{task.name} is snoozed", f"neo-console resume {task.name}"
    return _held_by_operator(Gate.SNOOZE, Reason.SNOOZED, snooze, (what, way_out), facts.now)


def _due(task: Task, facts: Facts) -> GateResult:
    if facts.trigger is not Trigger.SCHEDULED:
        told = f"not asked: a {facts.trigger} start does not wait for its time"
        return GateResult(gate=Gate.DUE, verdict=Verdict.NOT_APPLICABLE, value=told)
    due = next_due(task, facts.past, facts.now)
    if due is None:
        return _block(Gate.DUE, Reason.DISABLED, Outcome.SKIPPED, sentence=f"{task.name} never starts by itself")
    if due > facts.now:
        return _block(
            Gate.DUE,
            Reason.NOT_DUE,
            Outcome.SKIPPED,
            sentence=f"{task.name} is due in {format_duration(due - facts.now)}",
            value=_last_start(facts),
            limit=_rhythm(task),
            clears_when=to_iso(due),
        )
    if not inside_window(task.window, facts.now):
        return _block(
            Gate.DUE,
            Reason.OUTSIDE_WINDOW,
            Outcome.SKIPPED,
            sentence=f"{task.name} starts by itself only {task.window}",
            limit=str(task.window),
            clears_when=f"the window {task.window} opens",
        )
    return _pass(Gate.DUE, value=_why_due(task, facts), limit=_rhythm(task))


def _running(task: Task, facts: Facts) -> GateResult:
    mine = next((run for run in facts.live if run.task == task.name), None)
    if mine is None:
        return _pass(Gate.RUNNING, value="not running")
    return _block(
        Gate.RUNNING,
        Reason.ALREADY_RUNNING,
        Outcome.SKIPPED,
        sentence=f"{task.name} is already running ({mine.run_id})",
        value=f"run {mine.run_id}",
        clears_when="that run ends",
        blocker=task.name,
        blocker_pid=mine.runner_pid,
    )


def _dependency(task: Task, facts: Facts) -> GateResult:
    if not task.needs:
        return GateResult(gate=Gate.DEPENDENCY, verdict=Verdict.NOT_APPLICABLE, value="needs no service")
    missing = next((one for one in facts.dependencies if not one.ready), None)
    if missing is None:
        return _pass(Gate.DEPENDENCY, value=f"{', '.join(task.needs)} up")
    return _block(
        Gate.DEPENDENCY,
        Reason.DEPENDENCY,
        Outcome.DEFERRED,
        sentence=f"{task.name} needs {missing.name}: {missing.sentence}",
        value=missing.sentence,
        limit=f"{missing.name} up",
        clears_when=f"{missing.name} answers",
        blocker=missing.name,
    )


def _backpressure(task: Task, facts: Facts) -> GateResult:
    if not task.heavy:
        return GateResult(gate=Gate.BACKPRESSURE, verdict=Verdict.NOT_APPLICABLE, value="light task")
    others = [run for run in facts.live if run.heavy and run.task != task.name and run.run_id not in facts.ancestors]
    if facts.inherited and not others:
        return _pass(Gate.BACKPRESSURE, value=f"borrows from {facts.parent or 'its parent'}")
    if not others:
        return _pass(Gate.BACKPRESSURE, value="no other heavy run")
    other = others[0]
    return _block(
        Gate.BACKPRESSURE,
        Reason.BACKPRESSURE,
        Outcome.DEFERRED,
        sentence=f"{other.task} is running ({other.run_id}, pid {other.runner_pid or 'not yet known'})",
        value=f"run {other.run_id} of {other.task}",
        limit="one heavy run",
        clears_when=f"{other.task} ends",
        blocker=other.task,
        blocker_pid=other.runner_pid,
    )


def _lease(task: Task, facts: Facts) -> GateResult:
    lease = facts.lease
    if not task.heavy:
        return GateResult(gate=Gate.LEASE, verdict=Verdict.NOT_APPLICABLE, value="light task")
    if facts.inherited:
        return _pass(Gate.LEASE, value=f"inherited from {lease.owner}")
    if lease.takeable:
        return _pass(Gate.LEASE, value="free" if lease.status == "missing" else f"free to take ({lease.status})")
    return _block(
        Gate.LEASE,
        Reason.LEASE_HELD if lease.readable else Reason.LEASE_ERROR,
        Outcome.DEFERRED,
        sentence=lease.sentence,
        value=f"{lease.status}, {lease.owner}, pid {lease.pid}" if lease.owner else lease.status,
        limit="free",
        clears_when=lease.clears_when,
        blocker=lease.owner,
        blocker_pid=lease.pid,
    )


def _memory_pressure(task: Task, facts: Facts) -> GateResult:
    return pressure_gate(task, facts.memory, facts.now)


def _memory_forecast(task: Task, facts: Facts) -> GateResult:
    return forecast_gate(task, facts.memory)


_GATES: tuple[Callable[[Task, Facts], GateResult], ...] = (
    _configured,
    _pause,
    _snooze,
    _due,
    _running,
    _dependency,
    _backpressure,
    _lease,
    _memory_pressure,
    _memory_forecast,
)


def _held_by_operator(gate: Gate, reason: Reason, control: Control, told: tuple[str, str], now: float) -> GateResult:
    """Block; the sentence has the operator's time and leaves the way out to ``clears_when``, or to a surface's key."""
    (what, way_out), until, when = told, "ended by hand", "ended by hand"
    if control.until is not None:
        until, when = to_iso(control.until), local_time(control.until, now)
    because = f" ({control.because})" if control.because else ""
    return _block(
        gate,
        reason,
        Outcome.DEFERRED,
        sentence=f"{what} until {when}{because}",
        value=f"since {to_iso(control.created_at)} by {control.requested_by or 'unknown'}",
        limit=f"until {until}",
        clears_when=way_out if control.until is None else f"{until}, or {way_out}",
        blocker="operator",
    )


def _last_start(facts: Facts) -> str:
    started = facts.past.last_started_at
    return "never started" if started is None else f"last started {format_duration(facts.now - started)} ago"


def _rhythm(task: Task) -> str:
    if task.cron:
        return f"cron {task.cron}"
    return f"every {format_duration(task.every)}" if task.every > 0 else "when prompted"


def _why_due(task: Task, facts: Facts) -> str:
    past = facts.past
    if past.prompted_at is not None and past.prompted_at <= facts.now:
        return f"prompted by {past.prompted_by}"
    retry = which_retry(task, past, facts.now)
    return f"retry {retry} of {task.retries}" if retry else "due"


def _pass(gate: Gate, *, value: str, limit: str = "") -> GateResult:
    return GateResult(gate=gate, verdict=Verdict.PASS, value=value, limit=limit)


def _block(
    gate: Gate,
    reason: Reason,
    outcome: Outcome,
    *,
    sentence: str,
    value: str = "",
    limit: str = "",
    clears_when: str = "",
    blocker: str = "",
    blocker_pid: int | None = None,
) -> GateResult:
    return GateResult(
        gate=gate,
        verdict=Verdict.BLOCK,
        value=value,
        limit=limit,
        clears_when=clears_when,
        reason=str(reason),
        outcome=outcome,
        sentence=sentence,
        blocker=blocker,
        blocker_pid=blocker_pid,
    )
