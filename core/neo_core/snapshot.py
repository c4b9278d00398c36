"""One immutable picture of everything, as of a moment; the console, ``status --json`` and health show only this.

Times are seconds since the epoch, memory is in bytes. Unknown is never shown as good: a section that could not be read
has no value and says why.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Generic, TypeVar

import msgspec

from neo_core.lease.words import MANUAL_REASON
from neo_core.ledger.models import Control, LeaseRole, Outcome, Run, ServiceState, Waiter
from neo_core.memory.incidents import Phase
from neo_core.schedule.decision import Decision
from neo_core.snapshot_strays import StraysView

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

    @property
    def by_hand(self) -> bool:
        """Whether the record gives upstream's reason for a start by hand."""
        return self.reason == MANUAL_REASON


class TaskView(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the schedule. ``every`` is in seconds, 0 for never by itself or by ``cron``.

    ``due_at`` is when the next scheduled start is due (``None``: never). A task waits only while somebody tries again
    by himself: the orchestrator at every poll (``retried``), or one of ``waiters``; ``waiting_since`` is since when.
    ``streak`` counts the deferrals of scheduled starts since it last really ran, ``deferral`` is the latest of any.
    ``starved`` says that it has waited longer than the configuration allows. ``failures`` counts the failed runs in a
    row, ``tries`` those of the latest turn, ``retry_at`` is when the next attempt comes ahead of its interval.
    ``period`` is the seconds between two scheduled starts (0: none), ``first_seen_at`` since when an orchestrator
    schedules it. ``prompted`` says that a trigger file starts it. ``grace`` is the seconds that its processes have to
    end when they are asked to.
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
    waiters: tuple[Waiter, ...] = ()
    retried: bool = False
    streak: int = 0
    deferral: Run | None = None
    starved: bool = False
    failures: int = 0
    tries: int = 0
    retry_at: float | None = None
    cron: str = ""
    period: float = 0.0
    first_seen_at: float | None = None
    prompted: bool = False
    grace: float = 10.0
    prompted_by: str = ""
    snoozed_until: float | None = None
    snoozed_because: str = ""
    running_run_id: str = ""
    last_outcome: Outcome | None = None
    last_reason: str = ""
    last_reason_code: str = ""
    last_at: float | None = None
    last_took: float | None = None
    last_success_at: float | None = None


class ScheduleView(msgspec.Struct, frozen=True, kw_only=True):
    """Every task, the pause that holds all of them, and what defers the heavy ones, if any."""

    tasks: tuple[TaskView, ...]
    pause: Control | None = None
    heavy_deferral: Control | None = None


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
    """The processes of one owner.

    ``kind`` is ``run``, ``service``, ``orchestrator``, ``orphans``, ``lease`` (a script's holder), ``console``, or of a
    stray what it is one by.

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
    """The machine's memory in bytes; ``pressure`` is PSI "some" over 10 s in percent. ``None`` is unknown.

    ``phase`` began at ``since``; ``signal`` had a ``value`` beyond its ``limit``. ``incident`` is the number of the one
    that is going on, 0 for none.
    """

    total: int | None = None
    available: int | None = None
    swap_used: int | None = None
    pressure: float | None = None
    phase: Phase = Phase.UNKNOWN
    since: float | None = None
    signal: str = ""
    value: str = ""
    limit: str = ""
    incident: int = 0


class ServiceView(msgspec.Struct, frozen=True, kw_only=True):
    """One service as its keeper wrote it down, corrected by what can be seen: a dead process is never *running*.

    ``kept`` is false while no orchestrator looks after it. ``sentence`` says what the state means and what comes next.
    ``since`` is when the state began, of an adopted process before it was adopted; ``None``: it was never started.
    ``restarts`` counts the starts after a fault, not those that an operator asked for.
    A good answer is written down at most once a minute: that at ``probed_at`` is not old for ``answer_lasts`` seconds.
    """

    name: str
    title: str
    state: ServiceState
    since: float | None
    wanted: bool
    kept: bool
    sentence: str
    command: str = ""
    endpoint: str = ""
    pid: int | None = None
    start_time: int | None = None
    started_at: float | None = None
    restarts: int = 0
    failures: int = 0
    next_start_at: float | None = None
    last_exit: str = ""
    probed_at: float | None = None
    answer_lasts: float = 90.0
    adopted: bool = False


class OrchestratorState(StrEnum):
    """The orchestrator in one word."""

    RUNNING = "running"
    SILENT = "silent"
    STOPPED = "stopped"
    KILLED = "killed"
    CRASHED = "crashed"
    UNKNOWN = "unknown"


class OrchestratorView(msgspec.Struct, frozen=True, kw_only=True):
    """The headless orchestrator. ``beat_at`` is its last poll; *silent* means alive, but without one for too long.

    ``config_error`` is why it goes on with an older configuration. ``ending`` is how its last life ended, ``mend`` the
    command for a state that should not stay.
    """

    state: OrchestratorState
    sentence: str
    mend: str = ""
    pid: int | None = None
    started_at: float | None = None
    beat_at: float | None = None
    ended_at: float | None = None
    ending: str = ""
    config_error: str = ""


class CollisionView(msgspec.Struct, frozen=True, kw_only=True):
    """Two heavy process trees that live at the same time; ``runs`` are their run ids, empty for a script's."""

    tasks: tuple[str, ...]
    runs: tuple[str, ...]
    pids: tuple[int, ...]
    sentence: str


class HealthStatus(StrEnum):
    """Everything in one word; what could not be read is ``unknown``, never healthy."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    UNKNOWN = "unknown"


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """One reason why the whole is not healthy: how bad, what it is about, what it is, and what mends it."""

    status: HealthStatus
    code: str
    subject: str
    sentence: str
    mend: str = ""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The verdict over a snapshot, with every cause, the worst first."""

    status: HealthStatus
    causes: tuple[Cause, ...] = ()


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a front end shows. ``read_only`` says why nothing can be changed; empty when it can.

    ``state_lost_at`` says when the state folder or its ledger was last found gone or replaced; 0 for never.
    ``config_error`` says why this is not what ``neo-console.toml`` asks for: an older configuration, or the defaults.
    """

    at: float
    workspace: str
    read_only: str
    lease: Section[LeaseView]
    schedule: Section[ScheduleView]
    outcomes: Section[tuple[Run, ...]]
    processes: Section[tuple[TreeView, ...]]
    memory: Section[MemoryView]
    services: Section[tuple[ServiceView, ...]] = Section(at=0.0)
    orchestrator: Section[OrchestratorView] = Section(at=0.0)
    collisions: Section[tuple[CollisionView, ...]] = Section(at=0.0)
    strays: Section[StraysView] = Section(at=0.0)
    config_error: str = ""
    state_lost_at: float = 0.0
