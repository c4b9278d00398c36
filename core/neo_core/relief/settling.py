"""Measuring what a relief freed, once it had time to: by whoever records the memory, or by who asked for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from neo_core.durations import format_duration
from neo_core.ledger.reliefs import Relief, ReliefKind
from neo_core.processes.source import is_alive
from neo_core.relief.trees import look_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neo_core.ledger.models import Run
    from neo_core.ledger.store import Ledger
    from neo_core.processes.source import ProcessSource

LATEST = 600.0  # seconds; what is measured later tells nothing about the relief any more


class Standing(NamedTuple):
    """Whether a relief can be measured now; with a ``note`` it never will be, and that says why."""

    due: bool
    note: str = ""


def standing(
    relief: Relief, now: float, settle: float, *, asker_lives: bool, run: Run | None = None, same_boot: bool = True
) -> Standing:
    """Return whether it is time to measure: ``settle`` seconds after the act, or after the stopped run's end."""
    since = relief.asked_at if relief.done_at is None else relief.done_at
    if not same_boot or now < since:
        what = "the clock was set back" if same_boot else "the machine was started again"
        return Standing(True, f"{what} before it was measured")
    young = now - since <= LATEST
    stopped = run if relief.kind is ReliefKind.STOP else None
    if young and ((relief.result is None and asker_lives) or (stopped is not None and stopped.live)):
        return Standing(False)
    if stopped is not None:
        since = max(since, min(stopped.ended_at or since, now))
    if now - since > settle + LATEST:
        return Standing(True, f"nobody recorded the memory within {format_duration(LATEST)} after it")
    return Standing(now - since >= settle)


class Now(NamedTuple):
    """The machine at the moment of measuring: the wall clock, and the available memory in bytes."""

    at: float
    available: int | None
    source: ProcessSource


def settle_due(ledger: Ledger, now: Now, settle: float, *, only: int = 0) -> int:
    """Measure every relief (or the one numbered ``only``) that was done ``settle`` seconds ago; return how many.

    Raises ``LedgerError``.
    """
    return sum(_settle(ledger, one, now, settle) for one in ledger.reliefs.open() if only in (0, one.relief_id))


def as_known(reliefs: Iterable[Relief], source: ProcessSource) -> list[Relief]:
    """Return them with the truth about those whose asker is gone without saying how it went."""
    return [one.abandoned() if one.result is None and not is_alive(one.asker, source) else one for one in reliefs]


def _settle(ledger: Ledger, relief: Relief, now: Now, settle: float) -> bool:
    runs = ledger.runs.find(relief.target) if relief.kind is ReliefKind.STOP else []
    boot = now.source.boot_id()
    told = standing(
        relief,
        now.at,
        settle,
        asker_lives=relief.result is None and is_alive(relief.asker, now.source),
        run=next((run for run in runs if run.run_id == relief.target), None),
        same_boot=not (boot and relief.boot_id) or boot == relief.boot_id,
    )
    if not told.due:
        return False
    number = relief.relief_id
    if told.note:
        return ledger.reliefs.settle(number, at=now.at, tree=None, available=None, note=told.note)
    tree, note = _measured(relief, now.source)
    return ledger.reliefs.settle(number, at=now.at, tree=tree, available=now.available, note=note)


def _measured(relief: Relief, source: ProcessSource) -> tuple[int | None, str]:
    """Return what is left of the processes' memory; ``None`` when that cannot be told, and why."""
    if not relief.members:
        return None, "its processes were not known"
    left = look_at(relief.members, source)
    if relief.kind is ReliefKind.UNLOAD and not left.members:
        return None, "its process ended meanwhile"
    return left.cost, ""
