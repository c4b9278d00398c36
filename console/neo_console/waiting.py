"""Who tries a start again by himself, and how the last one was put off, in words. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.format import age, moment, plain
from neo_console.vocabulary import HEAVY_DEFERRED, STARVED, Term, reason_text, term
from neo_core.schedule.decision import Reason
from neo_core.snapshot import TaskState

if TYPE_CHECKING:
    from neo_core.ledger.models import Waiter
    from neo_core.snapshot import TaskView


def state_term(task: TaskView) -> Term:
    """Return how the task's state is shown; one that starves does not just wait, one deferred by hand is not paused."""
    if task.starved:
        return STARVED
    gate = task.decision.blocking
    deferred = task.state is TaskState.PAUSED and gate is not None and gate.reason == Reason.HEAVY_DEFERRED
    return HEAVY_DEFERRED if deferred else term(task.state)


def who_waits(task: TaskView, now: float) -> str:
    """Return who tries to start the task again by himself; empty when nobody does."""
    parts = [_waiter(one, now) for one in task.waiters]
    return ", ".join(["the orchestrator", *parts] if task.retried else parts)


def last_deferral(task: TaskView, now: float) -> str:
    """Return that the last start was deferred, when and by what; empty when it was not, or somebody goes on trying."""
    row = task.deferral
    if row is None or task.state in (TaskState.WAITING, TaskState.RUNNING):
        return ""
    by = f" by {plain(row.blocker)}" if row.blocker else f": {plain(reason_text(row.reason_code) or row.reason)}"
    return f"last start deferred {age(now - row.last_at)} ago{by}"


def wait_text(task: TaskView, now: float) -> str:
    """Return on one line who waits for a start of the task, or how the last one was put off; empty for neither."""
    who = who_waits(task, now)
    if who:
        since = "" if task.waiting_since is None else f" for {age(now - task.waiting_since)}"
        return f"Waiting{since}, tried again by: {who}."
    put_off = last_deferral(task, now)
    return f"{put_off[:1].upper()}{put_off[1:]}; that start is not tried again." if put_off else ""


def _waiter(waiter: Waiter, now: float) -> str:
    until = f" until {moment(waiter.until, now)}" if waiter.until is not None else ""
    return f"run --wait, pid {waiter.pid}{until}"
