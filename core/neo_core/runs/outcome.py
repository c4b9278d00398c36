"""What a command's end means: its exit code, and what it said of itself in its last lines."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import msgspec

from neo_core.ledger.models import Outcome
from neo_core.schedule.decision import Reason

if TYPE_CHECKING:
    from pathlib import Path

_TAIL = 65_536
_LINES = 40
_DEFERRED = "Deferred: heavy-maintenance lease held by "


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended, ready for the ledger."""

    outcome: Outcome
    reason_code: str = ""
    reason: str = ""
    exit_code: int | None = None


class _Told(msgspec.Struct, frozen=True, rename="camel"):
    """The JSON object that a job may print as its last line of stdout; unknown fields are its own business."""

    outcome: str = ""
    deferred: bool = False
    skipped: bool = False
    reason_code: str = ""
    reason: str = ""
    summary: str = ""


def judge_exit(exit_code: int, log: Path, offset: int) -> Ending:
    """Return the ending of a command that ended by itself, from its exit code and its log after ``offset`` bytes.

    A child that reports a deferral and exits 0 is deferred, not completed (four days without an index, all green).
    """
    if exit_code < 0:
        name = signal.Signals(-exit_code).name if -exit_code in set(signal.Signals) else f"signal {-exit_code}"
        return Ending(
            outcome=Outcome.FAILED, reason_code="signal", reason=f"ended by {name}", exit_code=128 - exit_code
        )
    lines = _last_lines(log, offset)
    if exit_code > 0:
        said = next((line for line in reversed(lines) if line.strip()), "")
        reason = f"exit code {exit_code}: {said}" if said else f"exit code {exit_code}"
        return Ending(outcome=Outcome.FAILED, reason_code="exit-code", reason=reason[:500], exit_code=exit_code)
    return _told(lines) or _deferral_line(lines) or Ending(outcome=Outcome.COMPLETED, exit_code=0)


def _told(lines: list[str]) -> Ending | None:
    """Read the last JSON object among the last lines; stderr shares the log, so lines may follow it."""
    for line in reversed(lines):
        if not line.startswith("{"):
            continue
        try:
            told = msgspec.json.decode(line, type=_Told)
        except msgspec.DecodeError:
            continue
        reason = told.reason or told.summary
        if told.deferred or told.outcome == "deferred":
            code = told.reason_code or str(Reason.LEASE_HELD)
            return Ending(outcome=Outcome.DEFERRED, reason_code=code, reason=reason, exit_code=0)
        if told.skipped or told.outcome == "skipped":
            return Ending(outcome=Outcome.SKIPPED, reason_code=told.reason_code, reason=reason, exit_code=0)
        return Ending(outcome=Outcome.COMPLETED, reason_code=told.reason_code, reason=reason, exit_code=0)
    return None


def _deferral_line(lines: list[str]) -> Ending | None:
    for line in reversed(lines):
        if _DEFERRED in line:
            return Ending(
                outcome=Outcome.DEFERRED,
                reason_code=str(Reason.LEASE_HELD),
                reason=line[line.index(_DEFERRED) :].strip(),
                exit_code=0,
            )
    return None


def _last_lines(log: Path, offset: int) -> list[str]:
    try:
        with log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(offset, end - _TAIL))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    return [line.rstrip() for line in text.splitlines()[-_LINES:]]
