"""A moment of the memory in words, for the command line and the console; neither textual nor rich is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from neo_console.format import exactly, plain, size, took
from neo_console.vocabulary import outcome_term, reason_text, term
from neo_core.ledger.models import LeaseRole

if TYPE_CHECKING:
    from neo_core.ledger.models import Run
    from neo_core.memory.attribution import TreeCost
    from neo_core.memory.reading import Reading, Stall
    from neo_core.recorder.past import Then

_NOT_OURS = "other"


class Told(NamedTuple):
    """A label and what there is to say, in one line or several."""

    label: str
    lines: tuple[str, ...]


def amounts(reading: Reading) -> list[Told]:
    """Return the readings with their units; what the platform does not tell is unknown."""
    share = f" ({reading.available / reading.total:.0%})" if reading.available is not None and reading.total else ""
    available = "unknown" if reading.available is None else f"{size(reading.available)} of {size(reading.total)}{share}"
    told = [("available", available), ("swap", _swap(reading)), ("pressure", _pressure(reading))]
    if reading.limit is not None:
        most = size(reading.limit.max) if reading.limit.max is not None else "no limit"
        told.append(("limit", f"{size(reading.limit.current)} of {most} in {reading.limit.path}"))
    return [Told(label, (plain(text),)) for label, text in told]


def company(then: Then, now: float, lease: str = "") -> list[Told]:
    """Return who held the lease, what ran, what waited, and the open incident; ``lease`` says what its record does."""
    word = "is" if lease else "was"
    incidents = [
        f"{one.incident_id} {word} open ({term(one.phase).word} at its worst): neo-console incident {one.incident_id}"
        for one in then.incidents
    ]
    waiting = [f"{one.task}: {_reason(one.row)}{_patience(one.row)}" for one in then.waiting]
    return [
        Told("lease", (lease or lease_then(then),)),
        Told("runs", _or_none([_run(run, now) for run in then.runs])),
        Told("waiting", _or_none(waiting)),
        Told("incident", _or_none(incidents)),
    ]


def apart(seconds: float) -> str:
    """Return how far a sample is from what was asked for: ``2s after that``."""
    if abs(seconds) < 0.5:
        return "just then"
    return f"{took(round(abs(seconds)))} {'after' if seconds > 0 else 'before'} that"


def lease_then(then: Then) -> str:
    """Return who held the lease, and how that is known; what scripts and orphans do with it is not recorded."""
    if then.holder_run:
        return plain(f"held by {then.holder}, run {then.holder_run}")
    if then.holder:
        return plain(f"held by {then.holder}, as a start that waited for it says")
    if any(run.lease_role is LeaseRole.BORROWER for run in then.runs):
        return "held by whom the run below borrowed it from, which is no run of ours"
    return "no live run of ours held it; what a script, or what is left of a killed run, held is not recorded"


def tree_name(tree: TreeCost) -> str:
    """Return what a tree is called; one that is not ours has the pid too, for many have the name of an interpreter."""
    return plain(f"{tree.owner} {tree.pid}" if tree.kind == _NOT_OURS else tree.owner)


def looked(then: Then, now: float) -> str:
    """Return when the processes were looked at; in calm times that may be a quarter of a minute from the sample."""
    at, distance = looked_at(then, now)
    return f"{at}, {distance}" if distance else at


def looked_at(then: Then, now: float) -> tuple[str, str]:
    """Return when the processes were looked at, and how far from the sample that is where it is not then."""
    if then.looked_at is None or abs(then.at - then.looked_at) < 0.5:
        return f"Process trees at {exactly(then.at, now)}", ""
    distance = took(round(abs(then.looked_at - then.at)))
    where = "before" if then.looked_at < then.at else "after"
    return (
        f"Process trees at {exactly(then.looked_at, now)}",
        f"{distance} {where} the sample (in calm times every 30s)",
    )


def left_out(then: Then) -> list[str]:
    """Return that the record holds the dearest trees only, where it may have left some out."""
    return ["Only the dearest trees that are not ours were kept."] if then.cut else []


def _swap(reading: Reading) -> str:
    if reading.swap_used is None:
        return "unknown"
    if reading.swap_total == 0:
        return "none"
    of = f" of {size(reading.swap_total)}" if reading.swap_total else ""
    return f"{size(reading.swap_used)}{of} used"


def _pressure(reading: Reading) -> str:
    if reading.some is None and reading.full is None:
        return "unknown" if reading.level is None else f"the kernel's level {reading.level} (1 normal, 4 critical)"
    return f"PSI some {_stall(reading.some)}, full {_stall(reading.full)} (share of the last 10 s that waited)"


def _stall(stall: Stall | None) -> str:
    return "unknown" if stall is None else f"{stall.avg10:.1f} %"


def _run(run: Run, now: float) -> str:
    since = exactly(run.started_at, now) if run.started_at is not None else "unknown"
    ended = "" if run.live else f", in the end {outcome_term(run.outcome).word}"
    return f"{run.task} {run.run_id} since {since} ({term(run.lease_role).word}{ended})"


def _reason(row: Run | None) -> str:
    return "" if row is None else row.reason or reason_text(row.reason_code)


def _patience(row: Run | None) -> str:
    """Return who waited by hand; nothing where the orchestrator tried again."""
    if row is None or not row.patient:
        return ""
    return f" (run --wait by {row.requested_by})" if row.requested_by else " (run --wait)"


def _or_none(lines: list[str]) -> tuple[str, ...]:
    return tuple(map(plain, lines)) or ("none",)
