"""What is not well with one task: it waits too long, it fails, or its work is too old. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_core.durations import format_duration
from neo_core.ledger.models import Outcome
from neo_core.snapshot import Cause, HealthStatus, TaskState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neo_core.snapshot import TaskView

_STALE_AFTER_PERIODS = 2
_BY_OPERATOR = (TaskState.PAUSED, TaskState.SNOOZED)
_BY_HAND_TOLD_FOR = 86_400.0  # seconds
# They decline for reasons of their own; a backup that declines is a backup that is missing.
_MAY_DECLINE_FOREVER = frozenset({"primary-dev-sync"})


def task_causes(task: TaskView, now: float, *, paused: bool) -> Iterator[Cause]:
    """Yield what is not well with a task; what an operator holds back is not blamed for waiting."""
    if not task.configured:
        return
    if task.failures and _no_more_tries(task, now) and not _by_hand_long_ago(task, now):
        times = f"{task.failures} times in a row" if task.failures > 1 else "at its last run"
        told = task.last_reason_code or task.last_reason
        code = f" ({told})" if told else ""
        lost = task.last_outcome is Outcome.LOST  # its log ends before the cause
        mend = f"neo-console history --task {task.name}" if lost else f"neo-console logs {task.name}"
        yield _cause(task, "failing", f"{task.name} failed {times}{code}", mend)
    if paused or task.state in _BY_OPERATOR:
        return
    if task.starved:
        since = f" for {_age(now - task.waiting_since)}" if task.waiting_since is not None else ""
        blocking = task.decision.blocking
        why = f": {blocking.sentence}" if blocking else ""
        yield _cause(task, "starved", f"{task.name} has waited{since}{why}", f"neo-console why {task.name}")
    elif (sentence := _stale(task, now)) and task.state is not TaskState.RUNNING:
        yield _cause(task, "stale", sentence, f"neo-console why {task.name} --scheduled")


def _no_more_tries(task: TaskView, now: float) -> bool:
    """A task that starts by itself is tried again ahead of its interval until its turn's tries are used up.

    After a turn that used them up it is failing until it succeeds.
    """
    if task.failures > task.tries:
        return True
    return task.retry_at is None or not task.period or now - task.retry_at > task.period


def _by_hand_long_ago(task: TaskView, now: float) -> bool:
    """Return whether only a hand starts the task, and its last failure is no news any more."""
    by_itself = task.period or task.prompted
    return not by_itself and task.last_at is not None and now - task.last_at > _BY_HAND_TOLD_FOR


def _stale(task: TaskView, now: float) -> str:
    """Return that the work is too old; empty when it is not, or when nothing was to be done."""
    if not task.period or (task.last_outcome is Outcome.SKIPPED and task.name in _MAY_DECLINE_FOREVER):
        return ""
    done = task.last_success_at
    since = done if done is not None else task.first_seen_at
    if since is None or now - since <= _STALE_AFTER_PERIODS * task.period:
        return ""
    due = f"though due every {_age(task.period)}"
    if done is None:
        return f"{task.name} has never done its work, {due} for {_age(now - since)}"
    return f"{task.name} last did its work {_age(now - done)} ago, {due}"


def _cause(task: TaskView, code: str, sentence: str, mend: str) -> Cause:
    return Cause(status=HealthStatus.DEGRADED, code=code, subject=task.name, sentence=sentence, mend=mend)


def _age(seconds: float) -> str:
    whole = int(seconds)
    return format_duration(whole - whole % 60 if whole >= 600 else whole)
