"""What the ledger says, read again only when somebody has written to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_core.collisions import LOST_LOOKED_AT
from neo_core.ledger.models import Outcome, Trigger
from neo_core.memory.reading import system_memory
from neo_core.orchestrator.planning import Known
from neo_core.recorder.gate_facts import learned, memory_facts
from neo_core.runs.lost import is_lost, lost_ending, mark_lost_runs
from neo_core.schedule.prompts import past_of
from neo_core.services.observe import dependencies_of

if TYPE_CHECKING:
    from pathlib import Path

    from neo_core.clock import Clock
    from neo_core.ledger.models import Control, ControlKind, Run, ServiceRecord
    from neo_core.ledger.records import TaskRecord
    from neo_core.ledger.store import Ledger
    from neo_core.memory.forecast import Forecast
    from neo_core.orchestrator.reload import Settings
    from neo_core.processes.source import ProcessSource
    from neo_core.profiles import Task
    from neo_core.schedule.gates import DependencyFacts
    from neo_core.schedule.memory_gates import MemoryFacts


_SPAWNING_FOR = 2.0


class Reading:
    """The ledger's rows that a poll needs, kept while they cannot have changed. Methods may raise ``LedgerError``."""

    def __init__(self, ledger: Ledger, logs: Path, *, clock: Clock, source: ProcessSource) -> None:
        self._ledger, self._logs, self._clock, self._source = ledger, logs, clock, source
        self._began_at = clock.now()
        self._version = -1
        self._records: dict[str, TaskRecord] = {}
        self._live: tuple[Run, ...] | None = None
        self._first_seen: dict[str, float] | None = None
        self._lost: list[Run] | None = None
        self._memory = system_memory()
        self._peaks: dict[str, Forecast] | None = None

    def refresh(self) -> None:
        """Forget what another process may have changed since the last time."""
        version = self._ledger.database.version()
        if version != self._version:
            self.forget()
            self._version = version

    def forget(self, task: str = "") -> None:
        """Forget what we changed ourselves: about one task, or everything."""
        self._live = self._lost = self._peaks = None
        if task:
            self._records.pop(task, None)
        else:
            self._records.clear()
            self._first_seen = None

    def see(self, tasks: dict[str, Task], now: float) -> None:
        """Note since when tasks are scheduled that were not there before."""
        new = [name for name in tasks if name not in self._marks()]
        if new:
            self._ledger.task_marks.see(new, now)
            self._first_seen = None

    def live(self) -> tuple[tuple[Run, ...], list[Run]]:
        """Return the runs that live, and those that were just found lost and got their outcome."""
        runs = self._rows()
        now = self._clock.now()
        lost: list[Run] = []
        for run in runs:
            if self._was_never_spawned(run, now):
                self._ledger.runs.finish(run.run_id, lost_ending(run, now), unclaimed_only=True)
                lost.append(run)
        if lost:
            self.forget()
            runs = self._rows()
        if any(is_lost(run, self._source, now) for run in runs):
            lost += mark_lost_runs(self._ledger, self._logs, self._source, self._clock)
            self.forget()
            runs = self._rows()
        return runs, lost

    def _was_never_spawned(self, run: Run, now: float) -> bool:
        """Return whether an orchestrator before us was killed between its request and the start of the runner.

        Everything heavy would wait a minute for it. A runner that is only slow finds its run ended and goes.
        """
        if run.trigger is not Trigger.SCHEDULED or run.runner is not None or run.requested_at >= self._began_at:
            return False
        if now - run.requested_at <= _SPAWNING_FOR:
            return False
        return not any(run.run_id in self._source.command_line(pid) for pid in self._source.own_pids())

    def lost(self) -> list[Run]:
        """Return the latest runs whose runner was gone, which may have left something behind."""
        if self._lost is None:
            self._lost = self._ledger.runs.history(outcome=Outcome.LOST, limit=LOST_LOOKED_AT)
        return self._lost

    def known(self, tasks: dict[str, Task]) -> list[Known]:
        """Return every task with its past."""
        return [self._known(task) for task in tasks.values()]

    def controls(self, kind: ControlKind) -> list[Control]:
        """Return the commands of one kind in force."""
        return self._ledger.controls.in_force(kind, self._clock.now())

    def holds(self) -> list[Control]:
        """Return what holds back more than one task."""
        return self._ledger.controls.holds(self._clock.now())

    def memory(self, settings: Settings) -> MemoryFacts:
        """Return what the memory gates judge by; what past runs needed is learned again when the ledger changed."""
        if self._peaks is None:
            self._peaks = learned(self._ledger, settings.tasks)
        look = self._memory.read(self._clock.now())
        return memory_facts(self._ledger.memory.watch(), settings.config.memory, look, self._peaks)

    def memory_now(self, settings: Settings) -> MemoryFacts:
        """Return what one look at the machine tells, for when the ledger's record of its memory is of no use."""
        return memory_facts(None, settings.config.memory, self._memory.read(self._clock.now()), {})

    def services(self, tasks: dict[str, Task]) -> dict[str, ServiceRecord]:
        """Return what the services' keeper wrote down, when any task asks for one."""
        return self._ledger.services.all() if any(task.needs for task in tasks.values()) else {}

    def dependencies(self, task: Task, services: dict[str, ServiceRecord]) -> tuple[DependencyFacts, ...]:
        """Return whether the services that a task needs are up."""
        return dependencies_of(task, services, self._source)

    def _known(self, task: Task) -> Known:
        record = self._records.get(task.name)
        if record is None:
            record = self._records[task.name] = self._ledger.runs.record_of(task.name)
        return Known(
            task=task,
            past=past_of(task, record, self._marks().get(task.name)),
            waiting_since=record.waiting_since,
            streak=record.streak,
        )

    def _rows(self) -> tuple[Run, ...]:
        if self._live is None:
            self._live = tuple(self._ledger.runs.live())
        return self._live

    def _marks(self) -> dict[str, float]:
        if self._first_seen is None:
            self._first_seen = self._ledger.task_marks.first_seen()
        return self._first_seen
