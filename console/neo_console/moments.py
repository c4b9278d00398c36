"""One moment of a memory incident, drawn: a line like the strip, the trees, and what coincided. Only plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from neo_console.drawing import Fitted, written
from neo_console.format import NOTHING, age, clock_time, plain, size
from neo_console.relieving import expected, freed, gained, title, told
from neo_console.thens import tree_name
from neo_console.vocabulary import Tone, outcome_term, reason_text, result_term, term

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import RenderableType

    from neo_console.panels.table import Colours
    from neo_core.ledger.memory import Incident
    from neo_core.ledger.models import Control, Run
    from neo_core.ledger.reliefs import Relief
    from neo_core.recorder.replay import Moment

_MOST_TREES = 10
_ROOMY = 64  # cells
_NOTHING = "nothing"


def state_line(moment: Moment, incident: Incident, colours: Colours) -> Text:
    """Return the time, the phase, and the memory and the pressure of that moment."""
    reading, shown = moment.reading, term(moment.phase)
    since = reading.at - incident.began_at
    place = f"{age(since)} into it" if since >= 0 else f"{age(-since)} before it"
    of = f" of {size(reading.total)}" if reading.total else ""
    some = f"{reading.some.avg10:.1f}" if reading.some else "?"
    full = f"{reading.full.avg10:.1f}" if reading.full else "?"
    told = f"{size(reading.available)}{of} free · PSI some {some}, full {full} · swap {size(reading.swap_used)}"
    return Text.assemble(
        written(clock_time(reading.at), colours, strong=True),
        written(f" {place}  ", colours, Tone.DIM),
        written(f"{shown.badge} {shown.word.upper()}", colours, shown.tone, strong=True),
        written(f"  {told}", colours),
    )


def trees_table(moment: Moment, colours: Colours) -> RenderableType:
    """Return the dearest trees of that moment, with what they grew by since before the incident."""
    if not moment.trees:
        return _nothing(colours)
    return Fitted(_trees(moment, colours, roomy=True), _trees(moment, colours, roomy=False), _ROOMY)


def _trees(moment: Moment, colours: Colours, *, roomy: bool) -> Table:
    counted = (("processes", -9), ("faults", -8)) if roomy else ()
    table = _table(colours, ("tree", 3), ("kind", 1), ("cost", -7), ("grown", -8), *counted)
    for one in moment.trees[:_MOST_TREES]:
        sign = "+" if one.grown > 0 else "-"
        grown = f"{sign}{size(abs(one.grown))}" if one.grown else NOTHING
        table.add_row(
            written(tree_name(one.tree), colours, strong=True),
            written(one.tree.kind, colours, Tone.DIM),
            written(size(one.tree.cost), colours),
            written(grown, colours, Tone.WAIT if one.grown > 0 else Tone.DIM),
            *(
                written(str(count), colours, Tone.DIM)
                for count in (one.tree.processes, one.tree.faults)[: len(counted)]
            ),
        )
    return table


def schedule_table(moment: Moment, colours: Colours) -> RenderableType:
    """Return the tasks as they were at that moment."""
    table = _table(colours, ("task", 2), ("then", 2), ("since", -8), ("last", 2), ("reason", 5))
    for one in moment.schedule:
        shown = term(one.state)
        reason = (one.row.reason or reason_text(one.row.reason_code)) if one.row is not None else ""
        last = str(outcome_term(one.last.outcome)) if one.last is not None else NOTHING
        table.add_row(
            written(plain(one.task), colours),
            written(str(shown), colours, shown.tone),
            written(clock_time(one.since) if one.since is not None else NOTHING, colours),
            written(last, colours, Tone.DIM),
            written(plain(reason) or NOTHING, colours, Tone.DIM),
        )
    return table if moment.schedule else _nothing(colours)


def runs_table(runs: Sequence[Run], colours: Colours) -> RenderableType:
    """Return the runs that worked."""
    table = _table(colours, ("task", 2), ("run", 1), ("lease", 1), ("from", -8), ("in the end", 2))
    for run in runs:
        shown = outcome_term(run.outcome)
        began = clock_time(run.started_at) if run.started_at is not None else NOTHING
        _row(table, colours, (run.task, run.run_id[:8], term(run.lease_role).word, began), str(shown), shown.tone)
    return table if runs else _nothing(colours)


def deferred_table(runs: Sequence[Run], colours: Colours) -> RenderableType:
    """Return the starts that were held back."""
    table = _table(colours, ("task", 2), ("since", -8), ("in all", -6), ("reason", 5))
    for run in runs:
        reason = run.reason or reason_text(run.reason_code)
        _row(table, colours, (run.task, clock_time(run.requested_at), f"×{run.count}"), reason, Tone.CALM)
    return table if runs else _nothing(colours)


def acts_table(acts: Sequence[Control], colours: Colours) -> RenderableType:
    """Return what operators did."""
    table = _table(colours, ("time", -8), ("by", 1), ("what", 3), ("target", 2), ("because", 3))
    for act in acts:
        shown = (clock_time(act.created_at), act.requested_by or NOTHING, str(term(act.kind)), act.target or NOTHING)
        _row(table, colours, shown, act.because or NOTHING, Tone.PLAIN)
    return table if acts else _nothing(colours)


def reliefs_table(reliefs: Sequence[Relief], colours: Colours) -> RenderableType:
    """Return what was done to free memory: expected beside measured; what was not measured says so."""
    if not reliefs:
        return _nothing(colours)
    return Fitted(_reliefs(reliefs, colours, roomy=True), _reliefs(reliefs, colours, roomy=False), _ROOMY)


def _reliefs(reliefs: Sequence[Relief], colours: Colours, *, roomy: bool) -> Table:
    """Return it with the time and the available memory where there is room."""
    head = (("time", -8), ("what", 3), ("expected", -8), ("freed", -10), ("available", -10), ("how it went", 5))
    table = _table(colours, *(head if roomy else (*head[1:4], head[5])))
    for column in table.columns:
        column.no_wrap, column.overflow = column.width is not None, "fold"
    for one in reliefs:
        cells = (clock_time(one.asked_at), title(one), expected(one), freed(one), gained(one))
        _row(table, colours, cells if roomy else cells[1:4], told(one), result_term(one.result).tone)
    return table


def _table(colours: Colours, *columns: tuple[str, int]) -> Table:
    """Return an empty table; a column's number is its share of the width, or a fixed one when negative."""
    table = Table(box=None, expand=True, padding=(0, 2, 0, 0), show_edge=False, header_style=colours.get(Tone.DIM, ""))
    for label, share in columns:
        if share < 0:
            table.add_column(label, width=-share, justify="right", no_wrap=True)
        else:
            table.add_column(label, ratio=share, no_wrap=True, overflow="ellipsis")
    return table


def _row(table: Table, colours: Colours, cells: Iterable[str], last: str, tone: Tone) -> None:
    table.add_row(*(written(plain(cell), colours) for cell in cells), written(last, colours, tone))


def _nothing(colours: Colours) -> Text:
    return written(_NOTHING, colours, Tone.DIM)
