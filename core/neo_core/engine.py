"""The one facade for every front end: see, ask, start, defer, pause, stop.

Not thread-safe: one instance per thread. Every method may raise ``NeoError``; a snapshot never does, its sections say
what could not be read.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from neo_core.admission import gather_facts
from neo_core.clock import Clock, SystemClock
from neo_core.config import Config, load_config
from neo_core.errors import UsageError
from neo_core.lease.explain import deferral_lines
from neo_core.lease.inherit import inherited_token
from neo_core.lease.store import LeaseStore
from neo_core.ledger.models import Control, ControlKind, LeaseEvent, Outcome, Run, Trigger
from neo_core.ledger.store import Ledger
from neo_core.logs import LogChunk, read_log
from neo_core.looking import Looker
from neo_core.processes.source import ProcessSource, is_alive, system_source
from neo_core.profiles import Task, resolve_tasks
from neo_core.requests import find_run, user_name
from neo_core.runs.lost import mark_lost_runs
from neo_core.runs.orphans import end_orphans
from neo_core.schedule.decision import Decision
from neo_core.schedule.gates import decide
from neo_core.starting import Attempt, Starter
from neo_core.workspace import Workspace, ensure_state

if TYPE_CHECKING:
    from neo_core.snapshot import Snapshot

_POLL = 0.1
_RELEASE_WITHIN = 15.0


class Engine:
    """The engine over one workspace. ``config`` is read from the workspace when not given."""

    def __init__(
        self,
        workspace: Workspace,
        config: Config | None = None,
        *,
        clock: Clock | None = None,
        source: ProcessSource | None = None,
    ) -> None:
        self.workspace = workspace
        self.config = load_config(workspace.config) if config is None else config
        self.tasks = resolve_tasks(workspace, self.config)
        self._clock = clock or SystemClock()
        self._source = source or system_source()
        self._lease = LeaseStore(
            workspace.lease,
            source=self._source,
            clock=self._clock,
            allow_network=self.config.lease.allow_network_filesystem,
        )
        self._looker = Looker(workspace, self.config, self.tasks, self._lease, clock=self._clock, source=self._source)
        self._starter = Starter(workspace, self._lease, clock=self._clock)

    def snapshot(self) -> Snapshot:
        """Return one picture of everything; changes nothing but marking runs lost whose runner is proven gone."""
        self._starter.collect()
        return self._looker.look()

    def task(self, name: str) -> Task:
        """Return one task; raises ``UsageError`` naming the known ones."""
        if name not in self.tasks:
            raise UsageError(f"task {name!r}", "is not known here", f"Known: {', '.join(self.tasks)}.")
        return self.tasks[name]

    def preview(self, task: str, trigger: Trigger = Trigger.MANUAL) -> Decision:
        """Return whether the task may start now, and why not, without starting anything."""
        found = self.task(task)
        with self._reading() as ledger:
            return self._decide(found, ledger, trigger)

    def trigger(self, task: str, trigger: Trigger = Trigger.MANUAL) -> Attempt:
        """Start the task's runner, or record why it did not start."""
        found = self.task(task)
        with self._writing() as ledger:
            mark_lost_runs(ledger, self.workspace.logs, self._source, self._clock)
            decision = self._decide(found, ledger, trigger)
            return self._starter.start(found, decision, ledger)

    def run_and_wait(self, task: str, trigger: Trigger | str = Trigger.MANUAL) -> Run:
        """Start the task and return its row once it has ended; a prevented start returns at once."""
        return self.wait(self.trigger(task, Trigger(trigger)).run_id)

    def wait(self, run_id: str, timeout: float | None = None) -> Run:
        """Return the run once it has ended, or as it is after ``timeout`` seconds."""
        deadline = None if timeout is None else self._clock.monotonic() + timeout
        while True:
            self._starter.collect()
            with self._writing() as ledger:
                mark_lost_runs(ledger, self.workspace.logs, self._source, self._clock)
                run = find_run(ledger, run_id)
            if not run.live:
                self._until_released(run)
                return run
            if deadline is not None and self._clock.monotonic() >= deadline:
                return run
            self._clock.sleep(_POLL)

    def defer(self, task: str, seconds: float, because: str) -> Control:
        """Snooze a task for ``seconds``, in place of any snooze before."""
        name = self.task(task).name
        if seconds <= 0:
            raise UsageError(f"snooze of {name}", "has no length", "Give it a duration like 2h.")
        now = self._clock.now()
        with self._writing() as ledger:
            return ledger.controls.replace(
                ControlKind.SNOOZE, name, at=now, until=now + seconds, because=because, requested_by=user_name()
            )

    def resume(self, task: str) -> bool:
        """End a task's snooze; false when there was none."""
        name = self.task(task).name
        with self._writing() as ledger:
            return ledger.controls.end(ControlKind.SNOOZE, name, self._clock.now()) > 0

    def pause(self, because: str, seconds: float | None = None) -> Control:
        """Let nothing start, for ``seconds`` or until ``unpause``."""
        if not because.strip():
            raise UsageError("pause", "has no reason", "Say why, for whoever looks.")
        if seconds is not None and seconds <= 0:
            raise UsageError("pause", "has no length", "Give it a duration like 2h, or none.")
        now = self._clock.now()
        until = None if seconds is None else now + seconds
        with self._writing() as ledger:
            return ledger.controls.replace(
                ControlKind.PAUSE, "", at=now, until=until, because=because, requested_by=user_name()
            )

    def unpause(self) -> bool:
        """End the pause; false when there was none."""
        with self._writing() as ledger:
            return ledger.controls.end(ControlKind.PAUSE, "", self._clock.now()) > 0

    def stop(self, run_id: str, *, force: bool = False, because: str = "") -> Control:
        """Ask a live run's runner to end it: TERM, grace, KILL; with ``force`` KILL at once.

        A lost run has no runner any more: what is left of it gets the signal from here.
        """
        with self._writing() as ledger:
            mark_lost_runs(ledger, self.workspace.logs, self._source, self._clock)
            run = find_run(ledger, run_id)
            ended = not run.live and not end_orphans(self._lease.inspect(), run, self._source, force=force)
            if ended:
                raise UsageError(f"run {run.run_id}", f"has ended already ({run.outcome})", "There is nothing to stop.")
            control = ledger.controls.add(
                ControlKind.STOP,
                run.run_id,
                at=self._clock.now(),
                because=because,
                force=force,
                requested_by=user_name(),
            )
            if not run.live:
                ledger.controls.acknowledge(control.control_id, self._clock.now())
            return control

    def run(self, run_id: str) -> Run:
        """Return one run by its id or an unambiguous beginning of it."""
        with self._reading() as ledger:
            return find_run(ledger, run_id)

    def history(
        self, *, task: str = "", outcome: Outcome | None = None, since: float | None = None, limit: int = 500
    ) -> list[Run]:
        """Return the newest rows first, after marking lost what is."""
        if os.access(self.workspace.ledger, os.F_OK) and not self._looker.read_only():
            with self._writing() as ledger:
                mark_lost_runs(ledger, self.workspace.logs, self._source, self._clock)
        with self._reading() as ledger:
            found = ledger.runs.history(task=task, outcome=outcome, since=since, limit=limit)
            if task and not found and task not in self.tasks and ledger.runs.latest(task) is None:
                self.task(task)
            return found

    def lease_history(self, limit: int = 100) -> list[LeaseEvent]:
        """Return what happened to the lease, newest first, as far as runs of ours were concerned."""
        with self._reading() as ledger:
            return ledger.lease_events.history(limit)

    def deferral_text(self) -> str:
        """Return the two lines of a script that found the lease held; empty when nobody has it."""
        seen = self._lease.inspect()
        return "" if seen.takeable else deferral_lines(seen)

    def decision_of(self, run: Run) -> Decision | None:
        """Return the decision that was made for a run at its time; ``None`` when none was kept."""
        if not run.decision:
            return None
        try:
            return msgspec.json.decode(run.decision, type=Decision)
        except msgspec.DecodeError:
            return None

    def log(self, run_id: str, *, after: int | None = None, limit: int = 65_536) -> LogChunk:
        """Return at most ``limit`` bytes of a run's log: its tail, or what follows byte ``after``."""
        return read_log(self.workspace.run_log(run_id), after=after, limit=limit)

    def _decide(self, task: Task, ledger: Ledger, trigger: Trigger) -> Decision:
        facts = gather_facts(
            task,
            ledger,
            self._lease.inspect(),
            trigger=trigger,
            now=self._clock.now(),
            token=inherited_token(),
            source=self._source,
        )
        return decide(task, facts)

    def _until_released(self, run: Run) -> None:
        """Wait for the moment between the outcome and the release, so that a start right after is not refused."""
        deadline = self._clock.monotonic() + _RELEASE_WITHIN
        while run.runner is not None and is_alive(run.runner, self._source):
            self._starter.collect()
            if self._clock.monotonic() >= deadline:
                break
            self._clock.sleep(0.01)
        self._starter.collect()

    def _reading(self) -> Ledger:
        return Ledger(self.workspace.ledger, writable=False)

    def _writing(self) -> Ledger:
        ensure_state(self.workspace)
        return Ledger(self.workspace.ledger)
