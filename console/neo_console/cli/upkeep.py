"""The commands about what keeps itself going: the orchestrator and the services that it looks after."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

import click

from neo_console.cli.engines import engine_anyway, engine_to_start
from neo_console.cli.output import emit_json, fitted, note
from neo_console.cli.parameters import json_option, service_argument
from neo_console.cli.projection import orchestrator_json, service_json
from neo_console.cli.records import control_json
from neo_console.cli.status import orchestrator_line, services_text
from neo_core.errors import NeoError
from neo_core.snapshot import OrchestratorState

if TYPE_CHECKING:
    from neo_core.engine import Engine
    from neo_core.ledger.models import Control
    from neo_core.snapshot import OrchestratorView, Section, ServiceView
    from neo_core.workspace import Workspace

T = TypeVar("T")

_ACKNOWLEDGED_WITHIN = 10.0
_LOOK_EVERY = 0.1
_NOT_RUNNING = 3
_HANG = 2

_because_option = click.option("--because", default="", metavar="TEXT", help="Why, for the record.")
_no_wait_option = click.option("--no-wait", is_flag=True, help="Return at once instead of when it was taken up.")


@click.group()
def orchestrator() -> None:
    """Start, stop or look at the orchestrator, which starts due tasks and keeps the services."""


@orchestrator.command("start")
@json_option
@click.pass_obj
def orchestrator_start(workspace: Workspace, *, as_json: bool) -> None:
    """Start it detached from this terminal, and return once it polls.

    Exits 3, naming the other one, when one runs already.
    """
    from neo_core.orchestrator.detached import start_detached

    workspace = engine_to_start(workspace).workspace  # a wrong configuration is said here, and not in a log
    pid = start_detached(workspace)
    if as_json:
        emit_json({"pid": pid, "started": True})
    else:
        click.echo(f"The orchestrator runs (pid {pid}). Its log: neo-console logs orchestrator")


@orchestrator.command("stop")
@_because_option
@json_option
@click.pass_obj
def orchestrator_stop(workspace: Workspace, *, because: str, as_json: bool) -> int:
    """Ask it to end, and return once it is gone; runs go on, services as orchestrator.on_stop says.

    Exits 3 when none runs.
    """
    from neo_core.orchestrator.detached import request_stop

    gone = request_stop(workspace, because)
    if as_json:
        emit_json({"stopped": gone})
    elif gone:
        click.echo("The orchestrator has ended.")
    else:
        note("Asked: the orchestrator is still ending. See: neo-console logs orchestrator")
    return 0 if gone else 1


@orchestrator.command("status")
@json_option
@click.pass_obj
def orchestrator_status(workspace: Workspace, *, as_json: bool) -> int:
    """Say whether it runs, and since when. Exits 0 when it runs and polls, else 3; 1 when that cannot be read."""
    snapshot = engine_anyway(workspace).snapshot()
    view: OrchestratorView = _value(snapshot.orchestrator, "orchestrator")
    if as_json:
        emit_json(orchestrator_json(view))
    else:
        click.echo(fitted(orchestrator_line(view, snapshot.at), _HANG))
        if view.config_error:
            note(f"It goes on with its older configuration: {view.config_error}")
    return 0 if view.state is OrchestratorState.RUNNING else _NOT_RUNNING


@click.command()
@json_option
@click.pass_obj
def services(workspace: Workspace, *, as_json: bool) -> None:
    """List the services: their state, since when, where, and why."""
    snapshot = engine_anyway(workspace).snapshot()
    views: tuple[ServiceView, ...] = _value(snapshot.services, "services")
    if as_json:
        emit_json([service_json(view) for view in views])
    else:
        click.echo(services_text(views, snapshot.at))


@click.group()
def service() -> None:
    """Start, stop or restart a service; the orchestrator does it, a stop is also possible without one."""


@service.command("start")
@service_argument
@_because_option
@_no_wait_option
@json_option
@click.pass_obj
def service_start(workspace: Workspace, name: str, *, because: str, no_wait: bool, as_json: bool) -> int:
    """Start SERVICE and keep it running from now on."""
    engine = engine_anyway(workspace)
    return _await(engine, engine.service_start(name, because), no_wait=no_wait, as_json=as_json)


@service.command("stop")
@service_argument
@_because_option
@_no_wait_option
@json_option
@click.pass_obj
def service_stop(workspace: Workspace, name: str, *, because: str, no_wait: bool, as_json: bool) -> int:
    """Stop SERVICE with its whole process tree, and leave it stopped.

    Where no orchestrator runs it is ended from here, which waits for its grace: its stop signal first, then a kill. The
    next orchestrator leaves it stopped, too.
    """
    engine = engine_anyway(workspace)
    return _await(engine, engine.service_stop(name, because), no_wait=no_wait, as_json=as_json)


@service.command("restart")
@service_argument
@_because_option
@_no_wait_option
@json_option
@click.pass_obj
def service_restart(workspace: Workspace, name: str, *, because: str, no_wait: bool, as_json: bool) -> int:
    """Stop SERVICE and start it again, also when it was given up."""
    engine = engine_anyway(workspace)
    return _await(engine, engine.service_restart(name, because), no_wait=no_wait, as_json=as_json)


def _await(engine: Engine, control: Control, *, no_wait: bool, as_json: bool) -> int:
    """Wait until the orchestrator has taken up what was not done here, and say how the service is then."""
    taken = control.acknowledged_at is not None or (not no_wait and _taken_up(engine, control))
    snapshot = engine.snapshot()
    views: tuple[ServiceView, ...] = _value(snapshot.services, "services")
    found = next((view for view in views if view.name == control.target), None)
    if as_json:
        emit_json({**control_json(control), "taken": taken, "service": service_json(found) if found else None})
    elif taken and found is not None:
        click.echo(services_text([found], snapshot.at))
    else:
        note(f"Asked: the orchestrator will {str(control.kind).removeprefix('service-')} {control.target}.")
    return 0 if taken or no_wait else 1


def _taken_up(engine: Engine, control: Control) -> bool:
    deadline = time.monotonic() + _ACKNOWLEDGED_WITHIN
    while time.monotonic() < deadline:
        if engine.acknowledged(control):
            return True
        time.sleep(_LOOK_EVERY)
    return False


def _value(section: Section[T], name: str) -> T:
    if section.value is None:
        raise NeoError(name, f"cannot be read: {section.error}", "Run: neo-console doctor.")
    return section.value


COMMANDS = (orchestrator, services, service)
