"""The commands that look: status, why, history."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from neo_console.cli.completion import complete_task
from neo_console.cli.engines import engine_anyway
from neo_console.cli.output import decision_text, emit_json, history_text, lease_history_text
from neo_console.cli.parameters import json_option, task_argument, to_moment, to_seconds
from neo_console.cli.projection import snapshot_json
from neo_console.cli.prometheus import prometheus_text
from neo_console.cli.records import decision_json, lease_event_json, run_json
from neo_console.cli.status import status_text
from neo_console.waiting import wait_text
from neo_core.health import SECTIONS, judge
from neo_core.ledger.models import Outcome, Trigger
from neo_core.snapshot import HealthStatus

if TYPE_CHECKING:
    from neo_core.snapshot import Snapshot
    from neo_core.workspace import Workspace


_FORMATS = ("text", "json", "prometheus")
_CHECKED = {HealthStatus.HEALTHY: 0, HealthStatus.DEGRADED: 1}
_CHECKED_WORSE = 3


@click.command()
@json_option
@click.option(
    "--format", "shape", type=click.Choice(_FORMATS), help="How to print it (default: text); --json means json."
)
@click.option("--check", is_flag=True, help="Exit 0 when healthy, 1 when degraded, 3 when unhealthy or unknown.")
@click.option("--watch", is_flag=True, help="Repeat until ctrl+c.")
@click.option("--every", callback=to_seconds, default="2s", show_default=True, help="How often --watch looks.")
@click.pass_obj
def status(workspace: Workspace, *, as_json: bool, shape: str | None, check: bool, watch: bool, every: float) -> int:
    """Say what runs, what waits and why, and how well everything is.

    Exits 1 when something could not be read or the configuration is wrong, which is then said on stderr; with --check
    it exits by the health alone.
    """
    if as_json and shape not in (None, "json"):
        raise click.UsageError(f"--json and --format {shape} do not fit together; leave out one of them.")
    engine = engine_anyway(workspace)
    shape = "json" if as_json else shape or "text"
    while True:
        snapshot = engine.snapshot()
        if watch and shape == "text":
            click.clear()
        _print(snapshot, shape)
        if not watch:
            return _CHECKED.get(judge(snapshot).status, _CHECKED_WORSE) if check else int(_unreadable(snapshot))
        time.sleep(max(0.1, every))
        engine.reconfigure_if_changed()


@click.command()
@task_argument
@click.option("--scheduled", is_flag=True, help="Ask about a start by the schedule instead of by hand.")
@json_option
@click.pass_obj
def why(workspace: Workspace, task: str, *, scheduled: bool, as_json: bool) -> None:
    """Say whether TASK may start now: every gate, its verdict, and when it clears."""
    engine = engine_anyway(workspace)
    decision = engine.preview(task, Trigger.SCHEDULED if scheduled else Trigger.MANUAL)
    if as_json:
        emit_json(decision_json(decision))
        return
    click.echo(decision_text(decision))
    schedule = engine.snapshot().schedule.value
    view = next((one for one in schedule.tasks if one.name == decision.task), None) if schedule else None
    told = wait_text(view, decision.at) if view else ""
    if told:
        click.echo(f"\n{told}")


@click.command()
@click.option("--task", metavar="TASK", default="", shell_complete=complete_task, help="Only this task.")
@click.option("--outcome", type=click.Choice([str(outcome) for outcome in Outcome]), help="Only this outcome.")
@click.option(
    "--since", callback=to_moment, metavar="TIME", help="Not before, by the column TIME: 14:03, an ISO time, or 2h."
)
@click.option(
    "--limit", "-n", type=click.IntRange(1, 100_000), default=50, show_default=True, help="At most this many."
)
@click.option("--lease", is_flag=True, help="The lease's history instead: which runs acquired and released it.")
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
    engine = engine_anyway(workspace)
    if lease:
        events = engine.lease_history(limit)
        if as_json:
            emit_json([lease_event_json(event) for event in events])
        else:
            click.echo(lease_history_text(events, time.time()))
        return
    runs = engine.history(task=task, outcome=Outcome(outcome) if outcome else None, since=since, limit=limit)
    if as_json:
        emit_json([run_json(run) for run in runs])
    else:
        click.echo(history_text(runs, time.time()))


def _print(snapshot: Snapshot, shape: str) -> None:
    if shape == "json":
        emit_json(snapshot_json(snapshot))
    elif shape == "prometheus":
        click.echo(prometheus_text(snapshot), nl=False)
    else:
        click.echo(status_text(snapshot))


def _unreadable(snapshot: Snapshot) -> bool:
    lease = snapshot.lease.value
    failed = any(getattr(snapshot, name).error for name in SECTIONS)
    return failed or bool(snapshot.config_error) or (lease is not None and lease.status == "unreadable")


COMMANDS = (status, why, history)
