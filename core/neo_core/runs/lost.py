"""Runs whose runner is gone without a word: found by any later reader, and said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_core.ledger.models import Outcome, Run
from neo_core.processes.source import is_alive
from neo_core.schedule.decision import Reason

if TYPE_CHECKING:
    from neo_core.clock import Clock
    from neo_core.ledger.store import Ledger
    from neo_core.processes.source import ProcessSource

UNCLAIMED_FOR = 60.0


def is_lost(run: Run, source: ProcessSource, now: float) -> bool:
    """Return whether a live row's runner is proven gone, or never came within a minute of the request."""
    if not run.live:
        return False
    runner = run.runner
    if runner is None:
        return abs(now - run.requested_at) > UNCLAIMED_FOR
    return not is_alive(runner, source)


def mark_lost_runs(ledger: Ledger, source: ProcessSource, clock: Clock) -> list[Run]:
    """Give every lost run its outcome and return them; a run that ended meanwhile keeps its own."""
    lost = [run for run in ledger.runs.live() if is_lost(run, source, clock.now())]
    for run in lost:
        code, reason = lost_words(run)
        ledger.runs.finish(run.run_id, at=clock.now(), outcome=Outcome.LOST, reason_code=code, reason=reason)
    return lost


def lost_words(run: Run) -> tuple[str, str]:
    """Return the reason code and the sentence for a lost run."""
    if run.runner is None:
        return str(Reason.NOT_STARTED), "its runner never started"
    return str(Reason.RUNNER_GONE), f"its runner (pid {run.runner_pid}) was killed; see the log for how far it came"
