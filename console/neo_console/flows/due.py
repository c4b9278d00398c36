"""What an orchestrator would start next, as previews say it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.format import countdown_brief, plain
from neo_core.snapshot import TaskState

if TYPE_CHECKING:
    from neo_console.picture import Picture
    from neo_core.snapshot import TaskView

_MOST = 3


def due_now(picture: Picture, now: float) -> str:
    """Return the names of the tasks that are due, as a list; empty when none is."""
    return ", ".join(plain(task.name) for task in _tasks(picture, now) if _due(task, now))


def due_next(picture: Picture, now: float) -> str:
    """Return the tasks that become due next, with their times; empty when none ever does."""
    due = [(task.due_at, plain(task.name)) for task in _tasks(picture, now) if task.due_at is not None]
    coming = [(at, name) for at, name in due if at > now]
    return ", ".join(f"{name} {countdown_brief(at, now)}" for at, name in sorted(coming)[:_MOST])


def _tasks(picture: Picture, now: float) -> list[TaskView]:
    schedule = picture.schedule(now).value
    return [task for task in schedule.tasks if task.configured] if schedule else []


def _due(task: TaskView, now: float) -> bool:
    waits = task.state in (TaskState.DUE, TaskState.WAITING, TaskState.PAUSED)
    return waits and task.due_at is not None and task.due_at <= now
