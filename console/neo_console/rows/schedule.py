"""The rows of the schedule: task, class, every or cron, next or waiting, last, took."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from neo_console.format import age, brief, countdown, countdown_brief, cron_brief, every, moment, plain, took
from neo_console.rows.model import About, Cell, Column, Row, Value, words_of
from neo_console.subjects import task_subject
from neo_console.vocabulary import HEAVY_DEFERRED, RETRY, Tone, gate_term, term
from neo_console.waiting import last_deferral, state_term, who_waits
from neo_core.snapshot import OrchestratorState, TaskState, TaskView

if TYPE_CHECKING:
    from neo_console.picture import Picture
    from neo_core.snapshot import ScheduleView

COLUMNS = (
    Column("task", "task", 18),
    Column("class", "class", 5, spare=1),
    Column("every", "every", 5, right=True),
    Column("next", "next / waiting", 30, flexible=True, least=18),
    Column("last", "last", 6, falling=True),
    Column("took", "took", 6, right=True, spare=2, falling=True),
)

_GONE = (OrchestratorState.STOPPED, OrchestratorState.KILLED, OrchestratorState.CRASHED)
_NOBODY = "nobody starts it"


def schedule_rows(schedule: ScheduleView, picture: Picture, now: float) -> list[Row]:
    """Return one row for every task, in the engine's order."""
    return [_row(task, picture, now) for task in schedule.tasks]


def _row(task: TaskView, picture: Picture, now: float) -> Row:
    state = state_term(task)
    name = plain(task.name)
    cells = (
        Cell(f"{state.badge} {name}", state.tone, lead=True, strong=True),
        Cell("heavy" if task.heavy else "light", Tone.DIM),
        Cell(cron_brief(plain(task.cron)) if task.cron else every(task.every), Tone.DIM),
        next_cell(task, picture, now),
        _last(task, now),
        Cell(took(task.last_took), Tone.DIM),
    )
    status = (task.state.value, term(task.state).word, *((state.word,) if state is not term(task.state) else ()))
    words = words_of(cells, state.word, task.title, task.cron)
    subject = task_subject(task.name, task.running_run_id)
    return Row(subject, cells, words, name, status, _values(task), _about(task, picture, now))


def _values(task: TaskView) -> tuple[Value, ...]:
    """Return what each column is sorted by; ``next`` is when it is due, also where it waits since then."""
    following = task.retry_at if task.failures and task.retry_at is not None else task.due_at
    interval = task.period or task.every or None
    return (task.name, "heavy" if task.heavy else "light", interval, following, task.last_at, task.last_took)


def _about(task: TaskView, picture: Picture, now: float) -> About:
    gate, run = task.decision.blocking, picture.run(task.running_run_id) if task.running_run_id else None
    waits = gate is not None and task.state in (TaskState.WAITING, TaskState.SNOOZED, TaskState.PAUSED)
    told = f"{task.last_reason_code} {task.last_reason}".strip()
    reason = f"{gate.sentence} {gate.reason}" if gate is not None and waits else told
    took = now - run.started_at if run is not None and run.started_at is not None else task.last_took
    return About(plain(reason), plain(gate.blocker) if gate is not None and waits else "", took)


def prompt(task: TaskView) -> str:
    """Return what asked for a start ahead of its time, the path by its last part."""
    asked, _, where = plain(task.prompted_by).rpartition(" ")
    return f"{asked} {PurePath(where).name}".strip()


def next_cell(task: TaskView, picture: Picture, now: float) -> Cell:
    """Return what happens to the task next, or what it waits for."""
    tone = term(task.state).tone
    match task.state:
        case TaskState.RUNNING:
            return Cell(_running(task, picture, now), tone)
        case TaskState.WAITING:
            return _waiting(task, now)
        case TaskState.DUE:
            return _with_deferral(_due(task, now), task, now)
        case TaskState.SNOOZED:
            until = f"until {moment(task.snoozed_until, now)}"
            return Cell(until, tone, f"snoozed {until}: {plain(task.snoozed_because)}")
        case TaskState.IDLE | TaskState.DISABLED:
            return _with_deferral(_idle(task, now, unkept=nobody_starts(picture)), task, now)
        case _:
            return Cell(_held_back(task, picture, now), tone, _paused(task))


def _held_back(task: TaskView, picture: Picture, now: float) -> str:
    state, schedule = state_term(task), picture.schedule(now).value
    held = schedule.heavy_deferral if schedule and state is HEAVY_DEFERRED else None
    return state.word if held is None or held.until is None else f"deferred until {moment(held.until, now)}"


def _paused(task: TaskView) -> str:
    """Return by what the task is held back together with others; empty when it is not."""
    gate = task.decision.blocking if task.state is TaskState.PAUSED else None
    return f"{state_term(task).word}: {plain(gate.sentence)}" if gate else ""


def _running(task: TaskView, picture: Picture, now: float) -> str:
    run = picture.run(task.running_run_id)
    if run is None or run.started_at is None:
        return "running"
    return f"running {age(now - run.started_at)}"


def _with_deferral(cell: Cell, task: TaskView, now: float) -> Cell:
    """Return the cell with how the last start was put off, where nobody goes on trying."""
    put_off = last_deferral(task, now)
    return cell if not put_off else cell._replace(full=f"{cell.full or cell.text} · {put_off}")


def _due(task: TaskView, now: float) -> Cell:
    tone = term(task.state).tone
    by = f"prompted by {prompt(task)}" if task.prompted_by else ""
    if not task.due_at:
        return Cell("due: never ran", tone, f"due: {by}" if by else "")
    if task.tries and task.retry_at is not None:
        return Cell(f"{RETRY.word} {task.tries} due", tone, f"{RETRY.word} {task.tries} is due, it failed before")
    short = f"due for {age(now - task.due_at)}"
    return Cell(short, tone, f"{short} · {by}" if by else f"{short} · since {moment(task.due_at, now)}")


def nobody_starts(picture: Picture) -> bool:
    """Return whether it is known that no orchestrator lives, so that nothing starts when it is due."""
    keeper = picture.keeper()
    return keeper is not None and keeper.state in _GONE


def _idle(task: TaskView, now: float, *, unkept: bool) -> Cell:
    tone = term(task.state).tone
    if task.due_at is None:
        return Cell(term(TaskState.DISABLED).word, tone)
    if task.tries and task.retry_at is not None and task.retry_at > now:
        short = f"{RETRY.word} {task.tries} in {brief(task.retry_at - now)}"
        full = f"{short} · {moment(task.retry_at, now)}"
        return Cell(short, Tone.DIM, f"{full} · {_NOBODY}") if unkept else Cell(short, RETRY.tone, full)
    if task.due_at <= now:
        return _due(task, now)
    if unkept:
        short = f"due in {brief(task.due_at - now)}"
        return Cell(short, Tone.DIM, f"due {countdown(task.due_at, now)} · {_NOBODY}", middle=f"{short} · {_NOBODY}")
    return Cell(countdown_brief(task.due_at, now), tone, countdown(task.due_at, now))


def _waiting(task: TaskView, now: float) -> Cell:
    tone, word = state_term(task).tone, state_term(task).word
    gate, waited = task.decision.blocking, None if task.waiting_since is None else now - task.waiting_since
    waiting = word if waited is None else f"{word} {age(waited)}"
    who = f" · {who_waits(task, now)}" if task.waiters else ""
    if gate is None:
        return Cell(waiting, tone, f"{waiting}{who}" if who else "")
    blocker = plain(gate.blocker) or gate_term(gate).word
    times = f" ×{task.streak}" if task.streak > 1 else ""
    short = word if waited is None else f"{word} {brief(waited)}"
    by_whom = f"{blocker}, pid {gate.blocker_pid}" if gate.blocker_pid is not None else blocker
    full = f"{waiting}{times}: {plain(gate.sentence)}{who}"
    return Cell(f"{short}: {blocker}", tone, full, middle=f"{short}: {by_whom}")


def _last(task: TaskView, now: float) -> Cell:
    if task.last_outcome is None or task.last_at is None:
        return Cell("never", Tone.DIM)
    shown = term(task.last_outcome)
    return Cell(f"{shown.badge} {brief(now - task.last_at)}", shown.tone, lead=True)
