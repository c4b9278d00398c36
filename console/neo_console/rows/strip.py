"""The strip on top, fitted to a width: who holds the lease, what waits, memory, orchestrator, health, the clock.

Where not everything fits, the parts go in the order of ``Rank``, the last of it first. What has no rank never goes:
the lease's word and its owner, the orchestrator's badge, the health's word.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, set_cell_size

from neo_console.format import age, clock_time, percent, plain, plural
from neo_console.living import how_asked
from neo_console.rows.services import in_trouble
from neo_console.vocabulary import COLLISION, STARVED, Seen, Term, Tone, term
from neo_core.memory.incidents import Phase
from neo_core.snapshot import HealthStatus, LeaseLight, LeaseView, OrchestratorState, TaskState

if TYPE_CHECKING:
    from neo_console.picture import Picture

_BAR, _NARROW_BAR = "  │  ", " │ "
_BARS = (_BAR, _NARROW_BAR)
_LONGEST_OWNER, _SHORTEST_OWNER = 24, 5
TROUBLED_LEASE = (
    LeaseLight.OVERDUE,
    LeaseLight.ORPHANED,
    LeaseLight.STALE,
    LeaseLight.MALFORMED,
    LeaseLight.UNREADABLE,
    LeaseLight.UNKNOWN,
)
TROUBLED_KEEPER = (
    OrchestratorState.SILENT,
    OrchestratorState.STOPPED,
    OrchestratorState.KILLED,
    OrchestratorState.CRASHED,
)


class Rank(IntEnum):
    """What stays longest where room is short; ``ALWAYS`` stays whatever the width."""

    ALWAYS = 0
    COLLISION = 1
    AGE = 2
    KEEPER_WORD = 3
    PRESSURE = 4
    STARVED = 5
    DOWN = 6
    WAITING = 7
    PID = 8
    KEEPER_PID = 9
    LABEL = 10
    MEMORY = 11
    STALL = 12
    STARTED_BY = 13
    RENEWED = 14


class Part(NamedTuple):
    """One word of the strip. The higher ``rank`` goes before the lower where room is short.

    With ``needs`` it stays only where the parts of that rank do. With ``least`` it is cut to so many cells before
    anything else of its rank would be cut off.
    """

    text: str
    tone: Tone = Tone.PLAIN
    rank: Rank = Rank.ALWAYS
    strong: bool = False
    needs: Rank = Rank.ALWAYS
    least: int = 0


class Flags(NamedTuple):
    """What the console itself is doing; ``busy`` is what the orchestrator was just asked for.

    Frozen tables show what was so at ``frozen_at``, 0 for unknown.
    """

    read_only: str = ""
    frozen: bool = False
    busy: str = ""
    frozen_at: float = 0.0


def strip_parts(picture: Picture, now: float, flags: Flags) -> tuple[list[Part], list[Part]]:
    """Return the left and the right part of the strip."""
    left = [
        Part("LEASE", Tone.DIM, Rank.LABEL),
        *_lease(picture, now),
        *_collision(picture, now),
        *_waiting(picture, now),
        *_services(picture, now),
        *_memory(picture, now),
        *_orchestrator(picture, now, flags),
        *_health(picture, now),
    ]
    right: list[Part] = []
    if picture.stale_for(now) is not None:
        right.append(Part(term(Seen.STALE).word.upper(), Tone.WAIT, strong=True))
    if flags.frozen:
        right.append(Part("FROZEN", Tone.WAIT, strong=True))
        right += [Part(f"since {clock_time(flags.frozen_at)}", Tone.WAIT)] if flags.frozen_at else []
    if flags.read_only:
        right.append(Part("RO", Tone.WAIT, strong=True))
    right.append(Part(f"· {clock_time(now)}" if flags.frozen_at else clock_time(now), Tone.DIM))
    return left, right


def fit_parts(left: list[Part], right: list[Part], width: int) -> tuple[list[Part], list[Part]]:
    """Return what fits into ``width``: everything, or with narrow bars what matters most, rank by rank.

    A rank that does not fit is left out as a whole; a less important one may fit all the same. Where even what always
    stays has no room, the owner is cut, and before the rest is, the clock goes.
    """
    room = width - _length(right) - 2
    if _length(left) <= room:
        return left, right
    narrow = [part._replace(text=_NARROW_BAR) if part.text == _BAR else part for part in left]
    taken = {Rank.ALWAYS}
    for rank, needs in sorted({(part.rank, part.needs) for part in narrow}):
        if needs in taken and _length([part for part in narrow if part.rank in {*taken, rank}]) <= room:
            taken.add(rank)
    kept = [part for part in narrow if part.rank in taken]
    over = _length(kept) - room
    if over > sum(cell_len(part.text) - part.least for part in kept if part.least) and len(right) > 1:
        return fit_parts(left, right[:-1], width)  # the clock goes before the last words do
    return [_shortened(part, over) for part in kept], right


def _shortened(part: Part, over: int) -> Part:
    """Return the part with ``over`` cells less where it may be cut."""
    length = cell_len(part.text)
    room = max(part.least, length - over)
    return part._replace(text=set_cell_size(part.text, room - 1) + "…") if part.least and room < length else part


def joined(parts: list[Part]) -> list[Part]:
    """Return the parts with the blanks between them."""
    spaced: list[Part] = []
    for part in parts:
        if spaced and part.text not in _BARS and spaced[-1].text not in _BARS:
            spaced.append(Part(" "))
        spaced.append(part)
    return spaced


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
    parts = [Part(_clipped(plain(lease.owner)), strong=True, least=_SHORTEST_OWNER)]
    if lease.acquired_at is not None:
        parts.append(Part(age(now - lease.acquired_at), rank=Rank.AGE))
    parts.append(Part(f"· {_started_by(lease, picture)}", Tone.DIM, Rank.STARTED_BY))
    if lease.pid is not None:
        parts.append(Part(f"· pid {lease.pid}", Tone.DIM, Rank.PID))
    if lease.renewed_at is not None:
        parts.append(Part(f"· renewed {age(now - lease.renewed_at)} ago", Tone.DIM, Rank.RENEWED))
    return parts


def lease_now(picture: Picture, now: float) -> str:
    """Return in one line what the strip says of the lease, with its holder's pid."""
    view = picture.lease(now)
    if view.value is None:
        return f"{term(view.seen)}: {plain(view.error)}" if view.error else str(term(view.seen))
    lease = view.value
    parts = [str(term(lease.light)).upper()]
    if lease.owner:
        parts += [lease.owner, _started_by(lease, picture), f"pid {lease.pid or 'unknown'}"]
    if lease.owner and lease.acquired_at is not None:
        parts.append(f"for {age(now - lease.acquired_at)}")
    return plain(" · ".join(parts))


def _started_by(lease: LeaseView, picture: Picture) -> str:
    return plain(how_asked(lease, picture.run(lease.run_id) if lease.run_id else None))


def _clipped(text: str) -> str:
    return text if cell_len(text) <= _LONGEST_OWNER else set_cell_size(text, _LONGEST_OWNER - 1) + "…"


def _loud(shown: Term) -> str:
    return f"{shown.badge} {shown.word.upper()}"


def _collision(picture: Picture, now: float) -> list[Part]:
    return (
        [Part(_loud(COLLISION), COLLISION.tone, Rank.COLLISION, strong=True)] if picture.collisions(now).value else []
    )


def _waiting(picture: Picture, now: float) -> list[Part]:
    schedule = picture.schedule(now).value
    tasks = schedule.tasks if schedule else ()
    waiting = sum(task.state is TaskState.WAITING for task in tasks)
    starved = sum(task.starved for task in tasks)
    parts = [Part(f"· {waiting} waiting", Tone.WAIT, Rank.WAITING)] if waiting else []
    if starved:
        parts.append(Part(f"· {starved} {STARVED.word}", STARVED.tone, Rank.STARVED, strong=True))
    return parts


def _services(picture: Picture, now: float) -> list[Part]:
    down = sum(in_trouble(service) for service in picture.services(now).value or ())
    return [Part(f"· {plural(down, 'service')} down", Tone.FAIL, Rank.DOWN, strong=True)] if down else []


def _memory(picture: Picture, now: float) -> list[Part]:
    view, rank = picture.memory(now), Rank.MEMORY
    bar, label = Part(_BAR, Tone.DIM, rank), Part("MEM", Tone.DIM, rank)
    if view.value is None:
        return [bar, label, Part("unknown" if view.seen is not Seen.LOADING else "…", Tone.UNKNOWN, rank)]
    memory = view.value
    free = None if memory.available is None or not memory.total else 100 * memory.available / memory.total
    pressure = "?" if memory.pressure is None else f"{memory.pressure:.1f}"
    shown = [
        bar,
        label,
        Part(f"{percent(free)} free", Tone.PLAIN, rank),
        Part(f"· PSI {pressure}", Tone.PLAIN, Rank.STALL, needs=rank),
    ]
    if memory.phase in (Phase.NORMAL, Phase.UNKNOWN):
        return shown
    word = term(memory.phase)
    loud = Part(_loud(word), word.tone, Rank.PRESSURE, strong=True)
    return [bar._replace(rank=Rank.PRESSURE), label, loud, *shown[2:]]


def _orchestrator(picture: Picture, now: float, flags: Flags) -> list[Part]:
    """Show the badge, and the pid of one that runs or the word of one that does not."""
    view = picture.orchestrator(now)
    keeper = view.value
    if flags.busy:
        return _segment("…", Tone.WAIT, Part(flags.busy, Tone.WAIT, Rank.KEEPER_WORD))
    if keeper is None:
        loading = view.seen is Seen.LOADING
        word = [] if loading else [Part("unknown", Tone.UNKNOWN, Rank.KEEPER_WORD)]
        return _segment("…" if loading else "?", Tone.UNKNOWN, *word)
    shown = term(keeper.state)
    if keeper.state is OrchestratorState.RUNNING and view.seen is Seen.OK:
        return _segment(shown.badge, shown.tone, Part(str(keeper.pid or shown.word), shown.tone, Rank.KEEPER_PID))
    if keeper.state in TROUBLED_KEEPER:
        tone = Tone.WAIT if keeper.state is OrchestratorState.STOPPED else shown.tone
        return _segment(shown.badge, tone, Part(shown.word.upper(), tone, Rank.KEEPER_WORD, strong=True))
    return _segment(shown.badge, Tone.UNKNOWN, Part(shown.word, Tone.UNKNOWN, Rank.KEEPER_WORD))


def _segment(badge: str, tone: Tone, *after: Part) -> list[Part]:
    return [Part(_BAR, Tone.DIM), Part("ORCH", Tone.DIM), Part(badge, tone, strong=tone is not Tone.OK), *after]


def _health(picture: Picture, now: float) -> list[Part]:
    """Show the verdict over everything; of a picture that is not fresh it is unknown."""
    if picture.health is None:
        return []
    fresh = picture.stale_for(now) is None
    shown = term(picture.health.status if fresh else HealthStatus.UNKNOWN)
    return [Part(_BAR, Tone.DIM), Part(str(shown), shown.tone)]


def _length(parts: list[Part]) -> int:
    return sum(cell_len(part.text) for part in joined(parts))
