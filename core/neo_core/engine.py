"""The one facade for every front end: see, ask, start, defer, pause, stop.

Not thread-safe: one instance per thread. Every method may raise ``NeoError``; a snapshot never does, its sections say
what could not be read.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec.structs import replace

from neo_core.admission import gather_facts
from neo_core.awaiting import Patience
from neo_core.catalogue import (
    Catalogue,
    config_stamp,
    mended_elsewhere,
    read_catalogue,
    read_catalogue_again,
    read_catalogue_anyway,
)
from neo_core.clock import Clock, SystemClock, to_iso
from neo_core.errors import EndedError, LedgerError, NeoError, UsageError
from neo_core.incumbent import read_incumbent
from neo_core.lease.inherit import inherited_token
from neo_core.lease.store import LeaseStore
from neo_core.ledger.models import Control, ControlKind, Outcome, Run, Trigger
from neo_core.looking import Looker, why_read_only
from neo_core.memory.reading import system_memory
from neo_core.processes.source import ProcessSource, identity_of, system_source
from neo_core.recorder.gate_facts import learned, memory_facts
from neo_core.recorder.recorder import Recorder
from neo_core.relief.reliever import Reliever
from neo_core.requests import find_run, user_name
from neo_core.runs.lost import mark_lost_runs
from neo_core.runs.orphans import end_orphans
from neo_core.runs.release import until_released
from neo_core.schedule.gates import decide
from neo_core.schedule.withheld import withheld
from neo_core.service_desk import ServiceDesk
from neo_core.starting import Attempt, Starter
from neo_core.strays.act import act_on, left_of_service, manner_of, pick, told_of
from neo_core.workspace import resolve_workspace_anyway

if TYPE_CHECKING:
    from collections.abc import Callable

    from neo_core.awaiting import WaitsFor
    from neo_core.config import Config
    from neo_core.ledger.store import Ledger
    from neo_core.profiles import Task
    from neo_core.schedule.decision import Decision
    from neo_core.snapshot import Snapshot
    from neo_core.snapshot_strays import StrayStop, StraysView, StrayView
    from neo_core.workspace import Workspace

_POLL = 0.1


class Engine(ServiceDesk):
    """The engine over one workspace. ``config`` is read from the workspace when not given."""

    def __init__(
        self,
        workspace: Workspace,
        config: Config | None = None,
        *,
        clock: Clock | None = None,
        source: ProcessSource | None = None,
        catalogue: Catalogue | None = None,
    ) -> None:
        told = catalogue or read_catalogue(workspace, config)
        super().__init__(workspace, told, clock=clock or SystemClock(), source=source or system_source())
        self._edited = None if told.error else config_stamp(workspace)  # what was wrong may be mended since it was read
        self._lease = LeaseStore(
            workspace.lease,
            source=self._source,
            clock=self._clock,
            allow_network=self.config.lease.allow_network_filesystem,
        )
        self._looker = Looker(workspace, self._catalogue, self._lease, clock=self._clock, source=self._source)
        self._starter = Starter(workspace, self._lease, clock=self._clock)
        self._memory = system_memory()
        self._recorder: Recorder | None = None
        self.relief = Reliever(
            workspace,
            lambda: self._catalogue,
            clock=self._clock,
            source=self._source,
            memory=self._memory,
            stop=self.stop,
            strays=self.strays,
            end_stray=self.stop_stray,
        )

    @classmethod
    def for_looking(cls, workspace: Workspace) -> Engine:
        """Return an engine also where the configuration is wrong: by the last good one, else by the defaults.

        To look, to stop and to hold back with; a start would go by a file that nobody can mean.
        """
        found, _ = resolve_workspace_anyway(workspace.root)  # an edit since then may have moved the lease
        return cls(found, catalogue=read_catalogue_anyway(found))

    def reconfigure_if_changed(self) -> str:
        """Take over an edited configuration; return why it was refused and the old one kept, empty when all is well."""
        edited = config_stamp(self.workspace)
        if edited != self._edited:
            moved = mended_elsewhere(self.workspace, self._catalogue)
            if moved is not None:
                self.close()
                Engine.__init__(self, moved[0], catalogue=moved[1], clock=self._clock, source=self._source)
                return ""
            self._edited = edited
            self._catalogue = self._looker.catalogue = read_catalogue_again(self.workspace, self._catalogue)
        return self._catalogue.error

    def snapshot(self) -> Snapshot:
        """Return one picture of everything; changes nothing but marking runs lost whose runner is proven gone."""
        self._starter.collect()
        return self._looker.look()

    def record_memory(self) -> None:
        """Record the memory if a sample is due and nobody else does; for a console that stays open.

        The orchestrator goes first, because it is there when no console is. A ledger that cannot be written is told by
        the snapshot.
        """
        incumbent = read_incumbent(self.workspace, self._source)
        if why_read_only(self.workspace) or (incumbent is not None and incumbent.alive):
            self.close()
            return
        if self._recorder is None:
            self._recorder = Recorder(
                self.workspace,
                self.config.memory,
                memory=self._memory,
                source=self._source,
                clock=self._clock,
                lease=self._lease,
                console=identity_of(os.getpid(), self._source),
            )
        self._recorder.configure(self.config.memory)
        if self._recorder.due():
            with suppress(LedgerError), self._writing() as ledger:
                self._recorder.tick(ledger)

    def close(self) -> None:
        """Let somebody else record the memory; idempotent."""
        if self._recorder is not None:
            self._recorder.close()

    def preview(self, task: str, trigger: Trigger = Trigger.MANUAL, *, override_memory: bool = False) -> Decision:
        """Return whether the task may start now, and why not, without starting anything."""
        found = self.task(task)
        with self._reading() as ledger:
            return self._decide(found, ledger, trigger, user_name() if override_memory else "")

    def trigger(
        self, task: str, trigger: Trigger = Trigger.MANUAL, *, override_memory: bool = False, patient: bool = False
    ) -> Attempt:
        """Start the task's runner, or record why it did not start, and whether the asker goes on trying (``patient``).

        ``override_memory`` is an operator's will to start in spite of the memory gates; the decision keeps whose.
        """
        found = self.task(task)
        with self._writing() as ledger:
            mark_lost_runs(ledger, self.workspace.logs, self._source, self._clock)
            decision = self._decide(found, ledger, trigger, user_name() if override_memory else "")
            return self._starter.start(found, replace(decision, patient=patient), ledger)

    def start_when_open(
        self, task: str, tell: Callable[[WaitsFor], None], *, seconds: float | None, override_memory: bool = False
    ) -> Attempt:
        """Wait until every gate is open, for at most ``seconds`` (``None``: for ever), and start; see ``Patience``."""
        found, clock, source = self.task(task).name, self._clock, self._source
        return Patience(
            self, found, seconds=seconds, tell=tell, override_memory=override_memory, clock=clock, source=source
        ).start()

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
                until_released(run, self._source, self._clock, self._starter.collect)
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
        """Let no task start, for ``seconds`` or until ``unpause``; services and ``neo-lease run`` are not held back."""
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
                raise EndedError(f"run {run.run_id}", f"has ended already ({run.outcome})", "There is nothing to stop.")
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
                how = "killed" if force else "asked to end"
                why = f" ({because})" if because else ""
                told = f"what was left of it was {how} by {user_name()} at {to_iso(self._clock.now())}{why}"
                ledger.runs.add_to_reason(run.run_id, told)
            return control

    def service_stop(self, name: str, because: str = "") -> Control:
        """Stop a service, and before it what earlier starts left, also where their records were removed; waits for it.

        Raises ``NeoError`` when something of that survives a kill, and else like the desk's.
        """
        left = left_of_service(self._stoppable(name).name, self.strays, self._clock)
        ended = told_of([self._end_stray(one, f"service stop {name}") for one in left], name)
        return super().service_stop(name, "; ".join(part for part in (because, ended) if part))

    def strays(self) -> StraysView:
        """Return the processes that belong to no live run or service of ours, from a look at the whole machine now."""
        section = self._looker.strays()
        if section.value is None:
            raise NeoError("strays", section.error or "cannot be looked for", "See: neo-console doctor.")
        return section.value

    def stray_stops(self, limit: int = 100) -> list[Control]:
        """Return the strays that somebody ended, newest first: who, when, and in ``because`` what and how it went."""
        with self._reading() as ledger:
            return ledger.controls.history(ControlKind.STRAY_STOP, limit)

    def stop_stray(
        self, pid: int, start_time: int | None = None, *, foreign: bool = False, because: str = ""
    ) -> StrayStop:
        """End the stray tree of ``pid`` (with that start time, if given): asked, after its grace killed. Waits for it.

        Raises ``NeoError`` when it is no stray now, and for what was not started here unless ``foreign``.
        """
        return self._end_stray(pick(self.strays(), pid, start_time, self._source, foreign=foreign), because)

    def _end_stray(self, stray: StrayView, because: str) -> StrayStop:
        manner, who = manner_of(stray, self.tasks, self.services), user_name()
        with self._writing() as ledger:
            return act_on(stray, manner, ledger, source=self._source, clock=self._clock, because=because, who=who)

    def history(
        self, *, task: str = "", outcome: Outcome | None = None, since: float | None = None, limit: int = 500
    ) -> list[Run]:
        """Return the newest rows first, after marking lost what is."""
        if os.access(self.workspace.ledger, os.F_OK) and not why_read_only(self.workspace):
            with self._writing() as ledger:
                mark_lost_runs(ledger, self.workspace.logs, self._source, self._clock)
        return super().history(task=task, outcome=outcome, since=since, limit=limit)

    def held_since(self) -> float | None:
        """Return when whoever has the lease acquired it, in seconds since the epoch; ``None`` when nobody is known."""
        seen = self._lease.inspect()
        return None if seen.takeable or seen.lease is None else seen.lease.acquired_at

    def _decide(self, task: Task, ledger: Ledger, trigger: Trigger, overridden_by: str = "") -> Decision:
        now = self._clock.now()
        look, learnt = self._memory.read(now), learned(ledger, (task.name,))
        memory = memory_facts(ledger.memory.watch(), self.config.memory, look, learnt, overridden_by=overridden_by)
        seen, token, source = self._lease.inspect(), inherited_token(), self._source
        facts = gather_facts(task, ledger, seen, trigger=trigger, now=now, token=token, source=source, memory=memory)
        return withheld(decide(task, facts), self._catalogue.error)
