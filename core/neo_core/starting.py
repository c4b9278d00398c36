"""Starting a run that was admitted, or recording that it was not: for operators, scripts and the schedule alike."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from neo_core.errors import NeoError
from neo_core.lease.inherit import inherited_lease, kept_descriptors, without_lease
from neo_core.ledger.models import Finished, Outcome, Run
from neo_core.requests import prevented, request
from neo_core.runs.spawn import RUN_ID, spawn_runner
from neo_core.schedule.decision import Decision, Reason

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from neo_core.clock import Clock
    from neo_core.lease.store import LeaseStore
    from neo_core.ledger.store import Ledger
    from neo_core.profiles import Task
    from neo_core.workspace import Workspace


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """What a trigger did: a runner was started for ``run_id``, or the decision prevented it and was recorded.

    ``run`` is the row as it was written.
    """

    run_id: str
    started: bool
    decision: Decision
    run: Run | None = None


class Starter:
    """Starts runners, each a process that outlives us, and collects those that ended while we live."""

    def __init__(self, workspace: Workspace, lease: LeaseStore, *, clock: Clock) -> None:
        self._workspace, self._lease, self._clock = workspace, lease, clock
        self._config: Path | None = None
        self._runners: dict[int, subprocess.Popen[bytes]] = {}

    def use(self, lease: LeaseStore, config: Path) -> None:
        """Work with another view of the lease from now on, and let runners read ``config`` for the configuration."""
        self._lease, self._config = lease, config

    def start(self, task: Task, decision: Decision, ledger: Ledger) -> Attempt:
        """Start the task's runner, or record why it does not start. Raises ``NeoError``."""
        run = request(task, decision, self._clock.now())
        if decision.blocking is not None:
            recorded = ledger.runs.record_prevented(prevented(run, decision))
            return Attempt(run_id=recorded.run_id, run=recorded, started=False, decision=decision)
        ledger.runs.insert(run)
        try:
            runner = self._spawn(task, run.run_id)
        except NeoError as error:
            failed = Finished(
                at=self._clock.now(),
                outcome=Outcome.FAILED,
                reason_code=str(Reason.SPAWN_ERROR),
                reason=str(error),
            )
            ledger.runs.finish(run.run_id, failed)
            raise
        self._runners[runner.pid] = runner
        return Attempt(run_id=run.run_id, run=run, started=True, decision=decision)

    def collect(self) -> None:
        """Let go of the runners that have ended; not for who collects every child with ``child_ended``."""
        self._runners = {pid: process for pid, process in self._runners.items() if process.poll() is None}

    def child_ended(self, pid: int, exit_code: int) -> bool:
        """Let go of a runner that the caller has waited for; false when that child was none of ours."""
        process = self._runners.pop(pid, None)
        if process is None:
            return False
        process.returncode = exit_code
        return True

    def _spawn(self, task: Task, run_id: str) -> subprocess.Popen[bytes]:
        """Start the runner; what may borrow keeps the lent lease's descriptor, what is light carries nothing of it."""
        lent = inherited_lease(self._lease) if task.heavy else None
        environment = dict(os.environ) if task.heavy else without_lease(os.environ)
        if not task.heavy:
            environment.pop(RUN_ID, None)
        descriptors = kept_descriptors(lent) if lent is not None else ()
        return spawn_runner(self._workspace, run_id, environment, descriptors, self._config)
