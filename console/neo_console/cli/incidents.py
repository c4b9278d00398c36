"""The commands about memory incidents: the list, and one of them whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from neo_console.cli.completion import complete_incident
from neo_console.cli.engines import engine_anyway
from neo_console.cli.output import emit_json, table
from neo_console.cli.parameters import json_option
from neo_console.format import moment, size, took
from neo_console.vocabulary import term
from neo_core.recorder.report import as_json as report_json
from neo_core.recorder.report import as_markdown, incident_json

if TYPE_CHECKING:
    from neo_core.ledger.memory import Incident
    from neo_core.workspace import Workspace


@click.command()
@click.option("--limit", "-n", default=50, show_default=True, metavar="N", help="At most so many, the newest.")
@json_option
@click.pass_obj
def incidents(workspace: Workspace, *, limit: int, as_json: bool) -> None:
    """List the intervals of memory pressure, the newest first, and which tree grew most during each."""
    engine = engine_anyway(workspace)
    found = engine.incidents(limit)
    if as_json:
        emit_json([incident_json(one) for one in found])
    elif not found:
        click.echo("No memory incident yet. The orchestrator, or an open console, records them.")
    else:
        now = engine.snapshot().at
        head = ("INCIDENT", "BEGAN", "LASTED", "WORST", "AVAILABLE", "GREW MOST")
        click.echo(table(head, (_row(one, now) for one in found)))


@click.command()
@click.argument("number", type=int, shell_complete=complete_incident)
@click.option("--format", "form", type=click.Choice(["markdown", "json"]), default="markdown", help="How to write it.")
@json_option
@click.pass_obj
def incident(workspace: Workspace, number: int, *, form: str, as_json: bool) -> None:
    """Print incident NUMBER with everything that coincided with it, as a page for a bug report."""
    report = engine_anyway(workspace).incident(number)
    if as_json or form == "json":
        emit_json(report_json(report))
    else:
        click.echo(as_markdown(report), nl=False)


def _row(one: Incident, now: float) -> tuple[str, ...]:
    most = one.trees[0] if one.trees else None
    lasted = took(now - one.began_at) + " so far" if one.ended_at is None else took(one.ended_at - one.began_at)
    return (
        str(one.incident_id),
        moment(one.began_at, now, seconds=True),
        lasted,
        f"{term(one.phase)}: {one.worst.signal} {one.worst.value}",
        size(one.least_available),
        f"{most.tree.owner} +{size(most.grown)}" if most else "nothing",
    )


COMMANDS = (incidents, incident)
