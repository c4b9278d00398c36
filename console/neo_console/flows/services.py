"""Start, restart or stop a service: a command to the orchestrator, which keeps it; a stop is possible without one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.availability import keeper_runs, start_word
from neo_console.dialogs.confirm import Confirm, Proposal
from neo_console.drawing import Fact
from neo_console.facts import needs_of
from neo_console.format import age, plain
from neo_console.vocabulary import Tone, term
from neo_core.errors import NeoError

if TYPE_CHECKING:
    from neo_console.app import NeoConsole
    from neo_core.snapshot import ServiceView, TaskView

_BECAUSE = "asked for in the console"
_EFFECTS = {
    "start": "the orchestrator starts it now and keeps it running",
    "restart": "its whole process tree is stopped, then it is started again; who uses it loses it meanwhile",
    "stop": "its whole process tree gets its stop signal, and a kill after its grace; then it stays stopped",
}
_STOP_UNKEPT = (
    "no orchestrator runs, so its whole process tree is ended from here: its stop signal, and a kill after its grace;"
    " the next orchestrator leaves it stopped"
)
_SAID = {
    "start": "will be started by the orchestrator",
    "restart": "will be restarted by the orchestrator",
    "stop": "will be stopped by the orchestrator, and stays so",
}


def start_service(app: NeoConsole, service: ServiceView) -> None:
    """Confirm starting the service, or restarting it while it has a process."""
    _ask(app, service, start_word(app.context()))


def stop_service(app: NeoConsole, service: ServiceView) -> None:
    """Confirm stopping the service."""
    _ask(app, service, "stop")


def _ask(app: NeoConsole, service: ServiceView, verb: str) -> None:
    app.push_screen(Confirm(_proposal(app, service, verb)), lambda yes: _command(app, service, verb) if yes else None)


def _proposal(app: NeoConsole, service: ServiceView, verb: str) -> Proposal:
    name, now = plain(service.name), app.now()
    pid = f", pid {service.pid}" if service.pid is not None else ""
    shown = term(service.state)
    lasts = f" for {age(now - service.since)}" if service.since is not None else ", never started"
    needed = [plain(task.name) for task in _users(app, service.name)]
    facts = [
        Fact("target", f"service {service.name}: {shown.word}{lasts}{pid}", shown.tone),
        Fact("effect", _STOP_UNKEPT if verb == "stop" and not keeper_runs(app.context()) else _EFFECTS[verb]),
        Fact("needed", f"by {', '.join(needed)}: not started while it is down" if needed and verb != "start" else ""),
    ]
    return Proposal(
        title=f"{verb.capitalize()} {name}?",
        facts=tuple(fact for fact in facts if fact.value),
        confirm=f"{verb.capitalize()} {name}",
        as_of=app.picture.services(now).at or now,
        changed=lambda: _changed(app, service),
    )


def _users(app: NeoConsole, name: str) -> list[TaskView]:
    schedule = app.picture.schedule(app.now()).value
    return [task for task in schedule.tasks if name in needs_of(task).split()] if schedule else []


def _changed(app: NeoConsole, captured: ServiceView) -> str:
    """Return what is different since the keypress; empty when nothing is."""
    service = app.picture.service(captured.name)
    if service is None:
        return f"{captured.name} is no service here any more."
    if (service.pid, service.start_time) != (captured.pid, captured.start_time):
        return f"{captured.name} is another process by now ({term(service.state).word}, pid {service.pid or 'none'})."
    return ""


def _command(app: NeoConsole, service: ServiceView, verb: str) -> None:
    name = service.name
    if verb == "stop":
        _stop(app, name, kept=keeper_runs(app.context()))
        return
    try:
        engine = app.engine()
        if verb == "start":
            engine.service_start(name, _BECAUSE)
        else:
            engine.service_restart(name, _BECAUSE)
    except NeoError as error:
        app.report(f"{name} is as it was. {error}", Tone.FAIL)
        return
    finally:
        app.nudge()
    app.report(f"{name} {_SAID[verb]}", Tone.RUN)


def _stop(app: NeoConsole, name: str, *, kept: bool) -> None:
    """End it in a thread of its own: what an earlier start left, or all where nobody keeps it, may take its grace."""
    app.report(f"{name} is asked to end", Tone.RUN)

    def told(_result: object, why: str) -> None:
        if why:
            app.report(f"{name} was not stopped. {why}", Tone.FAIL)
        elif kept:
            app.report(f"{name} {_SAID['stop']}", Tone.RUN)
        else:
            app.report(f"{name} is stopped, and stays so", Tone.OK)

    app.aside(lambda engine: engine.service_stop(name, _BECAUSE), told)
