"""The strip on top, fitted to a width: who holds the lease, what waits, memory, orchestrator, health, the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, set_cell_size

from neo_console.format import age, clock_time, percent, plain, plural
from neo_console.rows.services import in_trouble
from neo_console.vocabulary import COLLISION, STARVED, Seen, Term, Tone, term
from neo_core.ledger.models import Trigger
from neo_core.memory.incidents import Phase
from neo_core.snapshot import HealthStatus, LeaseLight, LeaseView, OrchestratorState, TaskState

if TYPE_CHECKING:
    from neo_console.picture import Picture

_BAR, _NARROW_BAR = "  │  ", " │ "
_BARS = (_BAR, _NARROW_BAR)
_LONGEST_OWNER = 24
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


class Part(NamedTuple):
    """One word of the strip. ``rank`` 0 always stays; the lower one goes before the higher where room is short.

    With ``needs`` it stays only where the parts of that rank do.
    """

    text: str
    tone: Tone = Tone.PLAIN
    rank: int = 0
    strong: bool = False
    needs: int = 0


class Flags(NamedTuple):
    """What the console itself is doing; ``busy`` is what the orchestrator was just asked for."""

    read_only: str = ""
    frozen: bool = False
    busy: str = ""


def strip_parts(picture: Picture, now: float, flags: Flags) -> tuple[list[Part], list[Part]]:
    """Return the left and the right part of the strip."""
    left = [
        Part("LEASE", Tone.DIM, 7),
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
        right.append(Part(term(Seen.STALE).word.upper(), Tone.WAIT, 0, strong=True))
    if flags.frozen:
        right.append(Part("FROZEN", Tone.WAIT, 0, strong=True))
    if flags.read_only:
        right.append(Part("RO", Tone.WAIT, 0, strong=True))
    right.append(Part(clock_time(now), Tone.DIM))
    return left, right


def fit_parts(left: list[Part], right: list[Part], width: int) -> tuple[list[Part], list[Part]]:
    """Return what fits into ``width``: everything, or with narrow bars what matters most, rank by rank.

    A rank that does not fit is left out as a whole; a less important one may fit all the same.
    """
    room = width - _length(right) - 2
    if _length(left) <= room:
        return left, right
    narrow = [part._replace(text=_NARROW_BAR) if part.text == _BAR else part for part in left]
    taken = {0}
    for rank, needs in sorted({(part.rank, part.needs) for part in narrow}):
        if needs in taken and _length([part for part in narrow if part.rank in {*taken, rank}]) <= room:
            taken.add(rank)
    return [part for part in narrow if part.rank in taken], right


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
    parts = [Part(_clipped(plain(lease.owner)), strong=True)]
    if lease.acquired_at is not None:
        parts.append(Part(age(now - lease.acquired_at)))
    parts.append(Part(f"· {_started_by(lease, picture)}", Tone.DIM, 13))
    if lease.pid is not None:
        parts.append(Part(f"· pid {lease.pid}", Tone.DIM, 12))
    if lease.renewed_at is not None:
        parts.append(Part(f"· renewed {age(now - lease.renewed_at)} ago", Tone.DIM, 14))
    return parts


def _started_by(lease: LeaseView, picture: Picture) -> str:
    run = picture.run(lease.run_id) if lease.run_id else None
    return term(run.trigger).word if run else plain(lease.reason) or term(Trigger.MANUAL).word


def _clipped(text: str) -> str:
    return text if cell_len(text) <= _LONGEST_OWNER else set_cell_size(text, _LONGEST_OWNER - 1) + "…"


def _loud(shown: Term) -> str:
    return f"{shown.badge} {shown.word.upper()}"


def _collision(picture: Picture, now: float) -> list[Part]:
    return [Part(_loud(COLLISION), COLLISION.tone, 0, strong=True)] if picture.collisions(now).value else []


def _waiting(picture: Picture, now: float) -> list[Part]:
    schedule = picture.schedule(now).value
    tasks = schedule.tasks if schedule else ()
    waiting = sum(task.state is TaskState.WAITING for task in tasks)
    starved = sum(task.starved for task in tasks)
    parts = [Part(f"· {waiting} waiting", Tone.WAIT, 5)] if waiting else []
    if starved:
        parts.append(Part(f"· {starved} {STARVED.word}", STARVED.tone, 2, strong=True))
    return parts


def _services(picture: Picture, now: float) -> list[Part]:
    down = sum(in_trouble(service) for service in picture.services(now).value or ())
    return [Part(f"· {plural(down, 'service')} down", Tone.FAIL, 3, strong=True)] if down else []


def _memory(picture: Picture, now: float) -> list[Part]:
    view = picture.memory(now)
    bar, label = Part(_BAR, Tone.DIM, 8), Part("MEM", Tone.DIM, 8)
    if view.value is None:
        return [bar, label, Part("unknown" if view.seen is not Seen.LOADING else "…", Tone.UNKNOWN, 8)]
    memory = view.value
    free = None if memory.available is None or not memory.total else 100 * memory.available / memory.total
    pressure = "?" if memory.pressure is None else f"{memory.pressure:.1f}"
    shown = [
        bar,
        label,
        Part(f"{percent(free)} free", Tone.PLAIN, 8),
        Part(f"· PSI {pressure}", Tone.PLAIN, 11, needs=8),
    ]
    if memory.phase in (Phase.NORMAL, Phase.UNKNOWN):
        return shown
    word = term(memory.phase)
    loud = Part(_loud(word), word.tone, 2, strong=True)
    return [bar._replace(rank=2), label, loud, *shown[2:]]


def _orchestrator(picture: Picture, now: float, flags: Flags) -> list[Part]:
    """Show the pid of one that runs, the word of one that does not; trouble is the last to go."""
    view = picture.orchestrator(now)
    keeper = view.value
    if flags.busy:
        return _segment(Part(f"… {flags.busy}", Tone.WAIT, 1))
    if keeper is None:
        return _segment(Part("…" if view.seen is Seen.LOADING else "unknown", Tone.UNKNOWN, 6))
    shown = term(keeper.state)
    if keeper.state is OrchestratorState.RUNNING and view.seen is Seen.OK:
        name = str(keeper.pid or shown.word)
        return [*_segment(Part(shown.badge, shown.tone, 6)), Part(name, shown.tone, 9, needs=6)]
    if keeper.state in TROUBLED_KEEPER:
        tone = Tone.WAIT if keeper.state is OrchestratorState.STOPPED else shown.tone
        return _segment(Part(_loud(shown), tone, 1, strong=True))
    return _segment(Part(str(shown), Tone.UNKNOWN, 6))


def _segment(part: Part) -> list[Part]:
    return [Part(_BAR, Tone.DIM, part.rank), Part("ORCH", Tone.DIM, part.rank), part]


def _health(picture: Picture, now: float) -> list[Part]:
    """Show the verdict over everything unless it is good and fresh, which needs no word where room is short."""
    if picture.health is None:
        return []
    fresh = picture.stale_for(now) is None
    shown = term(picture.health.status if fresh else HealthStatus.UNKNOWN)
    rank = 10 if shown.tone is Tone.OK else 4
    return [Part(_BAR, Tone.DIM, rank), Part(str(shown), shown.tone, rank)]


def _length(parts: list[Part]) -> int:
    return sum(cell_len(part.text) for part in joined(parts))
