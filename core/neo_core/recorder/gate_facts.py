"""What the memory gates need to know: the recorder's judgement while it is fresh, else one look of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_core.memory.forecast import forecast
from neo_core.memory.incidents import judge
from neo_core.recorder.recorder import thresholds_of
from neo_core.schedule.memory_gates import MemoryFacts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neo_core.config import MemoryConfig
    from neo_core.ledger.store import Ledger
    from neo_core.memory.forecast import Forecast
    from neo_core.memory.incidents import Watch
    from neo_core.memory.reading import Reading

_FRESH_SAMPLES = 3


def memory_facts(
    watch: Watch | None,
    config: MemoryConfig,
    reading: Reading,
    forecasts: dict[str, Forecast],
    *,
    overridden_by: str = "",
) -> MemoryFacts:
    """Return what the gates judge by.

    A judgement that is older than three samples is nobody's any more; a look of our own sees no duration, only levels.
    """
    if watch is not None and _is_fresh(watch, reading.at, config):
        phase, since, told = watch.phase, watch.since, watch.judgement
    else:
        told = judge(reading, thresholds_of(config), full_for=0.0)
        phase, since = told.phase, None
    return MemoryFacts(
        phase=phase,
        since=since,
        signal=told.signal,
        value=told.value,
        limit=told.limit,
        available=reading.available,
        reserve=config.reserve,
        overridden_by=overridden_by,
        forecasts=forecasts,
    )


def learned(ledger: Ledger, tasks: Iterable[str]) -> dict[str, Forecast]:
    """Return what is forecast from the past runs of ``tasks``, for those that have any. Raises ``LedgerError``."""
    found = {task: forecast(ledger.memory.peaks(task)) for task in tasks}
    return {task: one for task, one in found.items() if one is not None}


def _is_fresh(watch: Watch, now: float, config: MemoryConfig) -> bool:
    return watch.last_at is not None and abs(now - watch.last_at) <= _FRESH_SAMPLES * config.sample_every
