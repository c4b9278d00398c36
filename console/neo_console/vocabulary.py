"""The word, the badge and the tone of every status code; no screen and no command spells one by hand.

Badge, word and colour go together, so that everything reads in monochrome too. Neither textual nor rich is imported.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from neo_core.ledger.models import ControlKind, LeaseRole, Outcome, ServiceState, Trigger
from neo_core.ledger.reliefs import ReliefKind, ReliefResult
from neo_core.memory.incidents import Phase
from neo_core.schedule.decision import Gate, GateResult, Reason, Verdict
from neo_core.snapshot import HealthStatus, LeaseLight, OrchestratorState, TaskState
from neo_core.snapshot_strays import StrayEnd, StrayKind


class Tone(StrEnum):
    """What a colour means. ``OK`` is only for what was verified; ``UNKNOWN`` is never dressed as good."""

    OK = "ok"
    RUN = "run"
    WAIT = "wait"
    FAIL = "fail"
    CALM = "calm"
    DIM = "dim"
    UNKNOWN = "unknown"
    PLAIN = "plain"


class Seen(StrEnum):
    """How much of a section can be trusted; the seven states of a panel."""

    LOADING = "loading"
    OK = "ok"
    EMPTY = "empty"
    STALE = "stale"
    UNREADABLE = "unreadable"
    MALFORMED = "malformed"
    UNKNOWN = "unknown"


class Term(NamedTuple):
    """How one code is shown: the badge is one cell wide."""

    word: str
    badge: str
    tone: Tone

    def __str__(self) -> str:
        return f"{self.badge} {self.word}"


_TERMS: dict[type[StrEnum], dict[StrEnum, Term]] = {
    Outcome: {
        Outcome.COMPLETED: Term("completed", "✓", Tone.OK),
        Outcome.FAILED: Term("failed", "✗", Tone.FAIL),
        Outcome.TIMED_OUT: Term("timed out", "◷", Tone.FAIL),
        Outcome.CANCELLED: Term("cancelled", "⊘", Tone.DIM),
        Outcome.DEFERRED: Term("deferred", "◐", Tone.CALM),
        Outcome.SKIPPED: Term("skipped", "○", Tone.DIM),
        Outcome.LOST: Term("lost", "!", Tone.FAIL),
    },
    Trigger: {
        Trigger.MANUAL: Term("manual", "▸", Tone.PLAIN),
        Trigger.SCHEDULED: Term("scheduled", "◷", Tone.PLAIN),
        Trigger.CASCADE: Term("cascade", "↳", Tone.PLAIN),
    },
    LeaseLight: {
        LeaseLight.FREE: Term("free", "○", Tone.OK),
        LeaseLight.HELD: Term("held", "●", Tone.RUN),
        LeaseLight.OVERDUE: Term("overdue", "◐", Tone.WAIT),
        LeaseLight.ORPHANED: Term("orphaned", "◍", Tone.FAIL),
        LeaseLight.STALE: Term("stale", "◌", Tone.WAIT),
        LeaseLight.BUSY: Term("busy", "…", Tone.WAIT),
        LeaseLight.MALFORMED: Term("malformed", "✗", Tone.FAIL),
        LeaseLight.UNREADABLE: Term("unreadable", "✗", Tone.FAIL),
        LeaseLight.UNKNOWN: Term("unknown", "?", Tone.UNKNOWN),
    },
    TaskState: {
        TaskState.NOT_CONFIGURED: Term("not configured", "–", Tone.DIM),
        TaskState.RUNNING: Term("running", "●", Tone.RUN),
        TaskState.PAUSED: Term("paused", "‖", Tone.CALM),
        TaskState.SNOOZED: Term("snoozed", "◑", Tone.CALM),
        TaskState.WAITING: Term("waiting", "◐", Tone.WAIT),
        TaskState.DUE: Term("due", "◔", Tone.WAIT),
        TaskState.IDLE: Term("idle", "○", Tone.PLAIN),
        TaskState.DISABLED: Term("only by hand", "⊘", Tone.DIM),
    },
    Verdict: {
        Verdict.PASS: Term("pass", "✓", Tone.OK),
        Verdict.BLOCK: Term("block", "✗", Tone.WAIT),
        Verdict.NOT_APPLICABLE: Term("n/a", "–", Tone.DIM),
    },
    Gate: {
        Gate.CONFIGURED: Term("configured", "▹", Tone.PLAIN),
        Gate.PAUSE: Term("operator pause", "▹", Tone.PLAIN),
        Gate.SNOOZE: Term("snooze", "▹", Tone.PLAIN),
        Gate.DUE: Term("due", "▹", Tone.PLAIN),
        Gate.RUNNING: Term("already running", "▹", Tone.PLAIN),
        Gate.DEPENDENCY: Term("services it needs", "▹", Tone.PLAIN),
        Gate.BACKPRESSURE: Term("other heavy run", "▹", Tone.PLAIN),
        Gate.LEASE: Term("lease", "▹", Tone.PLAIN),
        Gate.MEMORY_PRESSURE: Term("memory pressure", "▹", Tone.PLAIN),
        Gate.MEMORY_FORECAST: Term("memory forecast", "▹", Tone.PLAIN),
    },
    Reason: {
        Reason.NOT_CONFIGURED: Term("no command is configured", "–", Tone.DIM),
        Reason.PAUSED: Term("paused by an operator", "‖", Tone.CALM),
        Reason.HEAVY_DEFERRED: Term("everything heavy is deferred by an operator", "‖", Tone.CALM),
        Reason.SNOOZED: Term("snoozed by an operator", "◑", Tone.CALM),
        Reason.NOT_DUE: Term("not due yet", "○", Tone.DIM),
        Reason.DISABLED: Term("never starts by itself", "⊘", Tone.DIM),
        Reason.OUTSIDE_WINDOW: Term("outside its daily window", "○", Tone.DIM),
        Reason.ALREADY_RUNNING: Term("already running", "●", Tone.DIM),
        Reason.DEPENDENCY: Term("a service it needs is not up", "◐", Tone.CALM),
        Reason.BACKPRESSURE: Term("another heavy run is active", "◐", Tone.CALM),
        Reason.LEASE_HELD: Term("the lease is held", "◐", Tone.CALM),
        Reason.LEASE_ERROR: Term("the lease cannot be used", "✗", Tone.FAIL),
        Reason.MEMORY_PRESSURE: Term("the memory is under pressure", "◐", Tone.CALM),
        Reason.MEMORY_FORECAST: Term("it would probably not fit into memory", "◐", Tone.CALM),
        Reason.RUNNER_GONE: Term("its runner vanished", "!", Tone.FAIL),
        Reason.NOT_STARTED: Term("its runner did not start", "✗", Tone.FAIL),
        Reason.SPAWN_ERROR: Term("it could not be started", "✗", Tone.FAIL),
        Reason.LEDGER_ERROR: Term("the ledger cannot be used", "✗", Tone.FAIL),
        Reason.CONFIGURATION: Term("the configuration is wrong", "✗", Tone.FAIL),
        Reason.EXIT_CODE: Term("its command failed", "✗", Tone.FAIL),
        Reason.SIGNAL: Term("ended by a signal", "⊘", Tone.DIM),
        Reason.OPERATOR: Term("stopped by an operator", "⊘", Tone.DIM),
        Reason.TIME_LIMIT: Term("it reached its time limit", "◷", Tone.FAIL),
    },
    Phase: {
        Phase.UNKNOWN: Term("unknown", "?", Tone.UNKNOWN),
        Phase.NORMAL: Term("normal", "●", Tone.OK),
        Phase.ELEVATED: Term("elevated", "◐", Tone.WAIT),
        Phase.CRITICAL: Term("critical", "✗", Tone.FAIL),
        Phase.RECOVERING: Term("recovering", "◑", Tone.WAIT),
    },
    ControlKind: {
        ControlKind.SNOOZE: Term("snoozed", "◑", Tone.CALM),
        ControlKind.PAUSE: Term("paused every task", "‖", Tone.CALM),
        ControlKind.DEFER_HEAVY: Term("deferred everything heavy", "‖", Tone.CALM),
        ControlKind.STOP: Term("asked to stop", "⊘", Tone.DIM),
        ControlKind.SERVICE_START: Term("asked to start the service", "▸", Tone.PLAIN),
        ControlKind.SERVICE_STOP: Term("asked to stop the service", "⊘", Tone.DIM),
        ControlKind.SERVICE_RESTART: Term("asked to restart the service", "↻", Tone.PLAIN),
        ControlKind.ORCHESTRATOR_STOP: Term("asked the orchestrator to stop", "⊘", Tone.DIM),
        ControlKind.STRAY_STOP: Term("ended a stray", "⊘", Tone.DIM),
    },
    ReliefKind: {
        ReliefKind.DEFER_HEAVY: Term("defer everything heavy", "‖", Tone.CALM),
        ReliefKind.STRAY: Term("end stray", "◍", Tone.WAIT),
        ReliefKind.UNLOAD: Term("unload", "▿", Tone.PLAIN),
        ReliefKind.STOP: Term("stop", "⊘", Tone.WAIT),
    },
    ReliefResult: {
        ReliefResult.DONE: Term("done", "▸", Tone.PLAIN),
        ReliefResult.FAILED: Term("failed", "✗", Tone.FAIL),
        ReliefResult.UNKNOWN: Term("not known whether it happened", "?", Tone.UNKNOWN),
    },
    LeaseRole: {
        LeaseRole.HOLDER: Term("holder", "●", Tone.RUN),
        LeaseRole.BORROWER: Term("borrower", "↳", Tone.RUN),
        LeaseRole.NONE: Term("no lease", "○", Tone.DIM),
    },
    ServiceState: {
        ServiceState.STARTING: Term("starting", "◔", Tone.WAIT),
        ServiceState.RUNNING: Term("running", "●", Tone.OK),
        ServiceState.UNHEALTHY: Term("unhealthy", "◍", Tone.FAIL),
        ServiceState.BACKOFF: Term("backoff", "◌", Tone.WAIT),
        ServiceState.STOPPING: Term("stopping", "◑", Tone.WAIT),
        ServiceState.STOPPED: Term("stopped", "○", Tone.DIM),
        ServiceState.FATAL: Term("fatal", "✗", Tone.FAIL),
    },
    OrchestratorState: {
        OrchestratorState.RUNNING: Term("running", "●", Tone.OK),
        OrchestratorState.SILENT: Term("silent", "◌", Tone.FAIL),
        OrchestratorState.STOPPED: Term("stopped", "○", Tone.DIM),
        OrchestratorState.KILLED: Term("killed", "!", Tone.FAIL),
        OrchestratorState.CRASHED: Term("crashed", "✗", Tone.FAIL),
        OrchestratorState.UNKNOWN: Term("unknown", "?", Tone.UNKNOWN),
    },
    HealthStatus: {
        HealthStatus.HEALTHY: Term("healthy", "✓", Tone.OK),
        HealthStatus.DEGRADED: Term("degraded", "◐", Tone.WAIT),
        HealthStatus.UNHEALTHY: Term("unhealthy", "✗", Tone.FAIL),
        HealthStatus.UNKNOWN: Term("unknown", "?", Tone.UNKNOWN),
    },
    StrayKind: {
        StrayKind.RUN: Term("orphan of a run", "◍", Tone.WAIT),
        StrayKind.SERVICE: Term("orphan of a service", "◍", Tone.WAIT),
        StrayKind.SECOND: Term("second instance", "◍", Tone.FAIL),
        StrayKind.LEASE: Term("orphan of a script", "◍", Tone.FAIL),
        StrayKind.LISTENER: Term("foreign listener", "!", Tone.WAIT),
    },
    StrayEnd: {
        StrayEnd.ENDED: Term("ended when asked", "○", Tone.PLAIN),
        StrayEnd.KILLED: Term("killed", "⊘", Tone.WAIT),
        StrayEnd.SURVIVED: Term("survived", "✗", Tone.FAIL),
    },
    Seen: {
        Seen.LOADING: Term("loading", "…", Tone.UNKNOWN),
        Seen.OK: Term("ok", "✓", Tone.OK),
        Seen.EMPTY: Term("empty", "○", Tone.PLAIN),
        Seen.STALE: Term("stale", "◌", Tone.WAIT),
        Seen.UNREADABLE: Term("unreadable", "✗", Tone.FAIL),
        Seen.MALFORMED: Term("malformed", "✗", Tone.FAIL),
        Seen.UNKNOWN: Term("unknown", "?", Tone.UNKNOWN),
    },
}
VOCABULARIES: tuple[type[StrEnum], ...] = tuple(_TERMS)
LIVE = _TERMS[TaskState][TaskState.RUNNING]
STARVED = Term("starved", "▲", Tone.FAIL)
HEAVY_DEFERRED = Term("heavy deferred", "‖", Tone.CALM)
RETRY = Term("retry", "↻", Tone.WAIT)
COLLISION = Term("collision", "✗", Tone.FAIL)
CONFIG = Term("config", "✗", Tone.FAIL)
PAUSED = _TERMS[TaskState][TaskState.PAUSED]
UNDER_WAY = Term("under way", "…", Tone.WAIT)
HEAVY = Term("heavy", "‖", Tone.CALM)
_HEAVY_DEFERRAL = Term("heavy deferral", "▹", Tone.PLAIN)


def term(member: StrEnum) -> Term:
    """Return how that member of a vocabulary is shown."""
    return _TERMS[type(member)][member]


def gate_term(result: GateResult) -> Term:
    """Return how a gate is shown; an operator shuts one gate in two ways."""
    return _HEAVY_DEFERRAL if result.reason == Reason.HEAVY_DEFERRED else term(result.gate)


def words_of_all(*vocabularies: type[StrEnum]) -> set[str]:
    """Return every code of those vocabularies, and every word it is shown by."""
    terms = [pair for kind in vocabularies for pair in _TERMS[kind].items()]
    return {name for member, shown in terms for name in (member.value, shown.word)}


def outcome_term(outcome: Outcome | None) -> Term:
    """Return how an outcome is shown; a run that has none is running."""
    return LIVE if outcome is None else term(outcome)


def result_term(result: ReliefResult | None) -> Term:
    """Return how the result of a relief is shown; one that has none is being done."""
    return UNDER_WAY if result is None else term(result)


def reason_text(code: str) -> str:
    """Return the words of a reason code; a job's own code stands for itself."""
    try:
        return term(Reason(code)).word
    except ValueError:
        return code
