"""The rows of the outcomes: when it ended, task, outcome, reason, took, peak memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.format import age, midnight, moment, plain, size, took
from neo_console.rows.model import About, Cell, Column, Row, words_of
from neo_console.subjects import run_subject
from neo_console.vocabulary import LIVE, Tone, outcome_term, reason_text, term
from neo_core.ledger.models import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neo_core.ledger.models import Run

COLUMNS = (
    Column("time", "ended", 9, falling=True),
    Column("task", "task", 16, least=12),
    Column("outcome", "outcome", 15),
    Column("reason", "reason", 22, flexible=True, least=11),
    Column("took", "took", 6, right=True, spare=1, falling=True),
    Column("peak", "peak", 5, right=True, spare=2, falling=True),
)


class OutcomeRows:
    """Makes the rows, newest first, what still runs on top; an ended run is written once a day, not every second."""

    def __init__(self) -> None:
        self._written: dict[str, tuple[Run, float, Row]] = {}

    def rows(self, runs: Sequence[Run], now: float) -> list[Row]:
        """Return a row for every run."""
        newest = sorted(runs, key=lambda run: (run.live, run.last_at, run.requested_at), reverse=True)
        day = midnight(now)
        before, self._written = self._written, {}
        for run in newest:
            kept = before.get(run.run_id)
            reusable = kept is not None and not run.live and kept[0] == run and kept[1] == day
            self._written[run.run_id] = kept if kept is not None and reusable else (run, day, outcome_row(run, now))
        return [row for _, _, row in self._written.values()]


def outcome_row(run: Run, now: float) -> Row:
    """Return the row of one run."""
    shown = outcome_term(run.outcome)
    times = f" ×{run.count}" if run.count > 1 else ""
    name, reason = plain(run.task), reason_of(run)
    cells = (
        Cell("not yet" if run.live else moment(run.last_at, now, seconds=True), Tone.DIM),
        Cell(name, strong=True),
        Cell(f"{shown.badge} {shown.word}{times}", shown.tone),
        _reason(run, reason, now),
        Cell(_took(run, now), Tone.DIM),
        Cell(size(run.peak_memory), Tone.DIM),
    )
    status = (run.outcome.value if run.outcome else LIVE.word, shown.word)
    words = words_of(cells, run.run_id, run.reason_code, run.blocker, run.trigger.value)
    took_so_far = now - run.started_at if run.live and run.started_at is not None else run.took
    return Row(
        run_subject(run.run_id, run.task),
        cells,
        plain(words),
        name,
        status,
        (run.last_at, name, shown.word, reason or None, took_so_far, run.peak_memory),
        About(f"{reason} {run.reason_code}", plain(run.blocker) or name, took_so_far, run.peak_memory),
    )


def reason_of(run: Run) -> str:
    """Return why it ended as it did, in one line; empty when nothing is to be said."""
    reason = run.reason or (reason_text(run.reason_code) if run.reason_code else "")
    return plain(" · ".join(part for part in (reason, run.warning) if part))


def _reason(run: Run, reason: str, now: float) -> Cell:
    """Return the reason; where it has no room, a deferral says by whom, which is what it is looked at for."""
    pid = f", pid {run.blocker_pid}" if run.blocker_pid is not None else ""
    by_whom = f"by {plain(run.blocker)}{pid}" if run.blocker and run.outcome is Outcome.DEFERRED else ""
    if run.count > 1:
        since = f"since {moment(run.requested_at, now)}"
        short = f"{by_whom} {since}" if by_whom else f"{since}: {reason}" if reason else since
        return Cell(short, full=f"{since} ({age(run.last_at - run.requested_at)}): {reason}")
    if run.live and not reason:
        return Cell(
            f"{term(run.trigger).word}, pid {run.runner_pid}" if run.runner_pid else term(run.trigger).word, Tone.DIM
        )
    return Cell(by_whom or reason or term(run.trigger).word, Tone.PLAIN if reason else Tone.DIM, full=reason)


def _took(run: Run, now: float) -> str:
    if run.live and run.started_at is not None:
        return age(now - run.started_at)
    return took(run.took)
