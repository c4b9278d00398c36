"""What the console asks of the engine, and how it gets one; nothing else of the engine is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from neo_core.config import Config
    from neo_core.ledger.memory import Incident
    from neo_core.ledger.models import Control, Run, ServiceEvent
    from neo_core.ledger.reliefs import Relief
    from neo_core.logs import LogChunk
    from neo_core.recorder.course import Course
    from neo_core.recorder.past import Past, Then
    from neo_core.recorder.replay import Replay
    from neo_core.relief.options import Option
    from neo_core.schedule.decision import Decision
    from neo_core.snapshot import Snapshot
    from neo_core.snapshot_strays import StrayStop
    from neo_core.starting import Attempt


class RelieverLike(Protocol):
    """What can be done about the memory. Every method may raise ``NeoError``."""

    def options(self) -> tuple[Option, ...]:
        """Return what can be done now, what costs least first."""
        ...

    def history(self, limit: int = 100) -> list[Relief]:
        """Return what was done, newest first."""
        ...

    def defer_heavy(self, seconds: float, because: str) -> Relief:
        """Let nothing heavy start for a time."""
        ...

    def resume_heavy(self) -> bool:
        """Let what is heavy start again."""
        ...

    def unload(self, name: str, because: str = "") -> Relief:
        """Ask a model server to give its memory back; this may take its whole timeout."""
        ...

    def stop(self, run_id: str, because: str = "", *, force: bool = False) -> Relief:
        """Ask for the end of a run."""
        ...

    def end_stray(self, pid: int, start_time: int | None = None, because: str = "") -> Relief:
        """End exactly that stray tree."""
        ...


class EngineLike(Protocol):
    """The engine's facade. One instance belongs to one thread; every method may raise ``NeoError``."""

    @property
    def config(self) -> Config:
        """The configuration in force."""
        ...

    @property
    def relief(self) -> RelieverLike:
        """What can be done about the memory."""
        ...

    def record_memory(self) -> None:
        """Record the memory when a sample is due and nobody else does."""
        ...

    def snapshot(self) -> Snapshot:
        """Return one picture of everything."""
        ...

    def memory_course(self, seconds: float, step: float = 0.0) -> Course:
        """Return how the memory went in the last ``seconds``, with one sample per ``step`` seconds."""
        ...

    def memory_past(self, begin: float, end: float) -> Past:
        """Return the record of the memory from ``begin`` to ``end``, every sample of it, and what ran meanwhile."""
        ...

    def memory_now(self) -> Then:
        """Return what has the memory at this moment, from a look at the whole machine."""
        ...

    def incidents(self, limit: int = 100) -> list[Incident]:
        """Return the memory incidents, newest first."""
        ...

    def replay(self, number: int) -> Replay:
        """Return one incident, to be looked at sample by sample."""
        ...

    def export_incident(self, number: int) -> tuple[Path, Path]:
        """Write one incident as Markdown and as JSON into the state folder; return where."""
        ...

    def preview(self, task: str) -> Decision:
        """Return whether a manual start would be admitted now."""
        ...

    def trigger(self, task: str, *, override_memory: bool = False) -> Attempt:
        """Start the task, in spite of the memory gates if the operator says so, or record why it could not start."""
        ...

    def defer(self, task: str, seconds: float, because: str) -> Control:
        """Snooze the task."""
        ...

    def resume(self, task: str) -> bool:
        """End the snooze of the task."""
        ...

    def stop(self, run_id: str, *, force: bool = False, because: str = "") -> Control:
        """Ask for the end of a run."""
        ...

    def pause(self, because: str, seconds: float | None = None) -> Control:
        """Let no task start."""
        ...

    def unpause(self) -> bool:
        """End the pause."""
        ...

    def service_start(self, name: str, because: str = "") -> Control:
        """Ask the orchestrator to start a service and keep it."""
        ...

    def service_stop(self, name: str, because: str = "") -> Control:
        """Ask the orchestrator to stop a service and leave it stopped."""
        ...

    def service_restart(self, name: str, because: str = "") -> Control:
        """Ask the orchestrator to stop a service and start it again."""
        ...

    def stop_stray(
        self, pid: int, start_time: int | None = None, *, foreign: bool = False, because: str = ""
    ) -> StrayStop:
        """End that stray tree, if it still is one; waits for its end."""
        ...

    def service_events(self, name: str, limit: int = 100) -> list[ServiceEvent]:
        """Return what happened to a service, newest first."""
        ...

    def run(self, run_id: str) -> Run:
        """Return one run of the ledger."""
        ...

    def older(self, run_id: str, last_at: float, limit: int = 500) -> list[Run]:
        """Return the rows before that one, which changed last at ``last_at``, newest first."""
        ...

    def decision_of(self, run: Run) -> Decision | None:
        """Return the decision that was taken for that run."""
        ...

    def log(self, run_id: str, *, after: int | None = None, limit: int = 65536) -> LogChunk:
        """Return the tail of a run's log, or what follows ``after``."""
        ...

    def service_log(self, name: str, *, after: int | None = None, limit: int = 65536) -> LogChunk:
        """Return the tail of a service's log, or what follows ``after``."""
        ...

    def orchestrator_log(self, *, after: int | None = None, limit: int = 65536) -> LogChunk:
        """Return the tail of the orchestrator's log, or what follows ``after``."""
        ...

    def reconfigure_if_changed(self) -> str:
        """Read the configuration again if it changed; return why it was refused, empty when it was not."""
        ...


Connect = Callable[[], EngineLike]
