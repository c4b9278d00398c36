"""Runs as lanes on a time axis: one lane per task, what works still reaches to the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from neo_console.format import plain
from neo_console.vocabulary import Tone, outcome_term

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from neo_console.plot import Axis
    from neo_core.ledger.models import Run

_BAR = "━"


class Span(NamedTuple):
    """One run of a lane."""

    begin: float
    end: float
    tone: Tone


class Lane(NamedTuple):
    """The runs of one task, in the order of their starts."""

    name: str
    spans: tuple[Span, ...]
    live: bool


class Mark(NamedTuple):
    """One cell of a drawn lane."""

    text: str
    tone: Tone


def lanes_of(runs: Iterable[Run], begin: float, end: float) -> list[Lane]:
    """Return the lanes of what worked in an interval, what works still first, then the latest."""
    found: dict[str, list[Span]] = {}
    live: set[str] = set()
    for run in runs:
        if run.started_at is None:
            continue
        until = run.ended_at if run.ended_at is not None else end if run.live else max(run.started_at, run.last_at)
        if run.started_at > end or until < begin:
            continue
        found.setdefault(run.task, []).append(Span(run.started_at, until, outcome_term(run.outcome).tone))
        if run.live:
            live.add(run.task)
    lanes = [Lane(plain(task), tuple(sorted(spans)), task in live) for task, spans in found.items()]
    return sorted(lanes, key=lambda lane: (not lane.live, -max(span.end for span in lane.spans), lane.name))


def drawn_lane(lane: Lane, axis: Axis) -> list[Mark]:
    """Return one mark per cell: the bars, and the name where they leave room for it, else over them."""
    marks = [Mark(" ", Tone.PLAIN)] * axis.width
    for span in lane.spans:
        for cell in axis.cells(span.begin, span.end):
            marks[cell] = Mark(_BAR, span.tone)
    name = lane.name[: axis.width]
    for offset, char in enumerate(name, _place(marks, len(name))):
        marks[offset] = Mark(char, Tone.PLAIN)
    return marks


def _place(marks: Sequence[Mark], length: int) -> int:
    """Return where a name of ``length`` cells stands: after the last bar, before the first, or over the bars."""
    taken = [cell for cell, mark in enumerate(marks) if mark.text == _BAR]
    if not taken:
        return 0
    if taken[-1] + 2 + length <= len(marks):
        return taken[-1] + 2
    if taken[0] - 1 - length >= 0:
        return taken[0] - 1 - length
    return len(marks) - length
