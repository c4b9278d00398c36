"""What a row stands for, by identity and never by its position; keys act on subjects."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What kind of thing a row is."""

    TASK = "task"
    RUN = "run"
    TREE = "tree"
    PROCESS = "process"
    SERVICE = "service"
    INCIDENT = "incident"
    RELIEF = "relief"
    MORE = "more"


class Subject(NamedTuple):
    """One selectable thing. ``key`` is unique among the rows of its panel and survives a refresh.

    ``task``, ``run_id`` and ``service`` say what it belongs to, as far as that is known; ``stray`` is the root (pid
    and start time) of the stray tree that it is part of.
    """

    kind: Kind
    key: str
    label: str
    task: str = ""
    run_id: str = ""
    pid: int | None = None
    start_time: int | None = None
    service: str = ""
    stray: tuple[int, int] | None = None


def task_subject(name: str, running_run_id: str = "") -> Subject:
    """Return the subject of a task in the schedule."""
    return Subject(Kind.TASK, name, name, task=name, run_id=running_run_id)


def run_subject(run_id: str, task: str) -> Subject:
    """Return the subject of an outcome."""
    return Subject(Kind.RUN, run_id, f"{task} {run_id[:8]}", task=task, run_id=run_id)


def service_subject(name: str) -> Subject:
    """Return the subject of a service."""
    return Subject(Kind.SERVICE, name, name, service=name)


def incident_subject(number: int) -> Subject:
    """Return the subject of a memory incident."""
    return Subject(Kind.INCIDENT, str(number), f"incident {number}")


def relief_subject(key: str, label: str) -> Subject:
    """Return the subject of something that can be done about the memory."""
    return Subject(Kind.RELIEF, key, label)


def more_subject(before: str) -> Subject:
    """Return the subject of the row that loads what is older than the run ``before``; another page is another row."""
    return Subject(Kind.MORE, f"older than {before}", "the row “older…”")
