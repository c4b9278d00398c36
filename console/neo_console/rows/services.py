"""The rows of the services: name, state, up, pid, restarts, what comes next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.format import NOTHING, age, brief, moment, plain
from neo_console.rows.model import About, Cell, Column, Row, words_of
from neo_console.subjects import service_subject
from neo_console.vocabulary import Tone, term
from neo_core.ledger.models import ServiceState

if TYPE_CHECKING:
    from neo_core.snapshot import ServiceView

COLUMNS = (
    Column("service", "service", 14),
    Column("state", "state", 11),
    Column("since", "since", 6, right=True, spare=1, falling=True),
    Column("pid", "pid", 7, right=True, spare=2),
    Column("restarts", "rst", 3, right=True, spare=3, falling=True),
    Column("next", "what comes next", 15, flexible=True),
)
IN_TROUBLE = (ServiceState.UNHEALTHY, ServiceState.BACKOFF, ServiceState.FATAL, ServiceState.STOPPED)
_COMING = {
    ServiceState.STARTING: "is asked soon",
    ServiceState.RUNNING: "goes on",
    ServiceState.UNHEALTHY: "does not answer",
    ServiceState.BACKOFF: "starts in a while",
    ServiceState.STOPPING: "is ending",
    ServiceState.STOPPED: "stays stopped",
    ServiceState.FATAL: "needs a hand",
}


def service_rows(services: tuple[ServiceView, ...], now: float) -> list[Row]:
    """Return one row for every service, in the engine's order."""
    return [_row(service, now) for service in services]


def in_trouble(service: ServiceView) -> bool:
    """Return whether it should be up and is not well; one that left the configuration is on its way out."""
    return service.wanted and bool(service.command) and service.state in IN_TROUBLE


def answers(service: ServiceView, now: float) -> bool:
    """Return whether its last good answer is as new as can be known: they are written down once a minute only."""
    return service.probed_at is not None and now - service.probed_at <= service.answer_lasts


def coming(service: ServiceView, now: float) -> str:
    """Return what happens to the service next, in a few words."""
    if not service.kept and service.wanted:
        return "nobody keeps it"
    match service.state:
        case ServiceState.BACKOFF if service.next_start_at is not None:
            left = service.next_start_at - now
            return f"starts in {brief(left)}" if left > 0 else "starts now"
        case ServiceState.RUNNING if service.probed_at is not None:
            return "answers" if answers(service, now) else f"answered {brief(now - service.probed_at)} ago"
        case ServiceState.STOPPED if service.wanted:
            return "starts in a moment"
        case _:
            return _COMING[service.state]


def _row(service: ServiceView, now: float) -> Row:
    shown, name = term(service.state), plain(service.name)
    lasted = None if service.since is None else now - service.since
    cells = (
        Cell(name, strong=True),
        Cell(str(shown), shown.tone),
        Cell(NOTHING if lasted is None else age(lasted), Tone.DIM),
        Cell(NOTHING if service.pid is None else str(service.pid), Tone.DIM),
        Cell(str(service.restarts), Tone.WAIT if service.restarts else Tone.DIM),
        _coming(service, now),
    )
    words = words_of(cells, service.title, plain(service.command), service.endpoint)
    return Row(
        service_subject(service.name),
        cells,
        plain(words),
        name,
        (service.state.value, shown.word),
        (name, shown.word, lasted, service.pid, service.restarts, service.next_start_at),
        About(plain(service.sentence), name, lasted),
    )


def _coming(service: ServiceView, now: float) -> Cell:
    short, shown = plain(coming(service, now)), term(service.state)
    when = ""
    if service.state is ServiceState.BACKOFF and service.next_start_at is not None:
        when = f" · {moment(service.next_start_at, now, seconds=True)}"
    tone = Tone.DIM if service.state is ServiceState.RUNNING else shown.tone
    if service.wanted and not service.kept:
        tone = Tone.WAIT
    return Cell(short, tone, f"{short}{when}: {plain(service.sentence)}")
