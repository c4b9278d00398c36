"""The rows of the schedule: task, class, every, next or waiting, last, took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.format import age, brief, countdown, every, moment, plain, took
from neo_console.rows.model import Cell, Column, Row, words_of
from neo_console.subjects import task_subject
from neo_console.vocabulary import Tone, term
from neo_core.snapshot import TaskState, TaskView

if TYPE_CHECKING:
    from neo_console.picture import Picture
    from neo_core.snapshot import ScheduleView

COLUMNS = (
    Column("task", "task", 18),
    Column("class", "class", 5, spare=1),
    Column("every", "every", 5, right=True),
    Column("next", "next / waiting", 15, flexible=True),
    Column("last", "last", 6),
    Column("took", "took", 6, right=True, spare=2),
)


def schedule_rows(schedule: ScheduleView, picture: Picture, now: float) -> list[Row]:
    """Return one row for every task, in the engine's order."""
    return [_row(task, picture, now) for task in schedule.tasks]


def _row(task: TaskView, picture: Picture, now: float) -> Row:
    state = term(task.state)
    name = plain(task.name)
    cells = (
        Cell(f"{state.badge} {name}", state.tone, lead=True, strong=True),
        Cell("heavy" if task.heavy else "light", Tone.DIM),
        Cell(every(task.every), Tone.DIM),
        next_cell(task, picture, now),
        _last(task, now),
        Cell(took(task.last_took), Tone.DIM),
    )
    status = (task.state.value, state.word)
    return Row(
        task_subject(task.name, task.running_run_id), cells, words_of(cells, state.word, task.title), name, status
    )


def next_cell(task: TaskView, picture: Picture, now: float) -> Cell:
    """Return what happens to the task next, or what it waits for."""
    tone = term(task.state).tone
    match task.state:
        case TaskState.RUNNING:
            return Cell(_running(task, picture, now), tone)
        case TaskState.WAITING:
            return _waiting(task, now)
        case TaskState.DUE:
            return _due(task, now)
        case TaskState.SNOOZED:
            until = f"until {moment(task.snoozed_until, now)}"
            return Cell(until, tone, f"snoozed {until}: {plain(task.snoozed_because)}")
        case TaskState.IDLE | TaskState.DISABLED:
            return Cell(countdown(task.due_at, now) if task.due_at is not None else "only by hand", tone)
        case _:
            return Cell(term(task.state).word, tone)


def _running(task: TaskView, picture: Picture, now: float) -> str:
    run = picture.run(task.running_run_id)
    if run is None or run.started_at is None:
        return "running"
    return f"running {age(now - run.started_at)}"


def _due(task: TaskView, now: float) -> Cell:
    tone = term(task.state).tone
    if not task.due_at:
        return Cell("due: never ran", tone)
    short = f"due for {age(now - task.due_at)}"
    return Cell(short, tone, f"{short} · since {moment(task.due_at, now)}")


def _waiting(task: TaskView, now: float) -> Cell:
    tone = term(task.state).tone
    gate, waited = task.decision.blocking, None if task.waiting_since is None else now - task.waiting_since
    waiting = "waiting" if waited is None else f"waiting {age(waited)}"
    if gate is None:
        return Cell(waiting, tone)
    blocker = plain(gate.blocker) or term(gate.gate).word
    times = f" ×{task.streak}" if task.streak > 1 else ""
    short = "waiting" if waited is None else f"waiting {brief(waited)}"
    return Cell(f"{short}: {blocker}", tone, f"{waiting}{times}: {plain(gate.sentence)}")


def _last(task: TaskView, now: float) -> Cell:
    if task.last_outcome is None or task.last_at is None:
        return Cell("never", Tone.DIM)
    shown = term(task.last_outcome)
    return Cell(f"{shown.badge} {brief(now - task.last_at)}", shown.tone, lead=True)
