"""When a scheduled start is due: counted from the last start, so that a deferral does not move it.

A start that was missed for hours is due once, because only the last start counts and not the fires since then.
"""

from __future__ import annotations

import time
import zlib
from typing import TYPE_CHECKING

import msgspec

from neo_core.cron import next_fire

if TYPE_CHECKING:
    from neo_core.durations import Window
    from neo_core.profiles import Task


# A last start that lies further ahead than this, in seconds, was written before the clock was set back.
_SKEW = 3600.0


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a task's past; times in seconds since the epoch.

    ``tries`` counts the failed starts of the latest turn, ``last_ended_at`` is the end of the latest start.
    ``first_seen_at`` is when the task was first scheduled at all, from which a cron expression counts that never came.
    ``prompted_at`` is when a trigger file asked for it since its last start, ``prompted_by`` what that was.
    ``put_off_at`` is when its latest run ended by deferring itself, which is no start but not to be repeated at once.
    """

    last_started_at: float | None = None
    last_ended_at: float | None = None
    tries: int = 0
    first_seen_at: float | None = None
    prompted_at: float | None = None
    prompted_by: str = ""
    put_off_at: float | None = None


def next_due(task: Task, past: Past, now: float) -> float | None:
    """Return when the task is next due, in seconds since the epoch; ``None`` when it never is by itself.

    A task with an interval that never ran is due at once, which is 0. One whose last start lies far in the future is
    due now: the clock was set back, and nobody waits for it to catch up.
    """
    if not task.configured:
        return None
    times = [at for at in (_regular(task, past, now), _again(task, past), past.prompted_at) if at is not None]
    if not times:
        return None
    put_off = past.put_off_at
    if put_off is None or put_off - now > _SKEW:
        return min(times)
    return max(min(times), put_off + _spacing(task))


def retry_at(task: Task, past: Past) -> float | None:
    """Return when a failed run is tried again ahead of its interval; ``None`` when it is not.

    Every turn, which is a start that was due, prompted or asked for, has all its retries.
    """
    if not 0 < past.tries <= task.retries or past.last_ended_at is None:
        return None
    spacing = task.retry_after * 2.0 ** min(past.tries - 1, 20)
    return past.last_ended_at + spacing


def which_retry(task: Task, past: Past, now: float) -> int:
    """Return which retry of its turn a scheduled start is now; 0 when it begins a turn, for which it is due anyway."""
    again = _again(task, past)
    anyway = [at for at in (_regular(task, past, now), past.prompted_at) if at is not None and at <= now]
    return past.tries if again is not None and again <= now and not anyway else 0


def inside_window(window: Window | None, now: float) -> bool:
    """Return whether scheduled starts are allowed at this local time."""
    if window is None:
        return True
    local = time.localtime(now)
    return window.contains(local.tm_hour * 60 + local.tm_min)


def period(task: Task, past: Past, now: float) -> float:
    """Return the seconds between two starts, against which lateness is measured; never 0."""
    if task.every > 0:
        return task.every
    if task.cron:
        fire = next_fire(task.cron, now if past.last_started_at is None else past.last_started_at)
        return max(60.0, next_fire(task.cron, fire) - fire)
    return 3600.0


def due_for(task: Task, past: Past, now: float) -> float:
    """Return for how many seconds the task has been due; a task that never ran counts from when it was first seen."""
    due = next_due(task, past, now)
    if due is None or due > now:
        return 0.0
    return now - (due or past.first_seen_at or now)


def _regular(task: Task, past: Past, now: float) -> float | None:
    started = past.last_started_at
    if not task.cron and task.every <= 0:
        return None
    if started is not None and started - now > max(task.every, _SKEW):
        return now
    if task.cron:
        anchor = started if started is not None else past.first_seen_at
        return next_fire(task.cron, now if anchor is None else anchor) + _jitter(task, anchor)
    return 0.0 if started is None else started + task.every + _jitter(task, started)


def _spacing(task: Task) -> float:
    """Return the seconds that a task which deferred itself is left alone."""
    return min(task.every, task.retry_after) if task.every > 0 else task.retry_after


def _again(task: Task, past: Past) -> float | None:
    scheduled = task.cron or task.every > 0
    return retry_at(task, past) if scheduled else None


def _jitter(task: Task, anchor: float | None) -> float:
    """Return this start's part of the jitter: the same for everybody who asks, another one after each start."""
    if task.jitter <= 0:
        return 0.0
    return task.jitter * zlib.crc32(f"{task.name} {anchor}".encode()) / 2**32
