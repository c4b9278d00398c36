"""Open what explains the selection: why, detail, log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.flows.older import older
from neo_console.flows.past import closer
from neo_console.logfeed import LogKind, LogOf
from neo_console.panels.sentences import LOG, SCHEDULE
from neo_console.screens.detail import Detail, ServiceDetail
from neo_console.screens.log import LogScreen
from neo_console.screens.why import WhyNow, WhyService, WhyThen
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
    if subject.service:
        app.push_screen(WhyService(subject.service))
        return
    if subject.kind is Kind.TASK:
        app.push_screen(WhyNow(subject))
        return
    try:
        known = app.picture.run(subject.run_id)
        run = known if known is not None and known.decision else app.engine().run(subject.run_id)
        decision = app.engine().decision_of(run)
    except NeoError as error:
        app.report(str(error), Tone.FAIL)
        return
    app.push_screen(WhyThen(run, decision))


def detail(app: NeoConsole) -> None:
    """Show everything known about the selection, or about the moment that is shown."""
    if closer(app):
        return
    subject = app.context().subject
    if subject is not None and subject.kind is Kind.MORE:
        older(app)
    elif subject is not None and subject.kind is Kind.SERVICE:
        app.push_screen(ServiceDetail(subject))
    elif subject is not None:
        app.push_screen(Detail(subject))


def log(app: NeoConsole) -> None:
    """Show the log of the selected run, of the task's latest, or of the service."""
    context = app.context()
    run = app.picture.run(context.log.name)
    task = run.task if run else context.subject.task if context.subject else ""
    app.push_screen(LogScreen(context.log, task))


def orchestrator_log(app: NeoConsole) -> None:
    """Show the log of the orchestrator."""
    app.push_screen(LogScreen(LogOf(LogKind.ORCHESTRATOR), opened_by="orchestrator-log"))


def go_to(app: NeoConsole, key: str, *, service: bool = False) -> bool:
    """Select a task or a service in the schedule, taking a filter away that hides it; return whether it is there."""
    main = app.main
    main.go(SCHEDULE)
    table = main.schedule.services if service else main.schedule.table
    if table.select(key):
        return True
    main.clear_filter()
    if table.select(key):
        return True
    find = app.picture.service if service else app.picture.task
    app.report(f"{key} is no longer in the schedule", Tone.WAIT, still=lambda: find(key) is None)
    return False


def next_match(app: NeoConsole, *, by: int) -> None:
    """Go to the next match in the log panel, or to the previous; without a search ask what to search for."""
    app.main.go(LOG)
    if not app.main.log_panel.step(by):
        app.main.log_panel.ask()
