"""Runs whose runner is gone without a word: found by any later reader, and said.

An outcome that the ledger would not take stands beside the run's log, and is taken over from there.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from neo_core.clock import to_iso
from neo_core.errors import LedgerError
from neo_core.ledger.models import Finished, Outcome, Run
from neo_core.processes.source import is_alive
from neo_core.schedule.decision import Reason

if TYPE_CHECKING:
    from pathlib import Path

    from neo_core.clock import Clock
    from neo_core.ledger.store import Ledger
    from neo_core.processes.source import ProcessSource

UNCLAIMED_FOR = 60.0
_MOST_SAMPLES = 2000


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
        told = _read_aside(logs, run.run_id)
        ending = told or _with_peak(lost_ending(run, clock.now()), run, ledger)
        if ledger.runs.finish(run.run_id, ending) and told is None:
            _say_lost(logs, run, ending)
        drop_aside(logs, run.run_id)
    return lost


def _with_peak(ending: Finished, run: Run, ledger: Ledger) -> Finished:
    """Return the ending with the most memory that any sample of the run's tree shows, if one does."""
    if run.started_at is None:
        return ending
    step = (ending.at - run.started_at) / _MOST_SAMPLES
    with suppress(LedgerError):  # a damaged record of the memory must not keep an outcome from being told
        samples = ledger.memory.samples(run.started_at, ending.at, step=max(step, 0.0))
        costs = [tree.cost for sample in samples for tree in sample.trees if tree.run_id == run.run_id]
        return msgspec.structs.replace(ending, peak_memory=max(costs, default=None))
    return ending


def _say_lost(logs: Path, run: Run, ending: Finished) -> None:
    """End the run's log, if there is one, with what its runner could not say any more."""
    with suppress(OSError, ValueError):
        descriptor = os.open(_log(logs, run.run_id), os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            written = to_iso(os.fstat(file.fileno()).st_mtime)
            gone = (
                f"its runner (pid {run.runner_pid}) was killed or crashed"
                if run.runner_pid
                else "its runner never started"
            )
            found = f"found gone at {to_iso(ending.at)}, this log was last written at {written}"
            file.write(f"[neo-console] Run {run.run_id} of {run.task}: {ending.outcome}; {gone}, {found}\n".encode())


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


def _log(logs: Path, run_id: str) -> Path:
    return logs / f"{run_id}.log"


def _aside(logs: Path, run_id: str) -> Path:
    return logs / f"{run_id}.outcome.json"
