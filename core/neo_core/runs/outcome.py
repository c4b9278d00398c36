"""What a command's end means: its exit code, and what it said of itself in its last lines."""

from __future__ import annotations

import os
import re
import signal
from typing import TYPE_CHECKING

import msgspec

from neo_core.ledger.models import Outcome
from neo_core.schedule.decision import Reason

if TYPE_CHECKING:
    from pathlib import Path

_TAIL = 1_048_576
_LINES = 40
_TELLING = 10
_LONGEST = 500
_KEYS = frozenset({"deferred", "outcome", "skipped"})
_DEFERRED = "Deferred: heavy-maintenance lease held by "
_NOT_STARTED = re.compile(r"(deferred|skipped): (\S.* did not start: .+) \[([a-z0-9-]+)\]")  # neo-console run


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a run ended, ready for the ledger."""

    outcome: Outcome
    reason_code: str = ""
    reason: str = ""
    exit_code: int | None = None


def judge_exit(exit_code: int, log: Path, offset: int) -> Ending:
    """Return the ending of a command that ended by itself, from its exit code and its log after ``offset`` bytes.

    A child that reports a deferral and exits 0 is deferred, not completed (four days without an index, all green).
    """
    if exit_code < 0:
        name = signal.Signals(-exit_code).name if -exit_code in set(signal.Signals) else f"signal {-exit_code}"
        return Ending(
            outcome=Outcome.FAILED, reason_code=str(Reason.SIGNAL), reason=f"ended by {name}", exit_code=128 - exit_code
        )
    lines = _last_lines(log, offset)
    if exit_code > 0:
        said = next((line for line in reversed(lines) if line.strip()), "")
        reason = f"exit code {exit_code}: {said}" if said else f"exit code {exit_code}"
        return Ending(
            outcome=Outcome.FAILED, reason_code=str(Reason.EXIT_CODE), reason=reason[:_LONGEST], exit_code=exit_code
        )
    return _told(lines) or Ending(outcome=Outcome.COMPLETED, exit_code=0)


def _told(lines: list[str]) -> Ending | None:
    """Return what the job says of itself: the last telling line among the last few.

    Stderr shares the log, so a few lines may follow the last one of stdout.
    """
    for line in reversed(lines[-_TELLING:]):
        if _DEFERRED in line:
            reason = line[line.index(_DEFERRED) :].strip()
            return Ending(
                outcome=Outcome.DEFERRED, reason_code=str(Reason.LEASE_HELD), reason=reason[:_LONGEST], exit_code=0
            )
        if put_off := _NOT_STARTED.fullmatch(line):
            outcome, reason, code = put_off.groups()
            return Ending(outcome=Outcome(outcome), reason_code=code, reason=reason[:_LONGEST], exit_code=0)
        told = _json_object(line)
        if told is not None and not _KEYS.isdisjoint(told):
            return _ending(told)
    return None


def _ending(told: dict[str, object]) -> Ending:
    code, reason = _text(told.get("reasonCode")), _text(told.get("reason")) or _text(told.get("summary"))
    if told.get("deferred") is True or told.get("outcome") == "deferred":
        outcome, code = Outcome.DEFERRED, code or str(Reason.LEASE_HELD)
    elif told.get("skipped") is True or told.get("outcome") == "skipped":
        outcome = Outcome.SKIPPED
    else:
        outcome = Outcome.COMPLETED
    return Ending(outcome=outcome, reason_code=code, reason=reason[:_LONGEST], exit_code=0)


def _json_object(line: str) -> dict[str, object] | None:
    if not line.startswith("{"):
        return None
    try:
        return msgspec.json.decode(line, type=dict[str, object])
    except (msgspec.DecodeError, RecursionError):
        return None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _last_lines(log: Path, offset: int) -> list[str]:
    """Return the last lines that the command wrote; those of its runner are left out."""
    try:
        with log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(offset, end - _TAIL))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return []
    mine = f"[PID:{os.getpid()}] ["
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not (line.startswith("[") and mine in line)][-_LINES:]
