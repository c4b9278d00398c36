"""Memory incidents: a pure state machine over readings, with hysteresis. It says what coincided, never what caused."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from neo_core.memory.reading import Reading


class Phase(StrEnum):
    """How the memory does."""

    UNKNOWN = "unknown"
    NORMAL = "normal"
    ELEVATED = "elevated"
    CRITICAL = "critical"
    RECOVERING = "recovering"


class Thresholds(msgspec.Struct, frozen=True, kw_only=True):
    """Where the phases begin: pressure stalls in percent of time over 10 s, available memory in percent of all.

    ``full_for``, ``calm_for`` and ``wake_grace`` are in seconds. A sample gap longer than ``gap`` is a sleep of the
    machine, after which nothing is judged for ``wake_grace``.
    """

    elevated_some: float = 10.0
    critical_full: float = 5.0
    critical_available: float = 10.0
    full_for: float = 10.0
    calm_for: float = 60.0
    wake_grace: float = 30.0
    gap: float = 60.0


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What one reading says by itself. ``value`` and ``limit`` are those of the signal that decided, for a reader."""

    phase: Phase
    signal: str = ""
    value: str = ""
    limit: str = ""


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """The state between two readings. Times are the readings' own; ``began`` is set while an incident is open.

    ``calm_since`` is when calm began, ``full_since`` when everybody began to wait; ``quiet_until`` ends the grace
    after a sleep of the machine. ``since`` is when ``phase`` began, ``judgement`` what put it there.
    """

    phase: Phase = Phase.UNKNOWN
    since: float | None = None
    began: float | None = None
    judgement: Judgement = Judgement(phase=Phase.UNKNOWN)
    last_at: float | None = None
    full_since: float | None = None
    calm_since: float | None = None
    quiet_until: float | None = None

    @property
    def open(self) -> bool:
        """Whether an incident is going on."""
        return self.began is not None

    @property
    def holds_back(self) -> bool:
        """Whether heavy work must not start now."""
        return self.phase in (Phase.ELEVATED, Phase.CRITICAL, Phase.RECOVERING)


def advance(watch: Watch, reading: Reading, limits: Thresholds) -> Watch:
    """Return the state after one more reading; the readings come in the order of their times."""
    watch = _woken(watch, reading, limits)
    full_since = _full_since(watch, reading, limits)
    judged = judge(reading, limits, full_for=0.0 if full_since is None else reading.at - full_since)
    watch = msgspec.structs.replace(watch, last_at=reading.at, full_since=full_since)
    if watch.quiet_until is not None and reading.at < watch.quiet_until:
        return watch
    if judged.phase is Phase.UNKNOWN:
        return watch if watch.open else _enter(watch, judged, reading.at)
    if judged.phase is Phase.NORMAL:
        return _calmer(watch, judged, reading.at, limits)
    return _tenser(watch, judged, reading.at)


def judge(reading: Reading, limits: Thresholds, *, full_for: float) -> Judgement:
    """Return what a reading says by itself; ``full_for`` is for how many seconds everybody has waited too much."""
    for judgement in (_critical(reading, limits, full_for), _elevated(reading, limits)):
        if judgement is not None:
            return judgement
    known = reading.some is not None or reading.level is not None or reading.free_share is not None
    return Judgement(phase=Phase.NORMAL if known else Phase.UNKNOWN)


def _critical(reading: Reading, limits: Thresholds, full_for: float) -> Judgement | None:
    share = reading.free_share
    if share is not None and share < limits.critical_available:
        return _judgement(Phase.CRITICAL, "available", f"{share:.1f} %", f"{limits.critical_available:g} %")
    if reading.full is not None and full_for >= limits.full_for:
        value = f"{reading.full.avg10:.1f} % for {full_for:.0f} s"
        limit = f"{limits.critical_full:g} % for {limits.full_for:g} s"
        return _judgement(Phase.CRITICAL, "full avg10", value, limit)
    if reading.level == 4:
        return _judgement(Phase.CRITICAL, "pressure level", "critical", "normal")
    return None


def _elevated(reading: Reading, limits: Thresholds) -> Judgement | None:
    if reading.some is not None and reading.some.avg10 > limits.elevated_some:
        return _judgement(Phase.ELEVATED, "some avg10", f"{reading.some.avg10:.1f} %", f"{limits.elevated_some:g} %")
    if reading.level == 2:
        return _judgement(Phase.ELEVATED, "pressure level", "warning", "normal")
    return None


def _judgement(phase: Phase, signal: str, value: str, limit: str) -> Judgement:
    return Judgement(phase=phase, signal=signal, value=value, limit=limit)


def _woken(watch: Watch, reading: Reading, limits: Thresholds) -> Watch:
    """Begin the grace after a gap in which the machine slept: its averages tell of the waking, not of pressure."""
    if watch.last_at is None or reading.at - watch.last_at <= limits.gap:
        return watch
    return msgspec.structs.replace(watch, quiet_until=reading.at + limits.wake_grace, full_since=None, calm_since=None)


def _full_since(watch: Watch, reading: Reading, limits: Thresholds) -> float | None:
    if reading.full is None or reading.full.avg10 <= limits.critical_full:
        return None
    return reading.at if watch.full_since is None else watch.full_since


def _tenser(watch: Watch, judged: Judgement, at: float) -> Watch:
    began = at if watch.began is None else watch.began
    return msgspec.structs.replace(_enter(watch, judged, at), began=began, calm_since=None)


def _calmer(watch: Watch, judged: Judgement, at: float, limits: Thresholds) -> Watch:
    if not watch.open:
        return _enter(watch, judged, at)
    calm_since = at if watch.calm_since is None else watch.calm_since
    if at - calm_since >= limits.calm_for:
        return msgspec.structs.replace(_enter(watch, judged, at), began=None, calm_since=None)
    recovering = msgspec.structs.replace(watch.judgement, phase=Phase.RECOVERING)
    return msgspec.structs.replace(_enter(watch, recovering, at), calm_since=calm_since)


def _enter(watch: Watch, judged: Judgement, at: float) -> Watch:
    since = watch.since if watch.phase is judged.phase and watch.since is not None else at
    return msgspec.structs.replace(watch, phase=judged.phase, since=since, judgement=judged)
