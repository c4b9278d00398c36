"""Looking back: runs, outcomes, logs, events and incidents of one workspace, read and never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from neo_core.errors import UsageError, guess
from neo_core.lease.store import LeaseStore
from neo_core.ledger.store import Ledger
from neo_core.logs import LogChunk, read_log
from neo_core.memory.reading import system_memory
from neo_core.recorder.course import Course, read_course
from neo_core.recorder.export import export_report
from neo_core.recorder.past import LOOK_BACK, Past, Then, look_now, read_past
from neo_core.recorder.recorder import thresholds_of
from neo_core.recorder.replay import Replay, replay_of
from neo_core.recorder.report import Report, report_on
from neo_core.relief.settling import as_known
from neo_core.requests import find_run
from neo_core.runs.lost import as_seen
from neo_core.schedule.decision import Decision
from neo_core.services.logs import service_log

if TYPE_CHECKING:
    from pathlib import Path

    from neo_core.catalogue import Catalogue
    from neo_core.clock import Clock
    from neo_core.config import Config
    from neo_core.ledger.memory import Incident
    from neo_core.ledger.models import LeaseEvent, Outcome, Run, ServiceEvent
    from neo_core.processes.source import ProcessSource
    from neo_core.profiles import Task
    from neo_core.services.catalogue import Service
    from neo_core.workspace import Workspace

_MOST_REPLAYED = 2000  # samples; of a longer incident not every one is shown


class Archive:
    """What can be read of one workspace. Every method may raise ``NeoError``."""

    def __init__(self, workspace: Workspace, catalogue: Catalogue, *, clock: Clock, source: ProcessSource) -> None:
        self.workspace = workspace
        self._catalogue, self._clock, self._source = catalogue, clock, source

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self._catalogue.config

    @property
    def config_error(self) -> str:
        """Why the configuration in force is not that of the file; empty when it is."""
        return self._catalogue.error

    @property
    def configured_by(self) -> str:
        """What is in force in place of a wrong file, like "the defaults"; empty when the file is."""
        return self._catalogue.instead

    @property
    def tasks(self) -> dict[str, Task]:
        """Every task by name."""
        return self._catalogue.tasks

    @property
    def services(self) -> dict[str, Service]:
        """Every enabled service by name."""
        return self._catalogue.services

    def task(self, name: str) -> Task:
        """Return one task; raises ``UsageError`` naming the known ones."""
        if name not in self.tasks:
            known = "It is a service: see neo-console services. " if name in self.services else guess(name, self.tasks)
            mend = f"{known}Known: {', '.join(self.tasks)}."
            raise UsageError(f"task {name!r}", "is not known here", mend)
        return self.tasks[name]

    def service_events(self, name: str, limit: int = 100) -> list[ServiceEvent]:
        """Return a service's changes of state, newest first."""
        service = self._service(name)
        with self._reading() as ledger:
            return ledger.services.events(service, limit)

    def run(self, run_id: str) -> Run:
        """Return one run by its id or an unambiguous beginning of it."""
        with self._reading() as ledger:
            return find_run(ledger, run_id)

    def history(
        self, *, task: str = "", outcome: Outcome | None = None, since: float | None = None, limit: int = 500
    ) -> list[Run]:
        """Return the newest rows first."""
        with self._reading() as ledger:
            found = ledger.runs.history(task=task, outcome=outcome, since=since, limit=limit)
            if task and not found and task not in self.tasks and ledger.runs.latest(task) is None:
                self.task(task)
            return found

    def older(self, run_id: str, last_at: float, limit: int = 500) -> list[Run]:
        """Return at most ``limit`` rows of the history before that one, which changed last at ``last_at``."""
        with self._reading() as ledger:
            now = self._clock.now()
            return [as_seen(run, self._source, now) for run in ledger.runs.before(run_id, last_at, limit)]

    def lease_history(self, limit: int = 100) -> list[LeaseEvent]:
        """Return what happened to the lease, newest first, as far as runs of ours were concerned."""
        with self._reading() as ledger:
            return ledger.lease_events.history(limit)

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

    def service_log(self, name: str, *, after: int | None = None, limit: int = 65_536) -> LogChunk:
        """Return a part of a service's log, like ``log``."""
        return read_log(service_log(self.workspace, self._service(name)), after=after, limit=limit)

    def orchestrator_log(self, *, after: int | None = None, limit: int = 65_536) -> LogChunk:
        """Return a part of the orchestrator's log, like ``log``."""
        return read_log(self.workspace.orchestrator_log, after=after, limit=limit)

    def incidents(self, limit: int = 100) -> list[Incident]:
        """Return the memory incidents, newest first."""
        with self._reading() as ledger:
            return ledger.memory.incidents(limit)

    def incident(self, number: int) -> Report:
        """Return one incident with what coincided with it; raises ``UsageError`` when there is none."""
        with self._reading() as ledger:
            return self._report(ledger, number)

    def memory_course(self, seconds: float, step: float = 0.0) -> Course:
        """Return how the memory went in the last ``seconds``, with one sample per ``step`` seconds."""
        now = self._clock.now()
        with self._reading() as ledger:
            return read_course(ledger, now - seconds, now, step=step)

    def memory_past(self, begin: float, end: float) -> Past:
        """Return the record of the memory from ``begin`` to ``end``, every sample of it, and what ran meanwhile."""
        now = self._clock.now()
        with self._reading() as ledger:
            return read_past(ledger, begin, end, self.config.memory, lambda run: as_seen(run, self._source, now))

    def memory_at(self, at: float) -> Past:
        """Return as much of the record as tells of one moment, ``at``."""
        around = max(LOOK_BACK, 10 * self.config.memory.sample_every)
        return self.memory_past(at - 2 * around, at + around)

    def memory_now(self) -> Then:
        """Return what has the memory at this moment, from a look of our own at the whole machine."""
        now = self._clock.now()
        past = self.memory_past(now, now)
        lease = LeaseStore(self.workspace.lease, source=self._source, clock=self._clock).inspect()
        with self._reading() as ledger:
            sample = look_now(ledger, system_memory().read(now), self._source, lease)
        return msgspec.structs.replace(past.then(now), at=now, sample=sample, table=sample.trees, looked_at=now)

    def replay(self, number: int) -> Replay:
        """Return one incident sample by sample, a very long one thinned; raises ``UsageError`` when there is none."""
        with self._reading() as ledger:
            report = self._report(ledger, number, most=_MOST_REPLAYED)
            first = ledger.memory.first_sample(report.incident.since, report.incident.began_at)
        return replay_of(report, first, thresholds_of(self.config.memory))

    def export_incident(self, number: int) -> tuple[Path, Path]:
        """Write one incident as Markdown and as JSON into the state folder; return where."""
        return export_report(self.incident(number), self.workspace)

    def _report(self, ledger: Ledger, number: int, *, most: int = 0) -> Report:
        found = ledger.memory.incident(number)
        if found is None:
            raise UsageError(f"incident {number}", "is not in the ledger", "List them with: neo-console incidents.")
        report = report_on(ledger, found, self._clock.now(), most=most)
        return msgspec.structs.replace(report, reliefs=tuple(as_known(report.reliefs, self._source)))

    def _service(self, name: str) -> str:
        """Return the name of a known service; raises ``UsageError`` naming them."""
        if name in self.services:
            return name
        known = f"Known: {', '.join(self.services)}." if self.services else "Configure one: [services.NAME]."
        raise UsageError(f"service {name!r}", "is not known here", f"{guess(name, self.services)}{known}")

    def _reading(self) -> Ledger:
        return Ledger(self.workspace.ledger, writable=False)
