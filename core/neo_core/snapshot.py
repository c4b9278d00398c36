"""One immutable picture of everything, as of a moment; the console, ``status --json`` and health show only this.

Times are seconds since the epoch, memory is in bytes. Unknown is never shown as good: a section that could not be read
has no value and says why.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Generic, TypeVar

import msgspec

from neo_core.ledger.models import Control, LeaseRole, Outcome, Run
from neo_core.schedule.decision import Decision

T = TypeVar("T")


class Section(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One part of the picture: its value, the time it was true, and the error when it could not be read."""

    at: float
    value: T | None = None
    error: str = ""


class LeaseLight(StrEnum):
    """The lease in one word for the strip."""

    FREE = "free"
    HELD = "held"
    OVERDUE = "overdue"
    ORPHANED = "orphaned"
    STALE = "stale"
    BUSY = "busy"
    MALFORMED = "malformed"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"


class TaskState(StrEnum):
    """What a task is doing, in one word."""

    NOT_CONFIGURED = "not-configured"
    RUNNING = "running"
    PAUSED = "paused"
    SNOOZED = "snoozed"
    WAITING = "waiting"
    DUE = "due"
    IDLE = "idle"
    DISABLED = "disabled"


class CarrierView(msgspec.Struct, frozen=True, kw_only=True):
    """A living process of a run whose holder is gone; seen ``by`` its token or its descriptor."""

    pid: int
    command: str
    by: str


class LeaseView(msgspec.Struct, frozen=True, kw_only=True):
    """The lease as read. ``status`` and ``holder`` are the protocol's words; ``sentence`` says what it means now.

    ``borrowers`` are the run ids that inherited it.
    """

    light: LeaseLight
    status: str
    holder: str = ""
    owner: str = ""
    reason: str = ""
    pid: int | None = None
    task: str = ""
    run_id: str = ""
    token_prefix: str = ""
    generation: int = 0
    acquired_at: float | None = None
    renewed_at: float | None = None
    expires_at: float | None = None
    expired: bool = False
    carriers: tuple[CarrierView, ...] = ()
    borrowers: tuple[str, ...] = ()
    unreadable_environments: int = 0
    sentence: str = ""
    mend: str = ""


class TaskView(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the schedule. ``every`` is in seconds, 0 for never by itself.

    ``due_at`` is when the next scheduled start is due (``None``: never). ``waiting_since`` is set while the task is due
    but blocked, or while its last start was deferred; ``streak`` counts those deferrals since it last really ran.
    """

    name: str
    title: str
    heavy: bool
    every: float
    state: TaskState
    configured: bool
    missing_key: str
    decision: Decision
    due_at: float | None = None
    waiting_since: float | None = None
    streak: int = 0
    snoozed_until: float | None = None
    snoozed_because: str = ""
    running_run_id: str = ""
    last_outcome: Outcome | None = None
    last_reason: str = ""
    last_at: float | None = None
    last_took: float | None = None
    last_success_at: float | None = None


class ScheduleView(msgspec.Struct, frozen=True, kw_only=True):
    """Every task, and the pause that holds all of them, if any."""

    tasks: tuple[TaskView, ...]
    pause: Control | None = None


class ProcessView(msgspec.Struct, frozen=True, kw_only=True):
    """One process of a tree; ``cpu`` is percent of one core since the previous snapshot (``None``: not yet known)."""

    pid: int
    start_time: int
    depth: int
    name: str
    command: str
    rss: int
    pss: int | None = None
    cpu: float | None = None
    age: float | None = None


class TreeView(msgspec.Struct, frozen=True, kw_only=True):
    """The processes of one owner; ``kind`` is ``run``, ``orphans``, ``lease`` (a script's holder) or ``console``.

    ``memory`` sums PSS where it can be read, else RSS; ``exact`` says which.
    """

    owner: str
    kind: str
    run_id: str = ""
    role: LeaseRole = LeaseRole.NONE
    memory: int = 0
    exact: bool = False
    processes: tuple[ProcessView, ...] = ()


class MemoryView(msgspec.Struct, frozen=True, kw_only=True):
    """The machine's memory; ``pressure`` is PSI "some" over 10 s in percent, ``None`` where it cannot be read."""

    total: int
    available: int
    swap_used: int
    pressure: float | None = None


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a front end shows. ``read_only`` says why nothing can be changed; empty when it can."""

    at: float
    workspace: str
    read_only: str
    lease: Section[LeaseView]
    schedule: Section[ScheduleView]
    outcomes: Section[tuple[Run, ...]]
    processes: Section[tuple[TreeView, ...]]
    memory: Section[MemoryView]
