"""Open what explains the selection: why, detail, log; and copy its name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.screens.detail import Detail
from neo_console.screens.log import LogScreen
from neo_console.screens.why import WhyNow, WhyThen
from neo_console.subjects import Kind
from neo_console.vocabulary import Tone
from neo_core.errors import NeoError

if TYPE_CHECKING:
    from neo_console.app import NeoConsole


def why(app: NeoConsole) -> None:
    """Show the gates: of a task as of now, of a run as they were then."""
    subject = app.context().subject
    if subject is None:
        return
    if subject.kind is Kind.TASK:
        app.push_screen(WhyNow(subject))
        return
    try:
        run = app.picture.run(subject.run_id) or app.engine().run(subject.run_id)
        decision = app.engine().decision_of(run)
    except NeoError as error:
        app.report(str(error), Tone.FAIL)
        return
    app.push_screen(WhyThen(run, decision))


def detail(app: NeoConsole) -> None:
    """Show everything known about the selection."""
    subject = app.context().subject
    if subject is not None:
        app.push_screen(Detail(subject))


def log(app: NeoConsole) -> None:
    """Show the log of the selected run, or of the task's latest."""
    context = app.context()
    run_id = context.logged_run_id
    run = app.picture.run(run_id)
    task = run.task if run else context.subject.task if context.subject else ""
    app.push_screen(LogScreen(run_id, task))


def copy(app: NeoConsole) -> None:
    """Copy what names the selection: a pid, a run id, or a task's name."""
    subject = app.context().subject
    if subject is None:
        return
    text = str(subject.pid) if subject.pid is not None else subject.run_id or subject.task or subject.label
    app.copy_to_clipboard(text)
    app.report(f"copied {text}", Tone.PLAIN)
