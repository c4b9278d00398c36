"""Plain text for a terminal or a pipe: aligned columns, badges and words, no markup, no colour."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click
import msgspec

from neo_console.format import age, moment, plain, size, took
from neo_console.vocabulary import outcome_term, reason_text, term

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from neo_core.ledger.models import LeaseEvent, Run
    from neo_core.schedule.decision import Decision
    from neo_core.snapshot import LeaseView, MemoryView, ScheduleView, Section, Snapshot

_RECENT = 5


def emit_json(value: object) -> None:
    """Print one JSON value, indented, on stdout."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def note(text: str) -> None:
    """Print a diagnostic on stderr."""
    click.echo(plain(text), err=True)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return aligned columns; empty cells stay empty, the last column is not padded."""
    cells = [[str(cell) for cell in head], *([plain(cell) for cell in row] for row in rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(head))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells)
    return "\n".join(lines)


def status_text(snapshot: Snapshot) -> str:
    """Return what ``status`` prints."""
    now = snapshot.at
    parts = [
        f"workspace  {plain(snapshot.workspace)}" + (f"  (read-only: {snapshot.read_only})" * bool(snapshot.read_only)),
        _part("lease", snapshot.lease, lambda view: _lease_line(view, now)),
        _part("memory", snapshot.memory, _memory_line),
        "",
        _part("tasks", snapshot.schedule, lambda view: _tasks(view, now), block=True),
        "",
        _part("outcomes", snapshot.outcomes, lambda runs: _recent(runs, now), block=True),
    ]
    return "\n".join(parts)


def history_text(runs: Sequence[Run], now: float) -> str:
    """Return the history as a table, newest first."""
    if not runs:
        return "No runs yet: neo-console run TASK starts one."
    head = ("RUN", "TIME", "TASK", "OUTCOME", "TOOK", "PEAK", "REASON")
    return table(head, (_run_row(run, now) for run in runs))


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
        (str(term(result.gate)), str(term(result.verdict)), result.value, result.limit, result.clears_when)
        for result in decision.results
    ]
    return f"{first}\n\n{table(('GATE', 'VERDICT', 'VALUE', 'LIMIT', 'CLEARS WHEN'), rows)}"


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


def to_pipe() -> bool:
    """Return whether stdout is not a terminal."""
    return not sys.stdout.isatty()


def _part(name: str, section: Section[Any], show: Any, *, block: bool = False) -> str:  # noqa: ANN401 - any section
    if section.error:
        return f"{name.ljust(9)}  ✗ unreadable: {plain(section.error)}"
    if section.value is None:
        return f"{name.ljust(9)}  ? unknown"
    return str(show(section.value)) if block else f"{name.ljust(9)}  {show(section.value)}"


def _lease_line(view: LeaseView, now: float) -> str:
    parts = [str(term(view.light)).upper()]
    if view.owner:
        parts += [view.owner, f"pid {view.pid or 'unknown'}", view.reason]
    if view.acquired_at is not None:
        parts.append(f"for {age(now - view.acquired_at)}")
    lines = [plain(" · ".join(part for part in parts if part))]
    if view.owner or view.mend:
        lines.append(plain(view.sentence))
    lines += [f"pid {one.pid} {plain(one.command)} (by {one.by})" for one in view.carriers]
    if view.mend:
        lines.append(f"mend: {view.mend}")
    return "\n           ".join(lines)


def _memory_line(view: MemoryView) -> str:
    share = round(100 * view.available / view.total) if view.total else 0
    pressure = "pressure unknown" if view.pressure is None else f"PSI {view.pressure:.1f}"
    return (
        f"{size(view.available)} of {size(view.total)} available ({share}%) · swap {size(view.swap_used)} · {pressure}"
    )


def _tasks(view: ScheduleView, now: float) -> str:
    rows = []
    for task in view.tasks:
        blocking = task.decision.blocking
        why = f"set {task.missing_key}" if not task.configured else (blocking.sentence if blocking else "")
        last = outcome_term(task.last_outcome) if task.last_at is not None else ""
        rows.append(
            (
                task.name,
                "heavy" if task.heavy else "light",
                str(term(task.state)),
                f"{last} {moment(task.last_at, now)}" if last else "never",
                f"{task.streak}×" if task.streak else "",
                why,
            )
        )
    text = table(("TASK", "CLASS", "STATE", "LAST", "DEFERRED", "WHY NOT NOW"), rows)
    if view.pause is not None:
        because = f": {plain(view.pause.because)}" if view.pause.because else ""
        text = f"PAUSED by {view.pause.requested_by}{because} (neo-console unpause ends it)\n{text}"
    return text


def _recent(runs: Sequence[Run], now: float) -> str:
    return history_text(runs[:_RECENT], now)


def _run_row(run: Run, now: float) -> tuple[str, ...]:
    outcome = f"{outcome_term(run.outcome)}" + (f" ×{run.count}" if run.count > 1 else "")
    reason = " ".join(part for part in (f"[{run.reason_code}]" if run.reason_code else "", run.reason) if part)
    return (
        run.run_id,
        moment(run.last_at, now, seconds=True),
        run.task,
        outcome,
        took(run.took),
        size(run.peak_memory),
        f"{reason} (warning: {run.warning})" if run.warning else reason,
    )
