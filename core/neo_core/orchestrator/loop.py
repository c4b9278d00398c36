"""The orchestrator's life: begin, poll and keep services until told to stop, end; one process, no threads."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from neo_core.errors import LedgerError
from neo_core.ledger.models import SERVICE_CONTROLS, ControlKind
from neo_core.ledger.store import Ledger
from neo_core.orchestrator.instance import IncumbentError, InstanceLock, identity_here, take_instance_lock
from neo_core.orchestrator.log import ChangeLog, OrchestratorLog
from neo_core.orchestrator.parts import make_keeper, make_recorder
from neo_core.orchestrator.poll import Poller
from neo_core.orchestrator.reading import Reading
from neo_core.orchestrator.reload import ConfigWatch, Settings, file_at, load_settings
from neo_core.orchestrator.telling import attempt
from neo_core.workspace import ensure_state

if TYPE_CHECKING:
    from neo_core.clock import Clock
    from neo_core.ledger.models import Control
    from neo_core.processes.source import ProcessSource
    from neo_core.recorder.recorder import Recorder
    from neo_core.runs.signals import SignalWaiter
    from neo_core.services.keeper import ServiceKeeper
    from neo_core.workspace import Workspace

CRASHED = 70

_LOOK_EVERY = 0.5
_WOKE_AFTER = 2.0
_PRUNE_EVERY = 3600.0
_LIGHT_AT_ONCE = 4
_NEXT_LIGHT_AFTER = 0.5


class Orchestrator:
    """One life over one workspace, whose lock the caller has taken. ``log`` gets a line per change.

    With ``once`` it polls a single time and leaves the services alone.
    """

    def __init__(
        self,
        workspace: Workspace,
        lock: InstanceLock,
        log: OrchestratorLog,
        waiter: SignalWaiter,
        *,
        clock: Clock,
        source: ProcessSource,
        once: bool = False,
    ) -> None:
        self._workspace, self._lock, self._log, self._waiter = workspace, lock, log, waiter
        self._clock, self._source, self._once = clock, source, once
        self._say, self._changes = log.say, ChangeLog(log.say)
        self._watch = ConfigWatch(workspace)
        self._settings: Settings = load_settings(workspace)
        self._apply_limits()
        self._myself = identity_here(source, clock)
        self._ledger = Ledger(workspace.ledger)
        self._ledger_file = file_at(workspace.ledger)
        self._poller = Poller(
            workspace,
            self._ledger,
            self._read(self._ledger),
            clock=clock,
            source=source,
            say=self._say,
            changes=self._changes,
        )
        self._poller.configure(self._settings)
        self._keeper: ServiceKeeper | None = None
        self._recorder: Recorder | None = None
        if not once:
            self._keeper = make_keeper(
                workspace, self._ledger, self._settings.services, clock=clock, source=source, say=self._say
            )
            self._recorder = make_recorder(workspace, self._settings.config.memory, source=source, clock=clock)
        self._number = 0
        self._seen_version = -1
        self._next_poll = 0.0
        self._next_look = 0.0
        self._next_prune = clock.monotonic()
        self._ahead = clock.now() - clock.monotonic()
        self._because = ""
        self._stirred = True

    def run(self) -> int:
        """Live until told to stop; return the exit code 0. What nobody foresaw is raised, after it was written down."""
        try:
            self._begin()
            while not self._stopping():
                self._turn()
            self._end()
        except Exception:
            with suppress(LedgerError):
                self._ledger.orchestrators.ended(self._number, self._clock.now(), "crashed")
            raise
        finally:
            self._ledger.close()
        return 0

    def _begin(self) -> None:
        now = self._clock.now()
        # A stop that an earlier life never saw is not meant for this one.
        for control in self._ledger.controls.pending(ControlKind.ORCHESTRATOR_STOP):
            self._ledger.controls.acknowledge(control.control_id, now)
        self._number = self._ledger.orchestrators.began(self._myself, now)
        self._lock.announce(self._myself, now)
        tasks, services = len(self._settings.tasks), len(self._settings.services)
        beside = "" if self._once else f" and {services} services"
        self._say("INFO", f"Started for {self._workspace.root}: {tasks} tasks{beside}")
        if self._keeper is not None:
            self._keeper.begin()

    def _stopping(self) -> bool:
        if self._waiter.stop_signal is not None:
            self._because = self._because or f"signal {self._waiter.stop_signal}"
        return bool(self._because)

    def _turn(self) -> None:
        """Do what is to be done now, then sleep until something is."""
        self._reap()
        self._notice_a_wake_from_suspend()
        if self._clock.monotonic() >= self._next_poll:
            self._stirred = True
            attempt(self._changes, "poll", self._poll)
        elif self._clock.monotonic() >= self._next_look:
            self._next_look = self._clock.monotonic() + _LOOK_EVERY
            attempt(self._changes, "controls", self._look_for_commands)
        if self._keeper is not None:
            attempt(self._changes, "services", self._keep_services)
        if self._recorder is not None and self._recorder.due():
            attempt(self._changes, "memory", self._record_memory)
        if self._once:
            self._because = "one poll was asked for"
        else:
            self._sleep()

    def _record_memory(self) -> None:
        if self._recorder is not None:
            self._recorder.tick(self._ledger)

    def _keep_services(self) -> None:
        """Let the keeper work when something happened or its time has come, not at every look for commands."""
        if self._keeper is None:
            return
        at = self._keeper.next_at()
        if self._stirred or (at is not None and self._clock.monotonic() >= at):
            self._keeper.tick()
        self._stirred = False

    def _poll(self) -> None:
        began = self._clock.monotonic()
        self._next_poll = began + self._settings.config.orchestrator.poll_every
        self._next_look = began + _LOOK_EVERY
        self._keep_the_lock()
        self._keep_the_ledger()
        if self._watch.changed():
            self._reload()
        self._look_for_commands()
        if not self._because:
            if self._poller.poll(self._settings, None if self._once else _LIGHT_AT_ONCE):
                self._next_poll = min(self._next_poll, self._clock.monotonic() + _NEXT_LIGHT_AFTER)
            self._prune_if_due()

    def _keep_the_lock(self) -> None:
        """Tell that we live; stop when the lock was taken away and somebody else has the new one."""
        if self._lock.beat():
            return
        told = f"{self._workspace.orchestrator_lock} was removed; taking a new one"
        self._changes.tell("lock", "", "removed", "WARN", told)
        if self._workspace.root.is_dir():
            ensure_state(self._workspace)
        try:
            lock = take_instance_lock(self._workspace, self._source)
        except IncumbentError as error:
            self._say("ERROR", f"Stopping: {error}")
            self._because = "another orchestrator took over"
            return
        self._lock.release()
        self._lock = lock
        self._lock.announce(self._myself, self._clock.now())
        self._changes.over("lock", "")
        self._watch.ask_again()  # the copy of the configuration may be gone with it

    def _keep_the_ledger(self) -> None:
        """Go on with a new ledger when ours was moved away, for nobody else would read what is written to ours."""
        path = self._workspace.ledger
        if file_at(path) == self._ledger_file:
            return
        ledger = Ledger(path)
        number = ledger.orchestrators.began(self._myself, self._clock.now())
        self._say("WARN", f"{path} was moved away or replaced; going on with the one that is there now")
        self._ledger.close()
        self._ledger, self._ledger_file, self._number = ledger, file_at(path), number
        self._seen_version = -1
        self._poller.use_ledger(ledger, self._read(ledger))
        if self._keeper is not None:
            self._keeper.use_ledger(ledger)
        if self._recorder is not None:
            self._recorder.close()
            memory = self._settings.config.memory
            self._recorder = make_recorder(self._workspace, memory, source=self._source, clock=self._clock)

    def _read(self, ledger: Ledger) -> Reading:
        return Reading(ledger, self._workspace.logs, clock=self._clock, source=self._source)

    def _look_for_commands(self) -> None:
        """Act on what operators asked for since the last look, and acknowledge it."""
        version = self._ledger.database.version()
        if version == self._seen_version:
            return
        pending = self._ledger.controls.pending(*SERVICE_CONTROLS, ControlKind.ORCHESTRATOR_STOP)
        put_off = [control for control in pending if not self._obey(control)]
        if not put_off:
            self._seen_version = version

    def _obey(self, control: Control) -> bool:
        """Return false when it must wait until the services' records could be read; it stays in the ledger."""
        if self._keeper is not None and not self._keeper.begun and control.kind in SERVICE_CONTROLS:
            return False
        who = control.requested_by or "an operator"
        because = f": {control.because}" if control.because else ""
        if control.kind is ControlKind.ORCHESTRATOR_STOP:
            self._because = f"{who} asked for it{because}"
        elif self._keeper is None:
            return True
        else:
            self._say("INFO", f"{control.kind} of {control.target} by {who}{because}")
            self._keeper.command(control)
            self._stirred = True
        self._ledger.controls.acknowledge(control.control_id, self._clock.now())
        return True

    def _reload(self) -> None:
        """Go on with a changed configuration, or with the one before when the new one is wrong."""
        settings, error = self._watch.load()
        if settings is None:
            self._changes.tell("config", "", error, "ERROR", f"The configuration before stays in force: {error}")
        else:
            self._changes.over("config", "")
            self._put_in_force(settings)
        try:
            self._ledger.orchestrators.configured(self._number, self._clock.now(), error)
        except LedgerError:
            self._watch.ask_again()
            raise

    def _put_in_force(self, settings: Settings) -> None:
        tasks, services = len(settings.tasks), len(settings.services)
        self._say("INFO", f"Configuration read again: {tasks} tasks, {services} services")
        self._settings = settings
        self._apply_limits()
        self._poller.configure(settings)
        if self._keeper is not None:
            self._keeper.configure(settings.services)
        if self._recorder is not None:
            self._recorder.configure(settings.config.memory)

    def _apply_limits(self) -> None:
        told = self._settings.config.orchestrator
        self._log.limit(told.log_max, told.log_keep)

    def _prune_if_due(self) -> None:
        if self._clock.monotonic() < self._next_prune:
            return
        self._next_prune = self._clock.monotonic() + _PRUNE_EVERY
        from neo_core.services.logs import prune_run_logs

        live = {run.run_id for run in self._ledger.runs.live()}
        keep = self._settings.config.orchestrator.keep_run_logs
        prune_run_logs(self._workspace.logs, keep, self._clock.now(), live)

    def _reap(self) -> None:
        """Collect every child that ended and tell whoever started it."""
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                exit_code = os.waitstatus_to_exitcode(status)
                if not self._poller.child_ended(pid, exit_code) and self._keeper is not None:
                    self._keeper.child_ended(pid, exit_code)

    def _notice_a_wake_from_suspend(self) -> None:
        """Poll at once when the wall clock went on while we did not."""
        ahead = self._clock.now() - self._clock.monotonic()
        if abs(ahead - self._ahead) > _WOKE_AFTER:
            self._next_poll = self._clock.monotonic()
        self._ahead = ahead

    def _sleep(self) -> None:
        wakes = [self._next_poll, self._next_look]
        also: list[int] = []
        if self._keeper is not None:
            at = self._keeper.next_at()
            wakes += [] if at is None else [at]
            also = self._keeper.filenos()
        wakes += [] if self._recorder is None else [self._recorder.next_at()]
        self._waiter.wait(min(wakes) - self._clock.monotonic(), also)
        self._stirred = self._clock.monotonic() < min(wakes)  # a signal, a child that ended, an answer to a probe

    def _end(self) -> None:
        """Leave runs to their runners and services as configured."""
        self._say("INFO", f"Stopping: {self._because}")
        if self._keeper is not None:
            self._keeper.end(stop=self._settings.config.orchestrator.on_stop == "stop")
        attempt(self._changes, "farewell", self._say_goodbye)

    def _say_goodbye(self) -> None:
        self._ledger.orchestrators.ended(self._number, self._clock.now(), "stopped")
