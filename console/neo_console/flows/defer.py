"""Defer a task, or resume it: the form says what is held back, the preview what is set free."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.availability import snoozed
from neo_console.dialogs.confirm import Confirm, Proposal
from neo_console.dialogs.hold import DeferForm, Hold
from neo_console.drawing import Fact
from neo_console.format import countdown, moment, plain
from neo_console.vocabulary import Tone
from neo_core.errors import NeoError

if TYPE_CHECKING:
    from neo_console.app import NeoConsole
    from neo_core.snapshot import TaskView


def defer(app: NeoConsole) -> None:
    """Ask how long and why; a task that is deferred already is resumed after a preview."""
    task = app.context().task
    if task is None:
        return
    name = task.name
    if snoozed(task):
        app.push_screen(Confirm(_to_resume(app, task)), lambda yes: _resume(app, name) if yes else None)
        return
    app.push_screen(DeferForm(name), lambda hold: _defer(app, name, hold) if hold else None)


def _defer(app: NeoConsole, name: str, hold: Hold) -> None:
    if app.picture.task(name) is None:
        app.report(f"{name} is no longer in the schedule. Nothing was done.", Tone.FAIL)
        return
    try:
        control = app.engine().defer(name, hold.seconds or 0.0, hold.because)
    except NeoError as error:
        app.report(f"{name} was not snoozed. {error}", Tone.FAIL)
        return
    finally:
        app.nudge()
    key = app.keymap.key("defer")
    app.report(f"{name} is snoozed until {moment(control.until, app.now())}; {key} again resumes it", Tone.OK)


def _to_resume(app: NeoConsole, task: TaskView) -> Proposal:
    """Return the preview of resuming; it holds for the deferral that was there at the keypress and for no other."""
    now, name = app.now(), plain(task.name)
    because = plain(task.snoozed_because) or "no reason given"
    return Proposal(
        title=f"Resume {name}?",
        facts=(
            Fact("deferred", f"until {moment(task.snoozed_until, now)}: {because}"),
            Fact("effect", _effect(task, now)),
        ),
        confirm=f"Resume {name}",
        as_of=app.picture.schedule(now).at or now,
        changed=lambda: _changed(task, app.picture.task(task.name)),
    )


def _effect(task: TaskView, now: float) -> str:
    """Return what may happen to the task once nothing defers it."""
    if task.due_at is None:
        return "it may be started by hand; by itself it never starts"
    if task.due_at <= now:
        return "it is due: it may start at once"
    return f"it may start again; it is due {countdown(task.due_at, now)}"


def _changed(captured: TaskView, task: TaskView | None) -> str:
    """Return what is different since the keypress; empty when nothing is."""
    if task is None:
        return f"{captured.name} is no longer in the schedule."
    if not snoozed(task):
        return "The deferral has ended meanwhile."
    held, before = (task.snoozed_until, task.snoozed_because), (captured.snoozed_until, captured.snoozed_because)
    return "" if held == before else "It is another deferral by now."


def _resume(app: NeoConsole, name: str) -> None:
    try:
        was = app.engine().resume(name)
    except NeoError as error:
        app.report(f"{name} was not resumed. {error}", Tone.FAIL)
        return
    finally:
        app.nudge()
    app.report(f"{name} is resumed" if was else f"{name} was not snoozed any more", Tone.OK)
