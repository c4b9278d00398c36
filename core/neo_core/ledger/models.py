"""The rows of the ledger as frozen structs, and their closed vocabularies. Times are seconds since the epoch."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from neo_core.processes.source import ProcessIdentity


class Outcome(StrEnum):
    """How a run or an attempted start ended."""

    COMPLETED = "completed"
    FAILED = "failed"
    TIMED_OUT = "timed-out"
    CANCELLED = "cancelled"
    DEFERRED = "deferred"
    SKIPPED = "skipped"
    LOST = "lost"


class Trigger(StrEnum):
    """Who asked for a start."""

    MANUAL = "manual"
    SCHEDULED = "scheduled"
    CASCADE = "cascade"


class LeaseRole(StrEnum):
    """How a run relates to the lease."""

    HOLDER = "holder"
    BORROWER = "borrower"
    NONE = "none"


PATIENCE_TOLD_EVERY = 5.0  # seconds: so often a row says that its start is still tried
PATIENCE_LASTS = 2 * PATIENCE_TOLD_EVERY


class ControlKind(StrEnum):
    """What an operator commands by a row."""

    SNOOZE = "snooze"
    PAUSE = "pause"
    DEFER_HEAVY = "defer-heavy"
    STOP = "stop"
    SERVICE_START = "service-start"
    SERVICE_STOP = "service-stop"
    SERVICE_RESTART = "service-restart"
    ORCHESTRATOR_STOP = "orchestrator-stop"
    STRAY_STOP = "stray-stop"


SERVICE_CONTROLS = (ControlKind.SERVICE_START, ControlKind.SERVICE_STOP, ControlKind.SERVICE_RESTART)


class _Asked(msgspec.Struct):
    """What of a start's decision tells how it was asked for."""

    patient: bool = False


_ASKED = msgspec.json.Decoder(_Asked)


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One start of a task, or a start that was prevented.

    A live run has no ``outcome``. A deferral that repeats is one row: ``count`` attempts from ``requested_at`` to
    ``last_at``. ``peak_memory`` is in bytes, the largest sampled sum over the run's tree. ``decision`` is the JSON of
    the decision at that time. ``warning`` says what was odd about a run that went on (a lost inheritance, a collision).
    """

    run_id: str
    task: str
    heavy: bool
    trigger: Trigger
    requested_at: float
    last_at: float
    parent_run_id: str = ""
    requested_by: str = ""
    started_at: float | None = None
    ended_at: float | None = None
    outcome: Outcome | None = None
    reason_code: str = ""
    reason: str = ""
    blocker: str = ""
    blocker_pid: int | None = None
    count: int = 1
    exit_code: int | None = None
    runner_pid: int | None = None
    runner_start: int | None = None
    boot_id: str = ""
    pid_namespace: str = ""
    child_pid: int | None = None
    child_start: int | None = None
    lease_role: LeaseRole = LeaseRole.NONE
    generation: int = 0
    peak_memory: int | None = None
    warning: str = ""
    command: str = ""
    decision: str = ""

    @property
    def live(self) -> bool:
        """Whether the run has not ended, as far as the ledger knows."""
        return self.outcome is None

    @property
    def prevented(self) -> bool:
        """Whether it is a start that did not happen."""
        return self.started_at is None and self.outcome is not None

    @property
    def patient(self) -> bool:
        """Whether whoever asked for it went on trying while it was held back, up to ``last_at``."""
        try:
            return _ASKED.decode(self.decision).patient
        except msgspec.DecodeError:  # a row without a decision
            return False

    @property
    def took(self) -> float | None:
        """Seconds from start to end; ``None`` for what never started or has not ended."""
        if self.started_at is None or self.ended_at is None:
            return None
        return max(0.0, self.ended_at - self.started_at)

    @property
    def runner(self) -> ProcessIdentity | None:
        """The runner process, once it claimed the run."""
        if self.runner_pid is None or self.runner_start is None:
            return None
        return ProcessIdentity(self.runner_pid, self.runner_start, self.boot_id)


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended, as it is committed; the fields mean what they mean in ``Run``."""

    at: float
    outcome: Outcome
    reason_code: str = ""
    reason: str = ""
    exit_code: int | None = None
    peak_memory: int | None = None
    blocker: str = ""
    blocker_pid: int | None = None


class Control(msgspec.Struct, frozen=True, kw_only=True):
    """One command of an operator: what holds starts back is in force until ``until``, the others until acknowledged.

    ``target`` is a task for a snooze, a run id for a stop, a service for what concerns one, pid and start time for a
    stray, whose ``because`` also tells what became of it; it is empty for a pause, for what defers everything heavy,
    and for the orchestrator.
    """

    control_id: int
    kind: ControlKind
    target: str
    created_at: float
    until: float | None = None
    because: str = ""
    force: bool = False
    requested_by: str = ""
    acknowledged_at: float | None = None


class Waiter(msgspec.Struct, frozen=True, kw_only=True):
    """A process that waits until a start of ``task`` is admitted, and then starts it: ``run --wait``.

    ``since`` is when it began to wait, ``until`` when it gives up (``None``: never).
    """

    waiter_id: str
    task: str
    heavy: bool
    since: float
    pid: int
    start_time: int
    until: float | None = None
    boot_id: str = ""
    pid_namespace: str = ""
    requested_by: str = ""

    @property
    def process(self) -> ProcessIdentity:
        """The process that waits."""
        return ProcessIdentity(self.pid, self.start_time, self.boot_id)


class LeaseEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to the lease while a run of ours was concerned; the token only by its first part."""

    at: float
    event: str
    owner: str
    token_prefix: str
    generation: int
    run_id: str
    pid: int
    detail: str = ""


class ServiceState(StrEnum):
    """What a service is doing, after supervisor's model."""

    STARTING = "starting"
    RUNNING = "running"
    UNHEALTHY = "unhealthy"
    BACKOFF = "backoff"
    STOPPING = "stopping"
    STOPPED = "stopped"
    FATAL = "fatal"


class ServiceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A service as its keeper wrote it down last; the row outlives the keeper, so that the next one can adopt.

    ``wanted`` is the operator's will. ``instance`` is the marker in the environment of the process that was started
    last, written before the start; ``pid`` follows when it is known. ``failures`` counts faults in a row, ``restarts``
    the starts after a fault (earlier versions counted every one but the first). ``since`` is when ``state`` began, of
    an adopted process before it was adopted; ``next_start_at`` is when a *backoff* ends.
    """

    name: str
    state: ServiceState
    since: float
    wanted: bool = True
    reason: str = ""
    instance: str = ""
    pid: int | None = None
    start_time: int | None = None
    boot_id: str = ""
    started_at: float | None = None
    restarts: int = 0
    failures: int = 0
    next_start_at: float | None = None
    last_exit: str = ""
    probed_at: float | None = None
    adopted: bool = False

    @property
    def process(self) -> ProcessIdentity | None:
        """The service's process, once it is known."""
        if self.pid is None or self.start_time is None:
            return None
        return ProcessIdentity(self.pid, self.start_time, self.boot_id)


class ServiceEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One change of a service's state."""

    at: float
    service: str
    state: ServiceState
    reason: str = ""
    pid: int | None = None


class OrchestratorRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One life of the orchestrator. ``ending`` says how it ended, empty while it lives or when it was killed.

    ``configured_at`` is when its configuration was read last, ``config_error`` why a newer one was refused.
    """

    orchestrator_id: int
    pid: int
    start_time: int
    boot_id: str
    started_at: float
    configured_at: float
    ended_at: float | None = None
    ending: str = ""
    config_error: str = ""

    @property
    def process(self) -> ProcessIdentity:
        """The orchestrator's process."""
        return ProcessIdentity(self.pid, self.start_time, self.boot_id)
