"""The moment between a run's outcome and the end of its runner, in which the lease is let go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_core.processes.source import is_alive

if TYPE_CHECKING:
    from collections.abc import Callable

    from neo_core.clock import Clock
    from neo_core.ledger.models import Run
    from neo_core.processes.source import ProcessSource

_RELEASE_WITHIN = 15.0


def until_released(run: Run, source: ProcessSource, clock: Clock, collect: Callable[[], None]) -> None:
    """Wait until the run's runner is gone, so that a start right after is not refused; at most 15 s.

    ``collect`` lets go of runners that are children of ours.
    """
    deadline = clock.monotonic() + _RELEASE_WITHIN
    while run.runner is not None and is_alive(run.runner, source):
        collect()
        if clock.monotonic() >= deadline:
            break
        clock.sleep(0.01)
    collect()
