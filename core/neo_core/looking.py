"""The one way to see: everything read once, each section with its time and, if it could not be read, its error."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec

from neo_core.admission import compose_facts, newest, snooze_of
from neo_core.awaiting import drop_dead_waiters, living_waiters
from neo_core.census import Census
from neo_core.collisions import confirmed_collisions
from neo_core.errors import NeoError, describe_os_error
from neo_core.incumbent import read_incumbent
from neo_core.lease.words import HolderState
from neo_core.ledger.models import ControlKind, Run, Trigger
from neo_core.ledger.recent import RecentRuns
from neo_core.ledger.records import TaskRecord
from neo_core.ledger.store import Ledger
from neo_core.memory.reading import system_memory
from neo_core.observe import lease_sentences, lease_view, memory_view, task_view
from neo_core.overseen import orchestrator_view
from neo_core.processes.source import ProcessIdentity, is_alive
from neo_core.recorder.gate_facts import learned, memory_facts
from neo_core.runs.lost import as_seen, is_lost, mark_lost_runs
from neo_core.schedule.gates import decide
from neo_core.schedule.withheld import withheld_at_last
from neo_core.services.observe import dependencies_of
from neo_core.services.views import service_views
from neo_core.snapshot import (
    MemoryView,
    OrchestratorState,
    OrchestratorView,
    ScheduleView,
    Section,
    ServiceView,
    Snapshot,
    TaskView,
    TreeView,
)
from neo_core.state_watch import StateWatch
from neo_core.strays.judge import Known
from neo_core.strays.leftover import leftover_of
from neo_core.strays.look import another_owner
from neo_core.strays.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from neo_core.catalogue import Catalogue
    from neo_core.clock import Clock
    from neo_core.incumbent import Incumbent
    from neo_core.lease.inspect import Inspection
    from neo_core.lease.store import LeaseStore
    from neo_core.ledger.models import OrchestratorRecord, ServiceRecord
    from neo_core.memory.reading import Reading
    from neo_core.processes.source import ProcessSource
    from neo_core.snapshot_strays import StraysView
    from neo_core.strays.watch import Seen
    from neo_core.workspace import Workspace

S = TypeVar("S")
T = TypeVar("T")

HISTORY_ROWS = 500


class _Upkeep(NamedTuple):
    """What keeps itself going, as it was written down: the services' rows, the orchestrator's life, its lock file."""

    services: dict[str, ServiceRecord]
    latest: OrchestratorRecord | None
    incumbent: Incumbent | None


class Looker:
    """Makes snapshots of one workspace."""

    def __init__(
        self,
        workspace: Workspace,
        catalogue: Catalogue,
        lease: LeaseStore,
        *,
        clock: Clock,
        source: ProcessSource,
    ) -> None:
        self._workspace = workspace
        self._lease = lease
        self._clock = clock
        self._source = source
        self._census = Census(source, clock)
        self._watch = Watch(source, clock)
        self._memory = system_memory()
        self._state = StateWatch(workspace.state_text, str(workspace.ledger))
        self._recent = RecentRuns(HISTORY_ROWS)
        self.catalogue = catalogue

    def look(self) -> Snapshot:
        """Return one picture of everything; never raises for what cannot be read."""
        at = self._clock.now()
        memory = self._memory.read(at)
        read_only = self.read_only()
        seen = self._lease.inspect()
        live = self._section(lambda: self._live(writable=not read_only))
        runs = live.value or ()
        upkeep = self._section(self._upkeep)
        orchestrator = self._after(upkeep, lambda told: self._orchestrator(told, at))
        keeper = orchestrator.value
        scheduling = keeper is not None and keeper.state is OrchestratorState.RUNNING
        outcomes = self._failed(live) or self._section(self._outcomes)
        strays = self._strays(live, upkeep, seen)
        return Snapshot(
            at=at,
            workspace=str(self._workspace.root),
            read_only=read_only,
            config_error=self.catalogue.error,
            state_lost_at=self._state.look(at),
            lease=self._section(lambda: lease_view(seen, runs)),
            schedule=self._failed(live)
            or self._section(lambda: self._schedule(seen, runs, memory, at, scheduling=scheduling)),
            outcomes=outcomes,
            processes=self._section(lambda: self._processes(runs, seen, upkeep.value, strays.value)),
            memory=self._section(lambda: self._memory_now(memory)),
            services=self._after(upkeep, lambda told: self._services(told, orchestrator.value, at)),
            orchestrator=orchestrator,
            collisions=self._after(
                outcomes, lambda rows: confirmed_collisions(runs, rows, seen, self._lease, self._source)
            ),
            strays=strays,
        )

    def strays(self) -> Section[StraysView]:
        """Return what is astray now, from a pass over the whole machine."""
        self._watch.forget()
        seen = self._lease.inspect()
        live = self._section(lambda: self._live(writable=False))
        return self._strays(live, self._section(self._upkeep), seen)

    def read_only(self) -> str:
        """Return why nothing can be changed in this workspace; empty when it can."""
        return why_read_only(self._workspace)

    def _live(self, *, writable: bool) -> tuple[Run, ...]:
        if not self._workspace.ledger.exists():
            return ()
        with Ledger(self._workspace.ledger, writable=writable) as ledger:
            if writable:
                mark_lost_runs(ledger, self._workspace.logs, self._source, self._clock)
                drop_dead_waiters(ledger, self._source)
            now = self._clock.now()
            return tuple(run for run in ledger.runs.live() if not is_lost(run, self._source, now))

    def _schedule(
        self, seen: Inspection, live: tuple[Run, ...], reading: Reading, now: float, *, scheduling: bool
    ) -> ScheduleView:
        with Ledger(self._workspace.ledger, writable=False) as ledger:
            snoozes = ledger.controls.in_force(ControlKind.SNOOZE, now)
            pauses = ledger.controls.holds(now)
            first_seen = ledger.task_marks.first_seen()
            services = ledger.services.all()
            waiting = living_waiters(ledger, self._source)
            config = self.catalogue.config
            recorded = ledger.runs.recorded()
            forecasts = learned(ledger, [name for name in self.catalogue.tasks if name in recorded])
            memory = memory_facts(ledger.memory.watch(), config.memory, reading, forecasts)
            views: list[TaskView] = []
            for task in self.catalogue.tasks.values():
                record = ledger.runs.record_of(task.name) if task.name in recorded else TaskRecord()
                facts = compose_facts(
                    task,
                    record,
                    seen,
                    trigger=Trigger.MANUAL,
                    now=now,
                    token="",
                    live=live,
                    snoozes=snoozes,
                    pauses=pauses,
                    first_seen=first_seen.get(task.name),
                    dependencies=dependencies_of(task, services, self._source),
                    memory=memory,
                )
                views.append(
                    task_view(
                        task,
                        record,
                        withheld_at_last(decide(task, facts), self.catalogue.error),
                        past=facts.past,
                        now=now,
                        snooze=snooze_of(task, snoozes),
                        running=next((run for run in live if run.task == task.name), None),
                        starved_after=config.orchestrator.starved_after,
                        waiters=tuple(waiter for waiter in waiting if waiter.task == task.name),
                        scheduling=scheduling,
                    )
                )
        return ScheduleView(
            tasks=tuple(views),
            pause=newest(ControlKind.PAUSE, pauses),
            heavy_deferral=newest(ControlKind.DEFER_HEAVY, pauses),
        )

    def _outcomes(self) -> tuple[Run, ...]:
        with Ledger(self._workspace.ledger, writable=False) as ledger:
            now = self._clock.now()
            return tuple(as_seen(run, self._source, now) for run in self._recent.read(ledger))

    def _memory_now(self, reading: Reading) -> MemoryView:
        with Ledger(self._workspace.ledger, writable=False) as ledger:
            facts = memory_facts(ledger.memory.watch(), self.catalogue.config.memory, reading, {})
            incident = ledger.memory.unfinished()
        return memory_view(reading, facts, incident)

    def _upkeep(self) -> _Upkeep:
        incumbent = read_incumbent(self._workspace, self._source)
        with Ledger(self._workspace.ledger, writable=False) as ledger:
            return _Upkeep(ledger.services.all(), ledger.orchestrators.latest(), incumbent)

    def _orchestrator(self, told: _Upkeep, now: float) -> OrchestratorView:
        latest = told.latest
        return orchestrator_view(
            told.incumbent,
            latest,
            alive=latest is not None and is_alive(latest.process, self._source),
            poll_every=self.catalogue.config.orchestrator.poll_every,
            now=now,
        )

    def _services(self, told: _Upkeep, orchestrator: OrchestratorView | None, now: float) -> tuple[ServiceView, ...]:
        kept = orchestrator is not None and orchestrator.state is OrchestratorState.RUNNING
        return service_views(self.catalogue.services, told.services, kept=kept, source=self._source, now=now)

    def _processes(
        self, live: tuple[Run, ...], seen: Inspection, upkeep: _Upkeep | None, strays: StraysView | None
    ) -> tuple[TreeView, ...]:
        incumbent = upkeep.incumbent if upkeep else None
        return self._census.count(
            live,
            seen,
            services=self._living_services(upkeep) if upkeep else {},
            orchestrator=incumbent.process if incumbent is not None and incumbent.alive else None,
            strays=strays.found if strays else (),
        )

    def _living_services(self, upkeep: _Upkeep) -> dict[str, ProcessIdentity]:
        return {
            name: record.process
            for name, record in upkeep.services.items()
            if record.process is not None and is_alive(record.process, self._source)
        }

    def _strays(
        self, live: Section[tuple[Run, ...]], upkeep: Section[_Upkeep], lease: Inspection
    ) -> Section[StraysView]:
        """Without knowing what lives nothing can be called a stray."""
        failed = self._failed(live) or self._failed(upkeep)
        if failed is not None or live.value is None or upkeep.value is None:
            return failed or Section(at=live.at)
        runs, told = live.value, upkeep.value
        section = self._section(lambda: self._astray(runs, told, lease))
        found = section.value
        return Section(at=found.at, value=found.view) if found else Section(at=section.at, error=section.error)

    def _astray(self, live: tuple[Run, ...], upkeep: _Upkeep, lease: Inspection) -> Seen:
        left = leftover_of(lease, lambda run_id: any(not run.live for run in self._rows({run_id}).values()))
        known = Known(
            state=self._workspace.state_text,
            live=live,
            services=upkeep.services,
            alive=frozenset(self._living_services(upkeep)),
            kept=upkeep.incumbent is not None and upkeep.incumbent.alive,
            told=frozenset() if left else frozenset(one.pid for one in lease.scan.carriers),
            left=left,
            token=lease.lease.token if lease.lease else "",
        )
        seen = self._watch.look(known, self.catalogue.services.values(), self._rows)
        if left is None and lease.holder is HolderState.ORPHANED:
            said, mend = lease_sentences(lease)
            seen = seen._replace(view=msgspec.structs.replace(seen.view, orphaned=said, orphaned_mend=mend))
        owner = another_owner(self._workspace.state_text)
        if not owner:
            return seen
        return seen._replace(view=msgspec.structs.replace(seen.view, unknown=(*seen.view.unknown, owner)))

    def _rows(self, run_ids: set[str]) -> dict[str, Run]:
        """Return the rows of those runs as they are seen now; what the ledger does not know is not among them."""
        now = self._clock.now()
        with Ledger(self._workspace.ledger, writable=False) as ledger:
            found = ledger.runs.of_ids(sorted(run_ids))
        return {run.run_id: as_seen(run, self._source, now) for run in found}

    def _after(self, first: Section[S], read: Callable[[S], T]) -> Section[T]:
        """Return a section that is made of another one's value, or shares its error."""
        value = first.value
        if value is None:
            return Section(at=first.at, error=first.error)
        return self._section(lambda: read(value))

    def _section(self, read: Callable[[], T]) -> Section[T]:
        at = self._clock.now()
        try:
            return Section(at=at, value=read())
        except NeoError as error:
            return Section(at=at, error=str(error))
        except OSError as error:
            return Section(at=at, error=f"{error.filename or 'the system'}: {describe_os_error(error)}")

    @staticmethod
    def _failed(section: Section[Any]) -> Section[Any] | None:
        return Section(at=section.at, error=section.error) if section.error else None


def why_read_only(workspace: Workspace) -> str:
    """Return why nothing can be changed in a workspace; empty when it can."""
    folder = workspace.state
    while not os.access(folder, os.F_OK) and folder != folder.parent:
        folder = folder.parent
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"{folder} is not writable for you"
