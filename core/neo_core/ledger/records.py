"""What the rows of one task come to: how it ended last, whether a start of it is put off, and since when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from neo_core.ledger.models import Outcome, Run

if TYPE_CHECKING:
    from neo_core.ledger.database import Database

_FAILURES_COUNTED = 32
_FAILED = (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.LOST)
RUN_COLUMNS = tuple(field.name for field in msgspec.structs.fields(Run))
QUOTED_COLUMNS = ", ".join(f'"{name}"' for name in RUN_COLUMNS)
SELECT_RUN = f"SELECT {QUOTED_COLUMNS} FROM runs"  # noqa: S608 - our own column names


class TaskRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger knows of one task.

    ``last`` is how it ended last: a run, or where it never ran a prevented start. ``last_started`` is the latest run,
    ended or not; ``last_tried`` is a later start that failed before its command ran. ``last_deferred`` is the latest
    deferral since it last started, whoever asked for it.

    ``streak`` counts the deferrals of scheduled starts since then, ``waiting_since`` is the first of them: a schedule
    tries again by itself, what somebody else asked for ends with its refusal. ``failures`` counts the starts in a row,
    up to the latest that ended, that failed, ran into their limit or were lost (at most 32); ``tries`` those of them
    that belong to the latest turn: the one that was due or asked for, and its retries.
    """

    last: Run | None = None
    last_started: Run | None = None
    last_tried: Run | None = None
    last_deferred: Run | None = None
    last_success_at: float | None = None
    streak: int = 0
    waiting_since: float | None = None
    failures: int = 0
    tries: int = 0


class _Told(msgspec.Struct):
    """What of a start's decision tells its place in its turn."""

    retry: int = 0


def record_of(database: Database, task: str) -> TaskRecord:
    """Return what the schedule needs to know of one task; each question is answered by an index."""
    started, tried = last_starts(database, task)
    success = database.query(
        "SELECT ended_at FROM runs WHERE task = ? AND outcome = 'completed' ORDER BY ended_at DESC LIMIT 1", (task,)
    )
    put_off = (task, begun_at(started, tried))
    deferred = _first(database, "task = ? AND last_at > ? AND outcome = 'deferred' ORDER BY last_at DESC", put_off)
    streak = (
        "SELECT total(count) AS streak, min(requested_at) AS since FROM runs"
        " WHERE task = ? AND last_at > ? AND outcome = 'deferred' AND \"trigger\" = 'scheduled'"
    )
    waiting = database.query(streak, put_off) if deferred else []
    return TaskRecord(
        last=_latest_ended(database, task, tried),
        last_started=started,
        last_tried=tried,
        last_deferred=deferred,
        last_success_at=success[0]["ended_at"] if success else None,
        streak=int(waiting[0]["streak"]) if waiting else 0,
        waiting_since=waiting[0]["since"] if waiting else None,
        failures=_failures(database, task),
        tries=_tries(tried or started),
    )


def last_starts(database: Database, task: str) -> tuple[Run | None, Run | None]:
    """Return the task's latest run, and a later start that failed before its command ran.

    Who stopped waiting for a start has started nothing.
    """
    started = _first(
        database,
        "task = ? AND started_at IS NOT NULL AND coalesce(outcome, '') <> 'deferred' ORDER BY started_at DESC",
        (task,),
    )
    tried = _first(
        database,
        "task = ? AND started_at IS NULL AND outcome IS NOT NULL AND last_at > ? AND outcome NOT IN"
        " ('deferred', 'skipped') AND (outcome <> 'cancelled' OR runner_pid IS NOT NULL) ORDER BY last_at DESC",
        (task, started.requested_at if started else 0.0),
    )
    return started, tried


def begun_at(started: Run | None, tried: Run | None) -> float:
    """Return up to when a deferral belongs to a start that is over, in seconds since the epoch; 0 for none."""
    return max((run.last_at for run in (started, tried) if run), default=0.0)


def _latest_ended(database: Database, task: str, tried: Run | None) -> Run | None:
    """Return how the task ended last: its latest run, a later start that failed (``tried``), or a prevented start."""
    where = "task = ? AND started_at IS {} AND outcome IS NOT NULL ORDER BY last_at DESC, rowid DESC"
    ran = _first(database, where.format("NOT NULL"), (task,))
    if ran is not None and tried is not None:
        return max(ran, tried, key=lambda run: run.last_at)
    return ran or tried or _first(database, where.format("NULL"), (task,))


def _tries(begun: Run | None) -> int:
    """Return which of its turn's failed starts the task's latest start is; 0 when it did not fail, or not yet."""
    if begun is None or begun.outcome not in _FAILED:
        return 0
    try:
        return 1 + max(0, msgspec.json.decode(begun.decision, type=_Told).retry)
    except msgspec.DecodeError:  # a row without a decision
        return 1


def _first(database: Database, where: str, values: tuple[object, ...]) -> Run | None:
    return next(iter(database.select(Run, f"{SELECT_RUN} WHERE {where} LIMIT 1", values)), None)


def _failures(database: Database, task: str) -> int:
    """Count back from the latest start that ended; one that its job or an operator ended breaks the row."""
    broken = database.query(
        "SELECT last_at FROM runs WHERE task = ? AND started_at IS NOT NULL"
        " AND outcome IN ('completed', 'skipped', 'cancelled') ORDER BY started_at DESC LIMIT 1",
        (task,),
    )
    rows = database.query(
        "SELECT count(*) AS failures FROM (SELECT 1 FROM runs WHERE task = ? AND last_at > ?"
        " AND outcome IN ('failed', 'timed-out', 'lost') LIMIT ?)",
        (task, broken[0]["last_at"] if broken else 0.0, _FAILURES_COUNTED),
    )
    return int(rows[0]["failures"]) if rows else 0
