"""The rows of the memory incidents: number, began, lasted, worst signal, least available, what grew most."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.format import NOTHING, age, moment, plain, size
from neo_console.rows.model import Cell, Column, Row, words_of
from neo_console.subjects import incident_subject
from neo_console.thens import tree_name
from neo_console.vocabulary import Tone, term

if TYPE_CHECKING:
    from neo_core.ledger.memory import Incident
    from neo_core.memory.attribution import Growth

COLUMNS = (
    Column("number", "no", 4, right=True),
    Column("began", "began", 9, falling=True),
    Column("lasted", "lasted", 13, least=7, falling=True),
    Column("worst", "worst", 33, least=10),
    Column("least", "least", 5, right=True, spare=1),
    Column("grew", "grew most", 20, flexible=True, least=11),
)


def incident_rows(incidents: list[Incident], now: float) -> list[Row]:
    """Return a row for every incident, in the order given."""
    return [_row(one, now) for one in incidents]


def _row(incident: Incident, now: float) -> Row:
    shown = term(incident.phase)
    most = incident.trees[0] if incident.trees else None
    open_now = incident.ended_at is None
    so_far = age((incident.ended_at or now) - incident.began_at)
    cells = (
        Cell(str(incident.incident_id), Tone.DIM),
        Cell(moment(incident.began_at, now, seconds=True), strong=True),
        Cell(f"≥{so_far}", Tone.WAIT, f"{so_far} so far") if open_now else Cell(so_far),
        Cell(str(shown), shown.tone, plain(f"{shown}: {incident.worst.signal} {incident.worst.value}")),
        Cell(size(incident.least_available)),
        _grew(most),
    )
    status = (incident.phase.value, shown.word)
    return Row(incident_subject(incident.incident_id), cells, words_of(cells), "", status)


def _grew(most: Growth | None) -> Cell:
    if most is None:
        return Cell(NOTHING)
    grown = size(most.grown)
    return Cell(f"{plain(most.tree.owner)} +{grown}", full=f"{tree_name(most.tree)} +{grown}")
