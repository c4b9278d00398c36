"""Everything known about a service, and what happened to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.drawing import Fact, Heading
from neo_console.format import age, ago, countdown, moment
from neo_console.rows.services import answers
from neo_console.vocabulary import Tone, term

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neo_core.ledger.models import ServiceEvent
    from neo_core.snapshot import ServiceView


def service_facts(service: ServiceView, now: float) -> list[Heading | Fact]:
    """Return what is known about the service; a fact that does not apply is empty."""
    shown = term(service.state)
    lasts = f" for {age(now - service.since)}" if service.since is not None else ", never started"
    again = countdown(service.next_start_at, now) if service.next_start_at is not None else ""
    return [
        Heading(f"Service {service.name}"),
        Fact("what", service.title),
        Fact("state", f"{shown}{lasts}", shown.tone),
        Fact("meaning", service.sentence),
        Fact("wanted", "it should run" if service.wanted else "an operator stopped it"),
        Fact("kept", "by the orchestrator" if service.kept else "by nobody", Tone.PLAIN if service.kept else Tone.WAIT),
        Fact("next start", again, Tone.WAIT),
        Heading("Process"),
        Fact("pid", "none" if service.pid is None else str(service.pid)),
        Fact("started", ago(service.started_at, now) if service.started_at is not None else ""),
        Fact("adopted", "found running by a new orchestrator" if service.adopted else ""),
        Fact("endpoint", service.endpoint),
        Fact("last answer", _last_answer(service, now)),
        Fact("restarts", str(service.restarts)),
        Fact("faults", f"{service.failures} in a row" if service.failures else ""),
        Fact("last exit", service.last_exit),
        Fact("command line", service.command),
    ]


def _last_answer(service: ServiceView, now: float) -> str:
    if service.probed_at is None:
        return ""
    return (
        f"{ago(service.probed_at, now)}, noted once a minute" if answers(service, now) else ago(service.probed_at, now)
    )


def event_facts(events: Sequence[ServiceEvent], now: float) -> list[Heading | Fact]:
    """Return what happened to it, newest first."""
    parts: list[Heading | Fact] = [Heading("What happened")]
    for event in events:
        shown = term(event.state)
        pid = f", pid {event.pid}" if event.pid is not None else ""
        because = f": {event.reason}" if event.reason else ""
        parts.append(Fact(moment(event.at, now, seconds=True), f"{shown}{pid}{because}", shown.tone))
    return parts if events else []
