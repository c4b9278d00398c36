"""When a scheduled start is due: the interval counts from the last start, a deferral does not move it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neo_core.durations import Window
    from neo_core.profiles import Task


def next_due(task: Task, last_started_at: float | None) -> float | None:
    """Return when the task is next due, in seconds since the epoch; ``None`` when it never is by itself.

    A task that never ran is due at once, which is 0.
    """
    if task.every <= 0 or not task.configured:
        return None
    return 0.0 if last_started_at is None else last_started_at + task.every


def inside_window(window: Window | None, now: float) -> bool:
    """Return whether scheduled starts are allowed at this local time."""
    if window is None:
        return True
    local = time.localtime(now)
    return window.contains(local.tm_hour * 60 + local.tm_min)
