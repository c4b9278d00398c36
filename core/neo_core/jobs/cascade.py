"""What one job starts when it changed something for another: a run of its own, under the same lease."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from neo_core.workspace import Workspace


class CascadeOutcome(NamedTuple):
    """How a cascaded run ended, in the ledger's words; ``run_id`` is empty when none could be asked for."""

    run_id: str
    outcome: str
    reason_code: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.outcome} ({self.reason_code})" if self.reason_code else self.outcome


def cascade(workspace: Workspace, task: str) -> CascadeOutcome:
    """Run ``task`` now and wait for its end; it borrows the lease whose token the environment carries.

    Raises ``NeoError`` when no run could be started at all.
    """
    from neo_core.engine import Engine  # a job that moves nothing must not pay for the engine

    run = Engine(workspace).run_and_wait(task, trigger="cascade")
    outcome = "unknown" if run.outcome is None else run.outcome.value
    return CascadeOutcome(run.run_id, outcome, run.reason_code, run.reason)
