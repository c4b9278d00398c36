"""Runs whose runner is gone without a word: found by any later reader, and said.

An outcome that the ledger would not take stands beside the run's log, and is taken over from there.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from neo_core.ledger.models import Finished, Outcome, Run
from neo_core.processes.source import is_alive
from neo_core.schedule.decision import Reason

if TYPE_CHECKING:
    from pathlib import Path

    from neo_core.clock import Clock
    from neo_core.ledger.store import Ledger
    from neo_core.processes.source import ProcessSource

UNCLAIMED_FOR = 60.0


def is_lost(run: Run, source: ProcessSource, now: float) -> bool:
    """Return whether a live row's runner is proven gone, or never came within a minute of the request.

    A runner of another pid namespace (a container on the same folder) cannot be judged from here.
    """
    if not run.live:
        return False
    runner = run.runner
    if runner is None:
        return abs(now - run.requested_at) > UNCLAIMED_FOR
    elsewhere = run.pid_namespace != "" and run.pid_namespace != source.pid_namespace()
    if elsewhere and runner.boot_id == source.boot_id():
        return False
    return not is_alive(runner, source)


def mark_lost_runs(ledger: Ledger, logs: Path, source: ProcessSource, clock: Clock) -> list[Run]:
    """Give every run without a runner its outcome and return them; a run that ended meanwhile keeps its own."""
    lost = [run for run in ledger.runs.live() if is_lost(run, source, clock.now())]
    for run in lost:
        ending = _read_aside(logs, run.run_id) or lost_ending(run, clock.now())
        ledger.runs.finish(run.run_id, ending)
        drop_aside(logs, run.run_id)
    return lost


def lost_ending(run: Run, now: float) -> Finished:
    """Return the outcome of a lost run."""
    if run.runner is None:
        code, reason = Reason.NOT_STARTED, "its runner never started"
    else:
        code = Reason.RUNNER_GONE
        reason = f"its runner (pid {run.runner_pid}) ended without a word; see the log for how far it came"
    return Finished(at=now, outcome=Outcome.LOST, reason_code=str(code), reason=reason)


def as_seen(run: Run, source: ProcessSource, now: float) -> Run:
    """Show a lost run as lost also where the ledger cannot be written."""
    if not is_lost(run, source, now):
        return run
    ending = lost_ending(run, now)
    return msgspec.structs.replace(
        run, outcome=ending.outcome, reason_code=ending.reason_code, reason=ending.reason, ended_at=None
    )


def keep_aside(logs: Path, run_id: str, ending: Finished) -> bool:
    """Write an outcome that the ledger does not take beside the run's log; false when that fails too."""
    path = _aside(logs, run_id)
    new = path.with_suffix(".new")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.encode(ending))
            file.flush()
            os.fsync(file.fileno())
        new.rename(path)
    except OSError:
        return False
    return True


def drop_aside(logs: Path, run_id: str) -> None:
    """Remove the outcome beside the log, once the ledger has it."""
    with suppress(OSError):
        _aside(logs, run_id).unlink(missing_ok=True)


def _read_aside(logs: Path, run_id: str) -> Finished | None:
    try:
        return msgspec.json.decode(_aside(logs, run_id).read_bytes(), type=Finished)
    except (OSError, msgspec.DecodeError):
        return None


def _aside(logs: Path, run_id: str) -> Path:
    return logs / f"{run_id}.outcome.json"
