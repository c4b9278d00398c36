"""The runner: one process per run, and the only code that starts a task.

It takes or borrows the lease, starts the command in a session of its own, watches it, commits the outcome and only
then lets go. The lease names this process, which lives exactly as long as the work.
"""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from neo_core.clock import Clock, SystemClock, to_iso
from neo_core.config import Config, load_config
from neo_core.errors import LeaseError, LedgerError, NeoError
from neo_core.lease.inherit import without_lease
from neo_core.lease.store import LeaseStore
from neo_core.ledger.models import Finished, LeaseRole, Outcome, Run
from neo_core.ledger.store import Ledger
from neo_core.processes.source import ProcessIdentity, ProcessSource, identity_of, system_source
from neo_core.profiles import Task, resolve_tasks
from neo_core.runs.grant import Grant, Refusal, obtain, record
from neo_core.runs.lost import drop_aside, keep_aside, mark_lost_runs
from neo_core.runs.outcome import Ending, judge_exit
from neo_core.runs.records import RecordKeeper
from neo_core.runs.signals import Reaper, SignalWaiter
from neo_core.runs.spawn import RUN_ID, STATE_FOLDER, TASK_NAME, SpawnError, spawn_command
from neo_core.runs.supervise import Supervisor
from neo_core.runs.tree import RunTree, adopt_orphans
from neo_core.schedule.decision import Reason
from neo_core.workspace import CONFIG_VARIABLE, Workspace, ensure_state, resolve_workspace

if TYPE_CHECKING:
    import subprocess

_COMMIT_FOR = 60.0


class Runner:
    """One run, from its request in the ledger to its outcome there."""

    def __init__(
        self, workspace: Workspace, config: Config, ledger: Ledger, run: Run, *, clock: Clock, source: ProcessSource
    ) -> None:
        self._workspace, self._config, self._ledger = workspace, config, ledger
        self._run, self._clock, self._source = run, clock, source
        self._waiter = SignalWaiter()
        self._records = RecordKeeper(workspace, ledger, clock=clock, say=self._say)

    def execute(self) -> None:
        """Run it to its end. Whatever happens, the ledger says how it ended before the lease is free."""
        task = resolve_tasks(self._workspace, self._config).get(self._run.task)
        if task is None or not task.configured:
            self._finish(Ending(outcome=Outcome.FAILED, reason_code=Reason.NOT_CONFIGURED, reason="not configured"))
            return
        store = LeaseStore(
            self._workspace.lease,
            source=self._source,
            clock=self._clock,
            allow_network=self._config.lease.allow_network_filesystem,
        )
        try:
            grant = obtain(task, store, run_id=self._run.run_id, trigger=self._run.trigger, ttl=self._config.lease.ttl)
        except LeaseError as error:
            self._finish(Ending(outcome=Outcome.DEFERRED, reason_code=Reason.LEASE_ERROR, reason=str(error)))
            return
        if isinstance(grant, Refusal):
            self._defer(grant)
            return
        self._work(task, grant)

    def _work(self, task: Task, grant: Grant) -> None:
        """Do the work and let go; an unforeseen error lets nothing go, because the command may still live."""
        try:
            self._record(grant, "acquired" if grant.role is LeaseRole.HOLDER else "inherited")
            if grant.warning:
                self._say("WARN", grant.warning)
                self._ledger.runs.warn(self._run.run_id, grant.warning)
            prevented = self._stopped_already() or self._beside_another_borrower(grant)
            if prevented is not None:
                self._finish(prevented)
            else:
                self._start_and_watch(task, grant)
        except LedgerError as error:
            self._say("ERROR", f"Not started: {error}")
            self._finish(Ending(outcome=Outcome.FAILED, reason_code=Reason.LEDGER_ERROR, reason=str(error)))
        self._let_go(grant)

    def _stopped_already(self) -> Ending | None:
        """Return the ending of a run that was told to stop before its command began. Raises ``LedgerError``."""
        stops = self._ledger.controls.pending_stops(self._run.run_id)
        for control in stops:
            self._ledger.controls.acknowledge(control.control_id, self._clock.now())
        if stops:
            who = stops[0].requested_by or "an operator"
            reason = f"stopped by {who} before it began"
            return Ending(outcome=Outcome.CANCELLED, reason_code=Reason.OPERATOR, reason=reason)
        if self._waiter.stop_signal is None:
            return None
        reason = "the runner was asked to end before the command began"
        return Ending(outcome=Outcome.CANCELLED, reason_code=Reason.SIGNAL, reason=reason)

    def _beside_another_borrower(self, grant: Grant) -> Ending | None:
        """Return the deferral of a borrower beside which another one works already. Raises ``LedgerError``."""
        if grant.role is not LeaseRole.BORROWER or self._ledger.runs.borrow(self._run.run_id):
            return None
        reason = "another run works under the same inherited lease"
        return Ending(outcome=Outcome.DEFERRED, reason_code=Reason.BACKPRESSURE, reason=reason)

    def _start_and_watch(self, task: Task, grant: Grant) -> None:
        log = self._workspace.run_log(self._run.run_id)
        offset = log.stat().st_size if log.exists() else 0
        try:
            process = self._spawn(task, grant)
        except SpawnError as error:
            self._say("ERROR", str(error))
            self._finish(Ending(outcome=Outcome.FAILED, reason_code=Reason.SPAWN_ERROR, reason=str(error)))
            return
        reaper = Reaper(process.pid)
        marker = f"{RUN_ID}={self._run.run_id}"
        supervisor = Supervisor(
            run_id=self._run.run_id,
            task=task,
            grant=grant,
            ledger=self._ledger,
            tree=RunTree(os.getpid(), process.pid, marker, self._source),
            reaper=reaper,
            waiter=self._waiter,
            clock=self._clock,
            renew_every=self._config.lease.renew_every,
            say=self._say,
            keep_records=lambda: self._records.look(self._run),
            retaken=lambda: self._retaken(grant),
        )
        self._record_start(process, task, grant)
        exit_code = supervisor.watch()
        process.returncode = exit_code
        ending = supervisor.ending or judge_exit(exit_code, log, offset)
        self._finish(ending, supervisor.peak_memory)

    def _spawn(self, task: Task, grant: Grant) -> subprocess.Popen[bytes]:
        marked = {RUN_ID: self._run.run_id, STATE_FOLDER: self._workspace.state_text, TASK_NAME: task.name}
        environment = {**without_lease(os.environ), **task.env, **grant.environment(), **marked}
        return spawn_command(
            task.command,
            key=f"tasks.{task.name}",
            cwd=task.cwd,
            environment=environment,
            log=self._workspace.run_log(self._run.run_id),
            descriptors=grant.descriptors,
        )

    def _record_start(self, process: subprocess.Popen[bytes], task: Task, grant: Grant) -> None:
        """Record the child; a ledger that is busy now must not end work that has begun."""
        child = identity_of(process.pid, self._source) or ProcessIdentity(process.pid, 0, self._source.boot_id())
        try:
            self._ledger.runs.started(
                self._run.run_id,
                at=self._clock.now(),
                child=child,
                role=grant.role,
                generation=grant.generation,
                command=" ".join(task.command),
            )
            self._run = self._ledger.runs.find(self._run.run_id)[0]
        except LedgerError as error:
            self._say("WARN", f"The start could not be recorded: {error}")

    def _retaken(self, grant: Grant) -> None:
        self._say("WARN", "The lease record was removed; the lease was taken again.")
        self._record(grant, "retaken")

    def _defer(self, refused: Refusal) -> None:
        ours = refused.run_id and any(run.run_id == refused.run_id for run in self._ledger.runs.live())
        self._finish(
            Ending(
                outcome=Outcome.DEFERRED,
                reason_code=str(Reason.BACKPRESSURE if ours else Reason.LEASE_HELD),
                reason=refused.sentence,
            ),
            blocker=refused.owner,
            blocker_pid=refused.pid,
        )

    def _finish(
        self, ending: Ending, peak_memory: int | None = None, *, blocker: str = "", blocker_pid: int | None = None
    ) -> None:
        """Commit the outcome, trying for a minute when the ledger is busy or the disk is full.

        Meanwhile, and after that, it stands in a file beside the log, from which any later reader takes it over.
        """
        finished = Finished(
            at=self._clock.now(),
            outcome=ending.outcome,
            reason_code=str(ending.reason_code),
            reason=ending.reason,
            exit_code=ending.exit_code,
            peak_memory=peak_memory,
            blocker=blocker,
            blocker_pid=blocker_pid,
        )
        self._records.look(self._run)
        deadline = self._clock.monotonic() + _COMMIT_FOR
        kept = False
        while not self._commit(finished):
            kept = kept or keep_aside(self._workspace.logs, self._run.run_id, finished)
            if self._clock.monotonic() >= deadline:
                return
            self._clock.sleep(1.0)
        if kept:
            drop_aside(self._workspace.logs, self._run.run_id)
        self._say("INFO", f"Run {self._run.run_id} of {self._run.task}: {ending.outcome} {ending.reason}".rstrip())

    def _commit(self, finished: Finished) -> bool:
        try:
            self._ledger.runs.finish(self._run.run_id, finished, by=self._run.runner)
        except LedgerError as error:
            self._say("ERROR", f"The outcome could not be recorded yet: {error}")
            return False
        return True

    def _let_go(self, grant: Grant) -> None:
        try:
            status = grant.release()
        except LeaseError as error:
            self._say("ERROR", f"The lease record could not be removed (its lock is free all the same): {error}")
            return
        if status is not None:
            self._record(grant, str(status))

    def _record(self, grant: Grant, word: str) -> None:
        try:
            record(self._ledger, grant.event(word, self._run.run_id, self._clock.now(), os.getpid()))
        except LedgerError as error:
            self._say("WARN", f"The lease's history misses '{word}': {error}")

    def _say(self, level: str, message: str) -> None:
        say(self._clock, level, message)


def say(clock: Clock, level: str, message: str) -> None:
    """Write one line, in the shape of upstream's logs, to the run's log; a full disk only loses the line."""
    with suppress(OSError):
        sys.stderr.write(f"[{to_iso(clock.now())}] [PID:{os.getpid()}] [{level}] {message}\n")
        sys.stderr.flush()


def main(arguments: list[str] | None = None) -> int:
    """Claim one requested run and execute it; exit 0 when its outcome is in the ledger."""
    parser = argparse.ArgumentParser(prog="neo_core.runs.runner", description="Run one requested run (internal).")
    parser.add_argument("--workspace", required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--config", help="a configuration in place of the workspace's")
    parser.add_argument("--lease", default="", help="where the lease is, whatever a configuration says by now")
    given = parser.parse_args(arguments)
    clock = SystemClock()
    try:
        return _run(resolve_workspace(given.workspace, lease=given.lease), given.config, given.run, clock)
    except NeoError as error:
        say(clock, "ERROR", str(error))
        return error.exit_code


def _run(workspace: Workspace, config_path: str | None, run_id: str, clock: Clock) -> int:
    ensure_state(workspace)
    source = system_source()
    adopt_orphans()
    os.environ.pop(CONFIG_VARIABLE, None)
    if config_path:
        os.environ[CONFIG_VARIABLE] = config_path
    with Ledger(workspace.ledger) as ledger:
        found = [run for run in ledger.runs.find(run_id) if run.run_id == run_id]
        myself = identity_of(os.getpid(), source)
        mark_lost_runs(ledger, workspace.logs, source, clock)
        if not found or myself is None or not ledger.runs.claim(run_id, myself, source.pid_namespace()):
            return _not_claimed(ledger, run_id, clock)
        try:
            config = load_config(Path(config_path) if config_path else workspace.config)
            run = ledger.runs.find(run_id)[0]
            Runner(workspace, config, ledger, run, clock=clock, source=source).execute()
        except NeoError as error:
            ledger.runs.finish(
                run_id,
                Finished(
                    at=clock.now(), outcome=Outcome.FAILED, reason_code=str(Reason.CONFIGURATION), reason=str(error)
                ),
            )
            raise
    return 0


def _not_claimed(ledger: Ledger, run_id: str, clock: Clock) -> int:
    """End a request that another run of the same task overtook; one that has ended already stays as it is."""
    ledger.runs.finish(
        run_id,
        Finished(
            at=clock.now(),
            outcome=Outcome.SKIPPED,
            reason_code=str(Reason.ALREADY_RUNNING),
            reason="another run of this task started at the same moment",
        ),
        unclaimed_only=True,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
