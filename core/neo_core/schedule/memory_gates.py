"""The two gates of memory: nothing heavy starts into pressure, nor into memory that it will probably not find.

Only an operator's explicit override passes them, and the decision says whose it was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from neo_core.clock import local_time
from neo_core.ledger.models import Outcome
from neo_core.memory.forecast import Forecast, fits
from neo_core.memory.incidents import Phase
from neo_core.schedule.decision import Gate, GateResult, Reason, Verdict
from neo_core.sizes import in_mib

if TYPE_CHECKING:
    from neo_core.profiles import Task


class MemoryFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The machine's memory as far as admission cares; ``available`` and ``reserve`` in bytes.

    ``phase`` began at ``since`` because ``signal`` had a ``value`` beyond its ``limit``. ``forecasts`` holds what each
    task needed in the past. ``overridden_by`` is the operator who starts all the same.
    """

    phase: Phase = Phase.UNKNOWN
    since: float | None = None
    signal: str = ""
    value: str = ""
    limit: str = ""
    available: int | None = None
    reserve: int = 0
    overridden_by: str = ""
    forecasts: dict[str, Forecast] = msgspec.field(default_factory=dict)


def pressure_gate(task: Task, memory: MemoryFacts, now: float) -> GateResult:
    """Block heavy starts from the first sign of pressure until it has been calm for the configured time."""
    gate = Gate.MEMORY_PRESSURE
    if not task.heavy:
        return GateResult(gate=gate, verdict=Verdict.NOT_APPLICABLE, value="light task")
    if memory.phase in (Phase.NORMAL, Phase.UNKNOWN):
        return GateResult(gate=gate, verdict=Verdict.PASS, value=f"memory {memory.phase}")
    value = f"{memory.signal} {memory.value}"
    if memory.overridden_by:
        return GateResult(gate=gate, verdict=Verdict.PASS, value=f"{value}, overridden by {memory.overridden_by}")
    since = f" since {local_time(memory.since, now)}" if memory.since is not None else ""
    return GateResult(
        gate=gate,
        verdict=Verdict.BLOCK,
        value=value,
        limit=memory.limit,
        clears_when="the memory has been calm for the configured time",
        reason=str(Reason.MEMORY_PRESSURE),
        outcome=Outcome.DEFERRED,
        sentence=f"memory is {memory.phase}{since}: {value} (limit {memory.limit})",
        blocker="memory",
    )


def forecast_gate(task: Task, memory: MemoryFacts) -> GateResult:
    """Block a heavy start whose past runs needed more than is available beside the reserve; no past, no forecast."""
    gate = Gate.MEMORY_FORECAST
    if not task.heavy:
        return GateResult(gate=gate, verdict=Verdict.NOT_APPLICABLE, value="light task")
    told = memory.forecasts.get(task.name)
    if told is None:
        return GateResult(gate=gate, verdict=Verdict.NOT_APPLICABLE, value="no past runs to learn from")
    if memory.available is None:
        return GateResult(gate=gate, verdict=Verdict.NOT_APPLICABLE, value="available memory is unknown")
    runs = "run" if told.samples == 1 else "runs"
    value = f"needs {in_mib(told.peak)} (95 % of {told.samples} {runs})"
    limit = f"{in_mib(memory.available)} available, {in_mib(memory.reserve)} of it kept free"
    if fits(told, memory.available, memory.reserve):
        return GateResult(gate=gate, verdict=Verdict.PASS, value=value, limit=limit)
    if memory.overridden_by:
        overridden = f"{value}, overridden by {memory.overridden_by}"
        return GateResult(gate=gate, verdict=Verdict.PASS, value=overridden, limit=limit)
    missing = told.peak + memory.reserve - memory.available
    return GateResult(
        gate=gate,
        verdict=Verdict.BLOCK,
        value=value,
        limit=limit,
        clears_when=f"{in_mib(missing)} more are available",
        reason=str(Reason.MEMORY_FORECAST),
        outcome=Outcome.DEFERRED,
        sentence=f"{task.name} {value}, but there is {limit}",
        blocker="memory",
    )
