"""What an action is judged by: what is selected, what the last picture knows of it, and what a refusal says."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from neo_console.logfeed import LogKind, LogOf
from neo_console.subjects import Kind, Subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from neo_console.picture import Picture
    from neo_core.snapshot import ServiceView, TaskView
    from neo_core.snapshot_strays import StrayView

ORCHESTRATOR_TREE = "orchestrator"
WAY_OUT = " — "


class Blocked(NamedTuple):
    """Why an action cannot act now, and what to do instead."""

    reason: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.reason}{WAY_OUT}{self.way_out}"


class Context(NamedTuple):
    """What an action is judged by. ``key`` names the key of another action; ``gone`` is a selection that vanished.

    ``read_only`` is why nothing may be changed, ``write_again`` what mends that. ``past`` is the time of what the
    current panel shows when that is no longer so; nothing of it can be acted on. ``whole`` says that the panel can tell
    more although nothing is selected in it.
    """

    picture: Picture
    subject: Subject | None
    gone: Subject | None
    read_only: str
    key: Callable[[str], str]
    write_again: str = ""
    past: str = ""
    whole: bool = False

    @property
    def task(self) -> TaskView | None:
        """The task that is selected, directly or through one of its runs."""
        return self.picture.task(self.subject.task) if self.subject and self.subject.task else None

    @property
    def service(self) -> ServiceView | None:
        """The service that is selected, directly or through its processes."""
        return self.picture.service(self.subject.service) if self.subject and self.subject.service else None

    @property
    def stray(self) -> StrayView | None:
        """The stray tree that is selected, directly or through its processes."""
        stray = self.subject.stray if self.subject else None
        return self.picture.stray(*stray) if stray is not None else None

    @property
    def tree_kind(self) -> str:
        """The kind of the tree that is selected, directly or through a process of it; empty for none."""
        subject = self.subject
        if subject is None or subject.kind is Kind.TREE:
            return subject.key.partition(":")[0] if subject else ""
        if subject.pid is None or subject.start_time is None:
            return ""
        found = self.picture.process(subject.pid, subject.start_time)
        return found[0].kind if found is not None else ""

    @property
    def live_run_id(self) -> str:
        """The run that is selected and still works, also without its runner; empty when there is none."""
        subject = self.subject
        if subject is None or subject.stray is not None:
            return ""
        if subject.kind is Kind.TASK:
            running = self.task.running_run_id if self.task else ""
            return running or self.picture.orphaned_run(task=subject.task)
        if subject.kind is Kind.RUN:
            run = self.picture.run(subject.run_id)
            live = run is not None and run.live
            return subject.run_id if live else self.picture.orphaned_run(run_id=subject.run_id)
        return subject.run_id

    @property
    def logged_run_id(self) -> str:
        """The run whose log belongs to the selection; empty when there is none."""
        subject = self.subject
        if subject is None:
            return ""
        if subject.run_id:
            return subject.run_id
        if self.task is not None and self.task.running_run_id:
            return self.task.running_run_id
        latest = self.picture.latest_run(subject.task) if subject.task else None
        return self.picture.begun(subject.task) or (latest.run_id if latest else "")

    @property
    def log(self) -> LogOf:
        """Whose log belongs to the selection."""
        subject = self.subject
        if subject is not None and subject.service:
            return LogOf(LogKind.SERVICE, subject.service)
        if subject is not None and subject.kind is Kind.TREE and self.tree_kind == ORCHESTRATOR_TREE:
            return LogOf(LogKind.ORCHESTRATOR)
        return LogOf(LogKind.RUN, self.logged_run_id)
