"""The schedule as it was at a moment, from the rows that the ledger kept of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from neo_core.ledger.models import PATIENCE_LASTS, Outcome, Run, Trigger
from neo_core.schedule.decision import Reason
from neo_core.snapshot import TaskState

if TYPE_CHECKING:
    from collections.abc import Iterable

# A start that goes on being held back is written down once a poll; so long after the last time it still waits.
_STILL_WAITS = 30.0
_ORDER = (TaskState.RUNNING, TaskState.WAITING, TaskState.IDLE)


class TaskThen(msgspec.Struct, frozen=True, kw_only=True):
    """One task at a moment. ``since`` is when its state began, in seconds since the epoch.

    ``row`` is the run that worked, or the start that was held back; ``last`` the run that had ended last by then.
    """

    task: str
    state: TaskState
    since: float | None = None
    row: Run | None = None
    last: Run | None = None


def schedule_at(rows: Iterable[Run], at: float) -> tuple[TaskThen, ...]:
    """Return every task of which ``rows`` tell something by ``at``: running first, then waiting, then by name."""
    by_task: dict[str, list[Run]] = {}
    for row in rows:
        if row.requested_at <= at:
            by_task.setdefault(row.task, []).append(row)
    found = [_task_at(task, told, at) for task, told in by_task.items()]
    return tuple(sorted(found, key=lambda one: (_ORDER.index(one.state), one.task)))


def _task_at(task: str, rows: list[Run], at: float) -> TaskThen:
    ended = [row for row in rows if row.started_at is not None and row.ended_at is not None and row.ended_at <= at]
    last = max(ended, key=lambda row: row.ended_at or 0.0, default=None)
    working = [row for row in rows if _works(row, at)]
    if working:
        run = max(working, key=lambda row: row.started_at or 0.0)
        return TaskThen(task=task, state=TaskState.RUNNING, since=run.started_at, row=run, last=last)
    begun = max((row.started_at or 0.0 for row in ended), default=0.0)
    given_up = max((row.last_at for row in rows if _is_given_up(row) and row.last_at <= at), default=0.0)
    held = [row for row in rows if _is_tried_again(row) and row.last_at >= begun]
    held = [row for row in held if not row.patient or row.last_at > given_up]
    held.sort(key=lambda row: row.last_at)
    waits = [row for row in held if at <= _tried_until(row)]
    if waits:
        since = _waits_since(held[: held.index(waits[-1]) + 1])
        return TaskThen(task=task, state=TaskState.WAITING, since=since, row=waits[-1], last=last)
    return TaskThen(task=task, state=TaskState.IDLE, since=last.ended_at if last else None, last=last)


def _is_tried_again(row: Run) -> bool:
    """Return whether somebody goes on trying what was held back: the schedule, or an operator's ``run --wait``."""
    held_back = row.prevented and row.outcome is not Outcome.CANCELLED and row.reason_code != Reason.NOT_CONFIGURED
    return held_back and (row.trigger is Trigger.SCHEDULED or row.patient)


def _is_given_up(row: Run) -> bool:
    """Return whether an operator stopped waiting by this row."""
    return row.prevented and row.outcome is Outcome.CANCELLED


def _tried_until(row: Run) -> float:
    return row.last_at + (PATIENCE_LASTS if row.patient else _STILL_WAITS)


def _works(row: Run, at: float) -> bool:
    return row.started_at is not None and row.started_at <= at and (row.ended_at is None or at < row.ended_at)


def _waits_since(held: list[Run]) -> float:
    """Return when the streak began that the last of these rows goes on with, whatever held it back before."""
    began = held[-1].requested_at
    for row in reversed(held[:-1]):
        if _tried_until(row) < began:
            break
        began = min(began, row.requested_at)
    return began
