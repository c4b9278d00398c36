"""Defer a task, or resume it; both are reversible, so the form is all the confirmation there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.availability import snoozed
from neo_console.dialogs.hold import DeferForm, Hold
from neo_console.format import moment
from neo_console.vocabulary import Tone
from neo_core.errors import NeoError

if TYPE_CHECKING:
    from neo_console.app import NeoConsole


def defer(app: NeoConsole) -> None:
    """Ask how long and why; a task that is deferred already is resumed at once."""
    task = app.context().task
    if task is None:
        return
    name = task.name
    if snoozed(task):
        _resume(app, name)
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


def _resume(app: NeoConsole, name: str) -> None:
    try:
        was = app.engine().resume(name)
    except NeoError as error:
        app.report(f"{name} was not resumed. {error}", Tone.FAIL)
        return
    finally:
        app.nudge()
    app.report(f"{name} is resumed" if was else f"{name} was not snoozed any more", Tone.OK)
