"""What the console asks of the engine, and how it gets one; nothing else of the engine is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from neo_core.ledger.models import Control, Run
    from neo_core.logs import LogChunk
    from neo_core.schedule.decision import Decision
    from neo_core.snapshot import Snapshot
    from neo_core.starting import Attempt


class EngineLike(Protocol):
    """The engine's facade. One instance belongs to one thread; every method may raise ``NeoError``."""

    def snapshot(self) -> Snapshot:
        """Return one picture of everything."""
        ...

    def preview(self, task: str) -> Decision:
        """Return whether a manual start would be admitted now."""
        ...

    def trigger(self, task: str) -> Attempt:
        """Start the task, or record why it could not start."""
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

    def run(self, run_id: str) -> Run:
        """Return one run of the ledger."""
        ...

    def decision_of(self, run: Run) -> Decision | None:
        """Return the decision that was taken for that run."""
        ...

    def log(self, run_id: str, *, after: int | None = None, limit: int = 65536) -> LogChunk:
        """Return the tail of a run's log, or what follows ``after``."""
        ...


Connect = Callable[[], EngineLike]
