"""An operator ends a stray: checked again at that moment, written down before and after."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, NamedTuple

from neo_core.clock import to_iso
from neo_core.durations import format_duration
from neo_core.errors import NeoError
from neo_core.ledger.models import ControlKind
from neo_core.snapshot_strays import StrayEnd, StrayKind
from neo_core.strays.stop import GRACE, choose, end_stray, refuse_foreign

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from neo_core.clock import Clock
    from neo_core.ledger.store import Ledger
    from neo_core.processes.source import ProcessSource
    from neo_core.profiles import Task
    from neo_core.services.catalogue import Service
    from neo_core.snapshot_strays import StrayStop, StraysView, StrayView

_LONGEST_GRACE = 10.0
_SETTLE_WITHIN, _SETTLE_PAUSE = 6.0, 0.25


class Manner(NamedTuple):
    """How a stray is asked to end, and for how many seconds it may take."""

    number: signal.Signals
    grace: float


def manner_of(stray: StrayView, tasks: Mapping[str, Task], services: Mapping[str, Service]) -> Manner:
    """Return how what it was started as is configured to end, at most ten seconds; else TERM and five."""
    if stray.kind is StrayKind.RUN and stray.owner in tasks:
        return Manner(signal.SIGTERM, min(tasks[stray.owner].grace, _LONGEST_GRACE))
    if stray.service in services:
        service = services[stray.service]
        return Manner(signal.Signals[f"SIG{service.stop_signal}"], min(service.stop_grace, _LONGEST_GRACE))
    return Manner(signal.SIGTERM, GRACE)


def pick(view: StraysView, pid: int, start_time: int | None, source: ProcessSource, *, foreign: bool) -> StrayView:
    """Return the stray that may be ended; raises ``NeoError`` for what is none, or not ours without ``foreign``."""
    stray = choose(view, pid, start_time, source)
    if stray.foreign and not foreign:
        age = "of unknown age" if stray.age is None else f"{format_duration(float(int(stray.age)))} old"
        raise refuse_foreign(stray, age)
    return stray


def act_on(
    stray: StrayView,
    manner: Manner,
    ledger: Ledger,
    *,
    source: ProcessSource,
    clock: Clock,
    because: str,
    who: str,
) -> StrayStop:
    """End it, with a row of who, what and why before and how it went after. Raises ``LedgerError`` before it acts."""
    told = "; ".join(part for part in (f"{stray.label} {stray.sentence}: {stray.command[:200]}", because) if part)
    control = ledger.controls.add(
        ControlKind.STRAY_STOP,
        f"{stray.pid} {stray.start_time}",
        at=clock.now(),
        because=told,
        force=stray.foreign,
        requested_by=who,
    )
    if stray.run_id:
        why = f" ({because})" if because else ""
        told_row = f"what was left of it, {stray.label}, was ended by {who} at {to_iso(control.created_at)}{why}"
        ledger.runs.add_to_reason(stray.run_id, told_row)
    done = end_stray(stray, source, clock, manner.number, manner.grace)
    ledger.controls.conclude(control.control_id, clock.now(), f"{told} → {done.sentence}")
    return done


def left_of_service(name: str, look: Callable[[], StraysView], clock: Clock) -> list[StrayView]:
    """Return what is left of earlier starts of a service, also of those whose records were removed.

    Waits at most 6 s for what of it is too new to be called a stray. ``look`` makes a pass over the machine.
    """
    deadline = clock.monotonic() + _SETTLE_WITHIN
    view = look()
    while name in view.settling_services and clock.monotonic() < deadline:
        clock.sleep(_SETTLE_PAUSE)
        view = look()
    return [one for one in view.found if one.service == name]


def told_of(stops: list[StrayStop], service: str) -> str:
    """Return in words what ended besides the service; raises ``NeoError`` naming what did not."""
    for one in stops:
        if one.end is StrayEnd.SURVIVED:
            raise NeoError(f"service {service}", f"is not stopped: {one.sentence}", "See: neo-console strays.")
    return "; ".join(f"of an earlier start {one.sentence}" for one in stops)
