"""What asks for a start ahead of its time: trigger files that are newer than the task's last start."""

from __future__ import annotations

import os
from glob import iglob
from typing import TYPE_CHECKING

from neo_core.ledger.models import Outcome
from neo_core.schedule.due import Past

if TYPE_CHECKING:
    from neo_core.ledger.records import TaskRecord
    from neo_core.profiles import Task


def past_of(task: Task, record: TaskRecord, first_seen: float | None) -> Past:
    """Return the task's past as the due rules need it; reads the trigger files, if the task has any."""
    begun = record.last_tried or record.last_started
    since = None if begun is None else begun.requested_at if begun.started_at is None else begun.started_at
    prompted_at, prompted_by = _prompt(task, since or 0.0)
    return Past(
        last_started_at=since,
        last_ended_at=begun.ended_at if begun else None,
        tries=record.tries,
        first_seen_at=first_seen,
        prompted_at=prompted_at,
        prompted_by=prompted_by,
        put_off_at=_put_off(record),
    )


def _put_off(record: TaskRecord) -> float | None:
    """Return when the task's latest run ended by deferring itself; ``None`` when it did not."""
    last = record.last
    if last is None or last.started_at is None or last.outcome is not Outcome.DEFERRED:
        return None
    return last.last_at


def _prompt(task: Task, since: float) -> tuple[float | None, str]:
    """Return since when a trigger asks for a start, and which one."""
    if task.trigger_file:
        changed = _changed(task.trigger_file)
        if changed is not None and changed > since:
            return changed, task.trigger_file
    if task.trigger_glob:
        paths = iglob(task.trigger_glob, recursive=True)  # noqa: PTH207 - an absolute pattern, plain strings out
        found = sorted(at for path in paths if (at := _changed(path) or 0.0) > since)
        if len(found) >= task.trigger_count:
            return found[task.trigger_count - 1], f"{len(found)} unread in {task.trigger_glob}"
    return None, ""


def _changed(path: str) -> float | None:
    """Return when a file was last written; ``None`` when there is none that can be asked."""
    try:
        return os.stat(path).st_mtime  # noqa: PTH116 - asked at every poll
    except OSError:
        return None
