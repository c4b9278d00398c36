"""What the console knows: the latest snapshot, the last good value of every section, and the last failure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from neo_console.history import History
from neo_console.rows.processes import tree_key
from neo_console.subjects import Kind
from neo_console.vocabulary import Seen
from neo_core.health import SECTIONS, judge
from neo_core.snapshot_strays import StrayKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neo_console.subjects import Subject
    from neo_core.ledger.models import Control, Run
    from neo_core.recorder.course import Course
    from neo_core.snapshot import (
        CollisionView,
        Health,
        LeaseView,
        MemoryView,
        OrchestratorView,
        ProcessView,
        ScheduleView,
        Section,
        ServiceView,
        Snapshot,
        TaskView,
        TreeView,
    )
    from neo_core.snapshot_strays import StraysView, StrayView

T = TypeVar("T")
STALE_AFTER = 10.0
_BROKEN = ("malformed", "damaged", "not a database", "of another program")


class View(msgspec.Struct, Generic[T], frozen=True):
    """One section as it may be shown: how far it can be trusted, its value, since when that is true, what is wrong."""

    seen: Seen
    value: T | None = None
    at: float | None = None
    error: str = ""

    @property
    def usable(self) -> bool:
        """Whether there is a value to show, be it an old one."""
        return self.value is not None


class Picture:
    """Keeps what was collected. Only the UI thread touches it."""

    def __init__(self, *, stale_after: float = STALE_AFTER) -> None:
        self.snapshot: Snapshot | None = None
        self.failure = ""
        self.health: Health | None = None
        self.history = History()
        self._stale_after = stale_after
        self._good: dict[str, Section[Any]] = {}
        self._course: Section[Course] | None = None
        self._begun: dict[str, str] = {}

    def take(self, snapshot: Snapshot, course: Section[Course] | None = None) -> None:
        """Accept a new snapshot, and how the memory went, when that was read again."""
        self.snapshot = snapshot
        self.failure = ""
        self.health = judge(snapshot)
        for name in SECTIONS:
            section: Section[Any] = getattr(snapshot, name)
            if section.value is not None and not section.error:
                self._good[name] = section
        if snapshot.outcomes.value is not None and not snapshot.outcomes.error:
            self.history.take(snapshot.outcomes.value)
            known = {run.run_id for run in snapshot.outcomes.value}
            self._begun = {task: run_id for task, run_id in self._begun.items() if run_id not in known}
        if course is not None:
            self._course = course
            if course.value is not None and not course.error:
                self._good["course"] = course

    def begin(self, task: str, run_id: str) -> None:
        """Remember a run that was just started from here, until a snapshot has it."""
        self._begun[task] = run_id

    def begun(self, task: str) -> str:
        """Return the run of that task that was started from here and that no snapshot has yet; empty for none."""
        return self._begun.get(task, "")

    def fail(self, why: str) -> None:
        """Remember that a collection failed; everything known so far is stale from now on."""
        self.failure = why

    @property
    def config_error(self) -> str:
        """Why the configuration in force is not that of the file; empty when it is."""
        return self.snapshot.config_error if self.snapshot else ""

    def stale_for(self, now: float) -> float | None:
        """Return how old the whole picture is when that is too old, ``None`` while it is fresh or still missing."""
        if self.snapshot is None:
            return None
        old = now - self.snapshot.at
        return old if self.failure or old > self._stale_after else None

    def lease(self, now: float) -> View[LeaseView]:
        """Return the lease."""
        return self._view("lease", now)

    def schedule(self, now: float) -> View[ScheduleView]:
        """Return the schedule."""
        view: View[ScheduleView] = self._view("schedule", now)
        return _emptied(view, view.value.tasks if view.value else ())

    def outcomes(self, now: float) -> View[tuple[Run, ...]]:
        """Return the recorded runs."""
        view: View[tuple[Run, ...]] = self._view("outcomes", now)
        return _emptied(view, view.value or ())

    def processes(self, now: float) -> View[tuple[TreeView, ...]]:
        """Return the process trees."""
        view: View[tuple[TreeView, ...]] = self._view("processes", now)
        return _emptied(view, view.value or ())

    def memory(self, now: float) -> View[MemoryView]:
        """Return the machine's memory."""
        return self._view("memory", now)

    def course(self, now: float) -> View[Course]:
        """Return how the memory went lately."""
        if self._course is None:
            return View(Seen.UNREADABLE, error=self.failure) if self.failure else View(Seen.LOADING)
        view: View[Course] = self._seen("course", self._course, now)
        return _emptied(view, view.value.samples if view.value else ())

    def services(self, now: float) -> View[tuple[ServiceView, ...]]:
        """Return the services."""
        view: View[tuple[ServiceView, ...]] = self._view("services", now)
        return _emptied(view, view.value or ())

    def orchestrator(self, now: float) -> View[OrchestratorView]:
        """Return the orchestrator."""
        return self._view("orchestrator", now)

    def collisions(self, now: float) -> View[tuple[CollisionView, ...]]:
        """Return the heavy trees that live at the same time."""
        return self._view("collisions", now)

    def strays(self, now: float) -> View[StraysView]:
        """Return the processes that belong to nothing that lives."""
        return self._view("strays", now)

    def known_strays(self) -> tuple[StrayView, ...]:
        """Return the strays as last read."""
        strays: StraysView | None = self._value("strays")
        return strays.found if strays else ()

    def stray(self, pid: int, start_time: int) -> StrayView | None:
        """Return the stray with exactly that root, as last read."""
        return next((one for one in self.known_strays() if (one.pid, one.start_time) == (pid, start_time)), None)

    def listener_for(self, service: str) -> StrayView | None:
        """Return the stranger that listens on that service's port, as last read."""
        found = (one for one in self.known_strays() if one.kind is StrayKind.LISTENER and one.owner == service)
        return next(found, None)

    def service(self, name: str) -> ServiceView | None:
        """Return that service as last read."""
        services: tuple[ServiceView, ...] = self._value("services") or ()
        return next((service for service in services if service.name == name), None)

    def keeper(self) -> OrchestratorView | None:
        """Return the orchestrator as last read."""
        keeper: OrchestratorView | None = self._value("orchestrator")
        return keeper

    def lease_known(self) -> LeaseView | None:
        """Return the lease as last read."""
        lease: LeaseView | None = self._value("lease")
        return lease

    def pause(self) -> Control | None:
        """Return the pause in force as last read."""
        schedule: ScheduleView | None = self._value("schedule")
        return schedule.pause if schedule else None

    def heavy_deferral(self) -> Control | None:
        """Return what defers everything heavy as last read."""
        schedule: ScheduleView | None = self._value("schedule")
        return schedule.heavy_deferral if schedule else None

    def task(self, name: str) -> TaskView | None:
        """Return that task as last read."""
        schedule: ScheduleView | None = self._value("schedule")
        return next((task for task in schedule.tasks if task.name == name), None) if schedule else None

    def run(self, run_id: str) -> Run | None:
        """Return that run as last read, also an older one that was loaded."""
        runs: tuple[Run, ...] = self._value("outcomes") or ()
        return next((run for run in runs if run.run_id == run_id), None) or self.history.run(run_id)

    def holds(self, subject: Subject) -> bool:
        """Return whether that very thing is there as last read; what the ledger keeps is."""
        match subject.kind:
            case Kind.TASK:
                return self.task(subject.task) is not None
            case Kind.SERVICE:
                return self.service(subject.service) is not None
            case Kind.TREE:
                return self.tree(subject) is not None
            case Kind.PROCESS:
                return self.process(subject.pid or 0, subject.start_time or 0) is not None
            case _:
                return True

    def latest_run(self, task: str) -> Run | None:
        """Return the last run of that task that really started."""
        runs: tuple[Run, ...] = self._value("outcomes") or ()
        started = [run for run in runs if run.task == task and run.started_at is not None]
        return max(started, key=lambda run: run.started_at or 0.0, default=None)

    def orphaned_run(self, *, task: str = "", run_id: str = "") -> str:
        """Return the run, of that task or id, whose runner is gone while processes of it still work; empty for none."""
        for tree in self.trees():
            if tree.kind == "orphans" and tree.run_id and (tree.owner == task or tree.run_id == run_id):
                return tree.run_id
        return ""

    def trees(self) -> tuple[TreeView, ...]:
        """Return the process trees as last read."""
        return self._value("processes") or ()

    def tree(self, subject: Subject) -> TreeView | None:
        """Return exactly that tree."""
        return next((tree for tree in self.trees() if tree_key(tree) == subject.key), None)

    def process(self, pid: int, start_time: int) -> tuple[TreeView, ProcessView] | None:
        """Return exactly that process, and its tree."""
        for tree in self.trees():
            for process in tree.processes:
                if (process.pid, process.start_time) == (pid, start_time):
                    return tree, process
        return None

    def _value(self, name: str) -> Any:  # noqa: ANN401 - the caller says what the section of that name holds
        section = self._good.get(name)
        return section.value if section else None

    def _view(self, name: str, now: float) -> View[Any]:
        if self.snapshot is None:
            return View(Seen.UNREADABLE, error=self.failure) if self.failure else View(Seen.LOADING)
        return self._seen(name, getattr(self.snapshot, name), now)

    def _seen(self, name: str, section: Section[Any], now: float) -> View[Any]:
        good = self._good.get(name)
        error = self.failure or section.error
        if good is None:
            return View(_broken(error), error=error)
        fresh = not error and section.value is not None and now - good.at <= self._stale_after
        return View(Seen.OK if fresh else Seen.STALE, good.value, good.at, error)


def _emptied(view: View[T], rows: Sequence[object]) -> View[T]:
    if view.seen is Seen.OK and not rows:
        return View(Seen.EMPTY, view.value, view.at)
    return view


def _broken(error: str) -> Seen:
    if not error:
        return Seen.UNKNOWN
    return Seen.MALFORMED if any(word in error.lower() for word in _BROKEN) else Seen.UNREADABLE
