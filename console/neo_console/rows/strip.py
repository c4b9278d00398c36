"""The strip on top, fitted to a width: who holds the lease, what waits, memory, flags, the clock; and its banners."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from neo_console.format import age, clock_time, moment, percent, plain
from neo_console.vocabulary import Seen, Tone, term
from neo_core.ledger.models import Trigger
from neo_core.snapshot import LeaseLight, LeaseView, TaskState

if TYPE_CHECKING:
    from neo_console.picture import Picture

_BAR = "  │  "
_TROUBLED = (
    LeaseLight.OVERDUE,
    LeaseLight.ORPHANED,
    LeaseLight.STALE,
    LeaseLight.MALFORMED,
    LeaseLight.UNREADABLE,
    LeaseLight.UNKNOWN,
)


class Part(NamedTuple):
    """One word of the strip. ``rank`` 0 always stays; the highest goes first where there is no room."""

    text: str
    tone: Tone = Tone.PLAIN
    rank: int = 0
    strong: bool = False


class Flags(NamedTuple):
    """What the console itself is doing."""

    read_only: str = ""
    frozen: bool = False


def strip_parts(picture: Picture, now: float, flags: Flags) -> tuple[list[Part], list[Part]]:
    """Return the left and the right part of the strip."""
    left = [Part("LEASE", Tone.DIM, 1), *_lease(picture, now), *_waiting(picture, now), *_memory(picture, now)]
    right: list[Part] = []
    if picture.stale_for(now) is not None:
        right.append(Part("STALE", Tone.WAIT, 0, strong=True))
    if flags.frozen:
        right.append(Part("FROZEN", Tone.WAIT, 0, strong=True))
    if flags.read_only:
        right.append(Part("RO", Tone.WAIT, 0, strong=True))
    right.append(Part(clock_time(now), Tone.DIM))
    return left, right


def fit_parts(left: list[Part], right: list[Part], width: int) -> tuple[list[Part], list[Part]]:
    """Drop the least important parts until both sides fit into ``width``."""
    kept = list(left)
    while _length(kept) + _length(right) + 2 > width:
        rank = max((part.rank for part in kept), default=0)
        if not rank:
            break
        kept = [part for part in kept if part.rank != rank]
    return kept, right


def joined(parts: list[Part]) -> list[Part]:
    """Return the parts with the blanks between them."""
    spaced: list[Part] = []
    for part in parts:
        if spaced and part.text != _BAR and spaced[-1].text != _BAR:
            spaced.append(Part(" "))
        spaced.append(part)
    return spaced


def banners(picture: Picture, now: float, flags: Flags) -> list[Part]:
    """Return what must be read before anything else, a line each; the first word of each is its badge."""
    lines: list[Part] = []
    stale = picture.stale_for(now)
    if stale is not None:
        why = picture.failure or "the collector has not answered since"
        lines.append(Part(f"◌ STALE  this picture is {age(stale)} old: {plain(why)}", Tone.WAIT))
    lease = picture.lease(now).value
    if lease is not None and lease.light in _TROUBLED:
        shown = term(lease.light)
        mend = f" — {lease.mend}" if lease.mend else ""
        lines.append(Part(f"{shown.badge} LEASE  {plain(lease.sentence)}{plain(mend)}", shown.tone))
    lines.extend(_pause(picture, now))
    if flags.read_only:
        lines.append(Part(f"‖ RO  nothing can be changed from here: {plain(flags.read_only)}", Tone.WAIT))
    return lines


def _lease(picture: Picture, now: float) -> list[Part]:
    view = picture.lease(now)
    if view.value is None:
        shown = term(view.seen if view.seen is not Seen.OK else Seen.UNKNOWN)
        return [Part(f"{shown.badge} {shown.word.upper()}", shown.tone, strong=True)]
    lease = view.value
    shown = term(lease.light)
    tone = shown.tone if view.seen is Seen.OK else Tone.UNKNOWN
    return [Part(f"{shown.badge} {shown.word.upper()}", tone, strong=True), *_holder(lease, picture, now)]


def _holder(lease: LeaseView, picture: Picture, now: float) -> list[Part]:
    if not lease.owner:
        return []
    parts = [Part(plain(lease.owner), strong=True)]
    if lease.acquired_at is not None:
        parts.append(Part(age(now - lease.acquired_at)))
    parts.append(Part(f"· {_started_by(lease, picture)}", Tone.DIM, 5))
    if lease.pid is not None:
        parts.append(Part(f"· pid {lease.pid}", Tone.DIM, 4))
    if lease.renewed_at is not None:
        parts.append(Part(f"· renewed {age(now - lease.renewed_at)} ago", Tone.DIM, 6))
    return parts


def _started_by(lease: LeaseView, picture: Picture) -> str:
    run = picture.run(lease.run_id) if lease.run_id else None
    return term(run.trigger).word if run else plain(lease.reason) or term(Trigger.MANUAL).word


def _waiting(picture: Picture, now: float) -> list[Part]:
    schedule = picture.schedule(now).value
    waiting = [task for task in schedule.tasks if task.state is TaskState.WAITING] if schedule else []
    return [Part(f"· {len(waiting)} waiting", Tone.WAIT, 2)] if waiting else []


def _memory(picture: Picture, now: float) -> list[Part]:
    view = picture.memory(now)
    bar, label = Part(_BAR, Tone.DIM, 3), Part("MEM", Tone.DIM, 3)
    if view.value is None:
        return [bar, label, Part("unknown" if view.seen is not Seen.LOADING else "…", Tone.UNKNOWN, 3)]
    memory = view.value
    free = 100 * memory.available / memory.total if memory.total else None
    pressure = "?" if memory.pressure is None else f"{memory.pressure:.1f}"
    return [bar, label, Part(f"{percent(free)} free", Tone.PLAIN, 3), Part(f"· PSI {pressure}", Tone.PLAIN, 3)]


def _pause(picture: Picture, now: float) -> list[Part]:
    schedule = picture.schedule(now).value
    if schedule is None or schedule.pause is None:
        return []
    pause = schedule.pause
    until = f"until {moment(pause.until, now)}" if pause.until is not None else "until it is ended by hand"
    by = f" by {plain(pause.requested_by)}" if pause.requested_by else ""
    return [Part(f"‖ PAUSED  nothing starts {until}{by}: {plain(pause.because) or 'no reason given'}", Tone.CALM)]


def _length(parts: list[Part]) -> int:
    return sum(len(part.text) for part in joined(parts))
