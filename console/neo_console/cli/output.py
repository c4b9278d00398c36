"""Plain text for a terminal or a pipe: aligned columns, badges and words, no markup, no colour."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import click
import msgspec

from neo_console.cli.columns import aligned, prose
from neo_console.format import in_local_time, moment, plain, size, took
from neo_console.vocabulary import gate_term, outcome_term, reason_text, term
from neo_core.schedule.decision import Gate

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from neo_core.ledger.models import LeaseEvent, Run
    from neo_core.schedule.decision import Decision, GateResult

_LONGEST_COMMAND = 60


def emit_json(value: object) -> None:
    """Print one JSON value, indented, on stdout."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def for_people() -> bool:
    """Return whether stdout is a terminal; what is not is read by a program."""
    return sys.stdout.isatty()


def note(text: str) -> None:
    """Print a diagnostic on stderr."""
    click.echo(plain(text), err=True)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, blocks: bool = False, below: bool = False) -> str:
    """Return aligned columns; empty cells stay empty, the last column is not padded.

    On a terminal long texts wrap within their column; where there is too little room for that, ``below`` puts the last
    cell below its row, and ``blocks`` makes every row a block. Elsewhere a row stays one line.
    """
    cells = [[str(cell) for cell in head], *([plain(cell) for cell in row] for row in rows)]
    return aligned(cells, _width(), blocks=blocks, below=below)


def fitted(text: str, hang: int = 0) -> str:
    """Return lines of prose as they fit into the terminal; elsewhere a line stays one line."""
    width = _width()
    return text if width is None else "\n".join(prose(line, width, hang) for line in text.split("\n"))


def _width() -> int | None:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def history_text(runs: Sequence[Run], now: float) -> str:
    """Return the history as a table, newest first."""
    if not runs:
        return "No runs yet: neo-console run TASK starts one."
    head = ("RUN", "TIME", "TASK", "OUTCOME", "TOOK", "PEAK", "REASON")
    return table(head, (_run_row(run, now) for run in runs), below=True)


def lease_history_text(events: Sequence[LeaseEvent], now: float) -> str:
    """Return what happened to the lease as a table, newest first."""
    if not events:
        return "No run of ours has taken the lease yet."
    rows = (
        (moment(one.at, now, seconds=True), one.event, one.owner, str(one.generation), one.run_id, str(one.pid))
        for one in events
    )
    return table(("TIME", "EVENT", "OWNER", "GENERATION", "RUN", "PID"), rows)


def decision_text(decision: Decision) -> str:
    """Return the full chain of gates, and first what it comes to."""
    blocking = decision.blocking
    if blocking is None:
        first = f"{decision.task} may start now."
    else:
        first = f"{decision.task} may not start: {plain(blocking.sentence)} [{blocking.reason}]"
    rows = [
        (
            *(str(gate_term(result)), str(term(result.verdict))),
            *(in_local_time(text, decision.at) for text in (_saw(result), result.limit, result.clears_when)),
        )
        for result in decision.results
    ]
    return f"{fitted(first)}\n\n{table(('GATE', 'VERDICT', 'VALUE', 'LIMIT', 'CLEARS WHEN'), rows, blocks=True)}"


def _saw(result: GateResult) -> str:
    """Return what a gate saw; of a long command its beginning, ``--json`` has all of it."""
    command = result.gate is Gate.CONFIGURED and len(result.value) > _LONGEST_COMMAND
    return f"{result.value[: _LONGEST_COMMAND - 1]}…" if command else result.value


def run_line(run: Run) -> str:
    """Return how one run ended, on one line."""
    parts = [f"{outcome_term(run.outcome)}: {run.task} {run.run_id}"]
    if run.took is not None:
        parts.append(f"took {took(run.took)}")
    if run.reason_code:
        parts.append(reason_text(run.reason_code))
    if run.reason:
        parts.append(run.reason)
    return plain(" · ".join(parts))


def _run_row(run: Run, now: float) -> tuple[str, ...]:
    outcome = f"{outcome_term(run.outcome)}" + (f" ×{run.count}" if run.count > 1 else "")
    reason = " ".join(part for part in (f"[{run.reason_code}]" if run.reason_code else "", run.reason) if part)
    if run.prevented and run.count > 1:
        reason = f"since {moment(run.requested_at, now, seconds=True)}: {reason}"
    return (
        run.run_id,
        moment(run.last_at, now, seconds=True),
        run.task,
        outcome,
        took(run.took),
        size(run.peak_memory),
        f"{reason} (warning: {run.warning})" if run.warning else reason,
    )
