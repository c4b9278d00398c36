"""The words of admission: gates, verdicts, and the decision that lists them all."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from neo_core.ledger.models import Outcome, Trigger


class Gate(StrEnum):
    """One check before a start, in the order of evaluation."""

    CONFIGURED = "configured"
    PAUSE = "pause"
    SNOOZE = "snooze"
    DUE = "due"
    RUNNING = "running"
    DEPENDENCY = "dependency"
    BACKPRESSURE = "backpressure"
    LEASE = "lease"
    MEMORY_PRESSURE = "memory-pressure"
    MEMORY_FORECAST = "memory-forecast"


class Verdict(StrEnum):
    """What a gate says."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    BLOCK = "block"
    NOT_APPLICABLE = "n/a"


class Reason(StrEnum):
    """Why a start did not happen or a run did not complete, in upstream's words where upstream has one."""

    NOT_CONFIGURED = "not-configured"
    PAUSED = "paused"
    HEAVY_DEFERRED = "heavy-deferred"
    SNOOZED = "snoozed"
    NOT_DUE = "not-due"
    DISABLED = "disabled"
    OUTSIDE_WINDOW = "outside-window"
    ALREADY_RUNNING = "already-running"
    DEPENDENCY = "dependency-not-ready"
    BACKPRESSURE = "heavy-maintenance-backpressure"
    LEASE_HELD = "heavy-maintenance-lease-held"
    LEASE_ERROR = "heavy-maintenance-lease-acquire-error"
    MEMORY_PRESSURE = "memory-pressure"
    MEMORY_FORECAST = "memory-forecast"
    RUNNER_GONE = "runner-gone"
    NOT_STARTED = "not-started"
    SPAWN_ERROR = "spawn-error"
    LEDGER_ERROR = "ledger-error"
    CONFIGURATION = "configuration"
    EXIT_CODE = "exit-code"
    SIGNAL = "signal"
    OPERATOR = "operator"
    TIME_LIMIT = "time-limit"


class GateResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One gate's verdict: what it saw (``value``), against what (``limit``), and when it clears.

    ``reason``, ``outcome`` and ``sentence`` are set when it blocks; ``blocker`` and ``blocker_pid`` name who.
    """

    gate: Gate
    verdict: Verdict
    value: str = ""
    limit: str = ""
    clears_when: str = ""
    reason: str = ""
    outcome: Outcome | None = None
    sentence: str = ""
    blocker: str = ""
    blocker_pid: int | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a task may start now: every gate's result, in order, evaluated completely every time.

    ``retry`` is which retry of its turn the start is, 0 for the turn's first. ``patient`` says that whoever asked for
    it goes on trying while it is held back.
    """

    task: str
    at: float
    trigger: Trigger
    results: tuple[GateResult, ...]
    retry: int = 0
    patient: bool = False

    @property
    def blocking(self) -> GateResult | None:
        """The first gate that blocks; it names the outcome."""
        return next((result for result in self.results if result.verdict is Verdict.BLOCK), None)

    @property
    def may_start(self) -> bool:
        """Whether no gate blocks."""
        return self.blocking is None
