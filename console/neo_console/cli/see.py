"""The commands that look: status, why, history, logs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from neo_console.cli.follow import follow_log, print_log
from neo_console.cli.output import decision_text, emit_json, history_text, lease_history_text, note, status_text
from neo_console.cli.parameters import json_option, latest_run, task_argument, to_moment, to_seconds
from neo_console.cli.projection import decision_json, run_json, snapshot_json
from neo_core.engine import Engine
from neo_core.ledger.models import Outcome, Trigger

if TYPE_CHECKING:
    from neo_core.snapshot import Snapshot
    from neo_core.workspace import Workspace


_WHOLE_LOG = 64 * 1024 * 1024


@click.command()
@json_option
@click.option("--watch", is_flag=True, help="Repeat until ctrl+c.")
@click.option("--every", callback=to_seconds, default="2s", show_default=True, help="How often --watch looks.")
@click.pass_obj
def status(workspace: Workspace, *, as_json: bool, watch: bool, every: float) -> int:
    """Say what runs, what waits and why. Exits 1 when something could not be read."""
    engine = Engine(workspace)
    while True:
        snapshot = engine.snapshot()
        if watch and not as_json:
            click.clear()
        if as_json:
            emit_json(snapshot_json(snapshot))
        else:
            click.echo(status_text(snapshot))
        if not watch:
            return 1 if _unreadable(snapshot) else 0
        time.sleep(max(0.1, every))


@click.command()
@task_argument
@click.option("--scheduled", is_flag=True, help="Ask about a start by the schedule instead of by hand.")
@json_option
@click.pass_obj
def why(workspace: Workspace, task: str, *, scheduled: bool, as_json: bool) -> None:
    """Say whether TASK may start now: every gate, its verdict, and when it clears."""
    decision = Engine(workspace).preview(task, Trigger.SCHEDULED if scheduled else Trigger.MANUAL)
    if as_json:
        emit_json(decision_json(decision))
    else:
        click.echo(decision_text(decision))


@click.command()
@click.option("--task", metavar="TASK", default="", help="Only this task.")
@click.option("--outcome", type=click.Choice([str(outcome) for outcome in Outcome]), help="Only this outcome.")
@click.option("--since", callback=to_moment, metavar="WHEN", help="Not before: a duration like 2h, or an ISO time.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most this many.")
@click.option("--lease", is_flag=True, help="The lease's history instead: who acquired and released it.")
@json_option
@click.pass_obj
def history(
    workspace: Workspace,
    *,
    task: str,
    outcome: str | None,
    since: float | None,
    limit: int,
    lease: bool,
    as_json: bool,
) -> None:
    """List runs and starts that did not happen, newest first."""
    engine = Engine(workspace)
    if lease:
        events = engine.lease_history(limit)
        if as_json:
            emit_json(events)
        else:
            click.echo(lease_history_text(events, time.time()))
        return
    runs = engine.history(task=task, outcome=Outcome(outcome) if outcome else None, since=since, limit=limit)
    if as_json:
        emit_json([run_json(run) for run in runs])
    else:
        click.echo(history_text(runs, time.time()))


@click.command()
@click.argument("run")
@click.option("--follow", "-f", is_flag=True, help="Go on printing until the run has ended.")
@json_option
@click.pass_obj
def logs(workspace: Workspace, run: str, *, follow: bool, as_json: bool) -> None:
    """Print the log of RUN: a run's id, the beginning of one, or a task's name for its latest run."""
    engine = Engine(workspace)
    found = latest_run(engine, run)
    if as_json:
        chunk = engine.log(found.run_id, after=0, limit=_WHOLE_LOG)
        emit_json({"runId": found.run_id, "task": found.task, "missing": chunk.missing, "text": chunk.text})
    elif follow:
        follow_log(engine, found.run_id)
    elif engine.log(found.run_id).missing:
        note(f"No log: {found.task} {found.run_id} never started ({found.reason or found.reason_code}).")
    else:
        print_log(engine, found.run_id, 0)


def _unreadable(snapshot: Snapshot) -> bool:
    sections = (snapshot.lease, snapshot.schedule, snapshot.outcomes, snapshot.processes, snapshot.memory)
    lease = snapshot.lease.value
    return any(section.error for section in sections) or (lease is not None and lease.status == "unreadable")


COMMANDS = (status, why, history, logs)
