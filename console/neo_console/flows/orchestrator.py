"""Start or stop the orchestrator: preview, confirm, and a result that tells how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.availability import keeper_runs
from neo_console.dialogs.confirm import Confirm, Proposal
from neo_console.drawing import Fact
from neo_console.flows.due import due_next, due_now
from neo_console.format import age, plain, plural
from neo_console.vocabulary import Tone, term
from neo_core.errors import NeoError
from neo_core.ledger.models import ServiceState

if TYPE_CHECKING:
    from neo_console.app import NeoConsole
    from neo_core.snapshot import OrchestratorView


def orchestrator(app: NeoConsole) -> None:
    """Ask for the start or the end of the orchestrator, whichever is possible."""
    keeper = app.picture.keeper()
    if keeper is None:
        return
    if keeper_runs(app.context()):
        app.push_screen(Confirm(_to_stop(app, keeper)), lambda yes: _stop(app) if yes else None)
    else:
        app.push_screen(Confirm(_to_start(app, keeper)), lambda yes: _start(app) if yes else None)


def _to_start(app: NeoConsole, keeper: OrchestratorView) -> Proposal:
    now = app.now()
    known = app.picture.services(now).value or ()
    services = [plain(one.name) for one in known if one.wanted and one.state is not ServiceState.FATAL]
    facts = [
        Fact("target", f"the orchestrator of {app.workspace_name}; {term(keeper.state).word} now"),
        Fact("effect", "a process that outlives this console; it starts what is due, one heavy run at a time"),
        Fact("first", due_now(app.picture, now) or "nothing is due now"),
        Fact("then", due_next(app.picture, now)),
        Fact("services", f"starts and keeps {', '.join(services)}" if services else ""),
    ]
    return Proposal(
        title="Start the orchestrator?",
        facts=tuple(fact for fact in facts if fact.value),
        confirm="Start the orchestrator",
        as_of=app.picture.orchestrator(now).at or now,
        changed=lambda: _changed(app, keeper),
    )


def _to_stop(app: NeoConsole, keeper: OrchestratorView) -> Proposal:
    now = app.now()
    since = f", running {age(now - keeper.started_at)}" if keeper.started_at is not None else ""
    running = [plain(run.task) for run in app.picture.outcomes(now).value or () if run.live]
    services = [service for service in app.picture.services(now).value or () if service.pid is not None]
    facts = [
        Fact("target", f"the orchestrator, pid {keeper.pid or 'unknown'}{since}"),
        Fact("effect", f"nothing starts by itself any more, until {app.keymap.key('orchestrator')} starts it again"),
        Fact("goes on", f"{', '.join(running)}: every run has its own runner" if running else "no run is active"),
        Fact("services", _services_left(app, len(services)) if services else ""),
    ]
    return Proposal(
        title="Stop the orchestrator?",
        facts=tuple(fact for fact in facts if fact.value),
        confirm="Stop the orchestrator",
        as_of=app.picture.orchestrator(now).at or now,
        changed=lambda: _changed(app, keeper),
    )


def _services_left(app: NeoConsole, count: int) -> str:
    try:
        stops = app.engine().config.orchestrator.on_stop == "stop"
    except NeoError as error:
        return f"what becomes of {plural(count, 'service')} is not known: {error}"
    if stops:
        return f"{plural(count, 'service')} stopped with it, as orchestrator.on_stop says"
    return f"{plural(count, 'service')} left running, but without a keeper that restarts"


def _changed(app: NeoConsole, captured: OrchestratorView) -> str:
    """Return what is different since the keypress; empty when nothing is."""
    keeper = app.picture.keeper()
    if app.orchestrator_busy:
        return f"The orchestrator is {app.orchestrator_busy} already."
    if keeper is None or (keeper.state, keeper.pid) == (captured.state, captured.pid):
        return ""
    return f"The orchestrator is {term(keeper.state).word} by now."


def _start(app: NeoConsole) -> None:
    app.command_orchestrator("starting", lambda daemon: daemon.start(), lambda pid, why: _started(app, pid, why))


def _started(app: NeoConsole, pid: object, why: str) -> None:
    if why:
        app.report(f"the orchestrator did not start. {why}", Tone.FAIL)
    else:
        app.report(f"the orchestrator runs as pid {pid}; {app.keymap.key('orchestrator-log')} shows its log", Tone.OK)


def _stop(app: NeoConsole) -> None:
    app.command_orchestrator(
        "stopping", lambda daemon: daemon.stop("asked for in the console"), lambda _none, why: _stopped(app, why)
    )


def _stopped(app: NeoConsole, why: str) -> None:
    if why:
        app.report(f"the orchestrator was not stopped. {why}", Tone.FAIL)
    else:
        app.report("the orchestrator was asked to end; runs go on", Tone.OK)
