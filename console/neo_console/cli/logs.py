"""The command that prints logs: of a run, of a service, of the orchestrator."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import click

from neo_console.cli.completion import complete_log
from neo_console.cli.engines import engine_anyway
from neo_console.cli.output import emit_json, note
from neo_console.cli.parameters import json_option, latest_run
from neo_console.format import age
from neo_console.vocabulary import outcome_term

if TYPE_CHECKING:
    from collections.abc import Callable

    from neo_core.engine import Engine
    from neo_core.ledger.models import Run
    from neo_core.logs import LogChunk
    from neo_core.workspace import Workspace

ORCHESTRATOR = "orchestrator"

_LOOK_EVERY = 0.1
_WHOLE_LOG = 64 * 1024 * 1024


class _Log(NamedTuple):
    """One log: how to read it, what JSON says of it, whether it still grows, what its absence or silence means."""

    read: Callable[..., LogChunk]
    about: dict[str, str]
    grows: Callable[[], bool]
    absent: Callable[[], str]
    silent: str


@click.command()
@click.argument("name", metavar="RUN|SERVICE|orchestrator", shell_complete=complete_log)
@click.option("--follow", "-f", is_flag=True, help="Go on printing: until the run has ended, else until ctrl+c.")
@json_option
@click.pass_obj
def logs(workspace: Workspace, name: str, *, follow: bool, as_json: bool) -> None:
    """Print a log.

    RUN is a run's id, the beginning of one, or a task's name for its latest run. SERVICE is a service's name, and
    orchestrator prints what the orchestrator did. A name that several have means the task first, then the service.
    """
    log = _find(engine_anyway(workspace), name)
    if as_json:
        chunk = log.read(after=0, limit=_WHOLE_LOG)
        emit_json({**log.about, "missing": chunk.missing, "text": chunk.text})
    elif follow:
        _follow(log)
    elif (read := log.read()).missing:
        note(log.absent())
    elif not read.size:
        note(log.silent)
    else:
        _print_from(log, 0)


def _find(engine: Engine, name: str) -> _Log:
    if name not in engine.tasks:
        if name in engine.services:
            read = partial(engine.service_log, name)
            missing = partial(_no_service_log, engine, name)
            return _Log(read, {"service": name}, lambda: True, missing, f"No output yet of {name}.")
        if name == ORCHESTRATOR:
            absent = "No log: no orchestrator has run here yet (neo-console orchestrator start)."
            about = {"orchestrator": ORCHESTRATOR}
            return _Log(
                engine.orchestrator_log, about, lambda: True, lambda: absent, "No output yet of the orchestrator."
            )
    run = latest_run(engine, name, (*engine.services, ORCHESTRATOR), "task, service or run")
    return _Log(
        partial(engine.log, run.run_id),
        {"runId": run.run_id, "task": run.task},
        lambda: engine.run(run.run_id).live,
        partial(_no_run_log, run),
        _silence(run),
    )


def _no_service_log(engine: Engine, name: str) -> str:
    """Say why a service has no log; what writes into a removed file is not read by anybody."""
    snapshot = engine.snapshot()
    living = [view.pid for view in snapshot.services.value or () if view.name == name and view.pid is not None]
    living += [one.pid for one in (snapshot.strays.value.found if snapshot.strays.value else ()) if one.owner == name]
    if not living:
        return f"No log: {name} has not been started here yet, or its log was removed."
    again = f"a new log begins with its next start: neo-console service restart {name}"
    return f"No log: that of {name} was removed while it runs (pid {living[0]}); {again}."


def _no_run_log(run: Run) -> str:
    named = f"{run.task} {run.run_id}"
    if run.live and run.started_at is None:
        return f"No log yet: {named} is starting."
    if run.live:
        return f"No log: that of {named} was removed while it runs; what it writes is lost."
    if run.started_at is not None:
        return f"No log: that of {named} was removed ({outcome_term(run.outcome).word})."
    return f"No log: {named} never started ({run.reason or run.reason_code})."


def _silence(run: Run) -> str:
    named = f"{run.task} {run.run_id}"
    if not run.live:
        return f"No output: {named} wrote nothing ({outcome_term(run.outcome).word})."
    for_ = "is starting" if run.started_at is None else f"has been running for {age(time.time() - run.started_at)}"
    return f"No output yet: {named} {for_}."


def _follow(log: _Log) -> None:
    offset = 0
    while True:
        grows = log.grows()
        offset = _print_from(log, offset)
        if not grows:
            return
        time.sleep(_LOOK_EVERY)


def _print_from(log: _Log, offset: int) -> int:
    """Print what follows byte ``offset``, a rotated log from its beginning; return where it ends now."""
    while True:
        chunk = log.read(after=offset)
        if not chunk.text:
            return offset if chunk.missing else chunk.end
        click.echo(chunk.text, nl=False)
        offset = chunk.end


COMMANDS = (logs,)
