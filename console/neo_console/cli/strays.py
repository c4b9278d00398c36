"""The commands about strays: the list of processes that belong to nothing that lives, and ending one of them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from neo_console.cli.engines import engine_anyway
from neo_console.cli.output import emit_json, note, table
from neo_console.cli.parameters import json_option
from neo_console.cli.projection import stray_json, strays_json
from neo_console.cli.records import control_json
from neo_console.format import NOTHING, age, moment, plain, plural, size
from neo_console.living import explain_living
from neo_console.vocabulary import term
from neo_core.errors import EndedError, NeoError
from neo_core.snapshot_strays import StrayEnd

if TYPE_CHECKING:
    from neo_core.snapshot_strays import StraysView, StrayView
    from neo_core.workspace import Workspace


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def strays(context: click.Context, *, as_json: bool) -> None:
    """List the processes that carry our markers, or have a service's port, and belong to nothing that lives.

    What a killed neo-lease run left is among them. What a killed run left, the lease shows as ORPHANED: it is told
    above them, and ends with neo-console stop RUN. Exits 1 when they could not be looked for.
    """
    if context.invoked_subcommand is not None:
        return
    view = engine_anyway(context.obj).strays()
    if as_json:
        emit_json(strays_json(view))
    else:
        click.echo(strays_text(view))


@strays.command("stop")
@click.argument("pid", type=click.IntRange(min=1))
@click.option("--foreign", is_flag=True, help="End it though it was not started here: you know what it is and mean it.")
@click.option("--because", default="", metavar="TEXT", help="Why, for the record.")
@json_option
@click.pass_obj
def strays_stop(workspace: Workspace, pid: int, *, foreign: bool, because: str, as_json: bool) -> int:
    """End the stray tree that PID belongs to: asked, then killed after its grace.

    It is looked at again first: what has become part of a live run or service, or another process, is left alone.
    Exits 1 when something survives.
    """
    engine = engine_anyway(workspace)
    try:
        done = engine.stop_stray(pid, foreign=foreign, because=because)
    except NeoError as error:
        told = None if isinstance(error, EndedError) else explain_living(engine.snapshot(), str(pid))
        raise told or error from None
    if as_json:
        emit_json({"end": str(done.end), "tookSeconds": round(done.took, 3), "stray": stray_json(done.stray)})
    elif done.end is StrayEnd.SURVIVED:
        note(f"{done.sentence}.")
    else:
        click.echo(plain(f"{done.sentence}."))
    return 1 if done.end is StrayEnd.SURVIVED else 0


@strays.command("history")
@click.option(
    "--limit", "-n", type=click.IntRange(1, 1000), default=20, show_default=True, help="At most this many rows."
)
@json_option
@click.pass_obj
def strays_history(workspace: Workspace, *, limit: int, as_json: bool) -> None:
    """List the strays that somebody ended: when, who, and how it went, newest first."""
    found = engine_anyway(workspace).stray_stops(limit)
    if as_json:
        emit_json([control_json(one) for one in found])
    elif found:
        now = time.time()
        rows = [(moment(one.created_at, now), one.requested_by or NOTHING, one.because) for one in found]
        click.echo(table(("TIME", "BY", "WHAT"), rows))
    else:
        note("No stray was ended here yet.")


def strays_text(view: StraysView) -> str:
    """Return the strays as a table, each with its mend, and what could not be looked at."""
    parts = []
    if view.found:
        parts.append(table(("PID", "KIND", "OF", "AGE", "MEMORY", "PROCESSES", "WHY"), map(_row, view.found)))
        parts += [plain(f"{one.pid} blocks {one.blocks}") for one in view.found if one.blocks]
        parts += [plain(f"{one.pid} ends with: {one.mend}") for one in view.found]
    else:
        other = "other " if view.orphaned else ""
        parts.append(f"No {other}stray among {plural(view.looked_at, 'process', 'processes')} of yours.")
    if view.orphaned:
        parts.insert(0, plain(f"{view.orphaned[:1].upper()}{view.orphaned[1:]}. End it with: {view.orphaned_mend}"))
    return "\n".join([*parts, *_unseen(view)])


def _row(one: StrayView) -> tuple[Any, ...]:
    return (
        str(one.pid),
        str(term(one.kind)),
        one.owner,
        age(one.age) if one.age is not None else NOTHING,
        size(one.memory) if one.exact else f"~{size(one.memory)}",
        str(len(one.members)),
        f"{one.name} {one.sentence}: {one.command}",
    )


def _unseen(view: StraysView) -> list[str]:
    """Nobody should take what was not looked at for "none"."""
    said = [f"Unknown: {plain(one)}." for one in view.unknown]
    if view.settling:
        said.append(f"{view.settling} more began too short a while ago to be called one: look again in five seconds.")
    unread = []
    if view.unreadable:
        unread.append(f"{view.unreadable} of yours that do not show their environment")
    if view.others:
        unread.append(f"{view.others} of other users")
    if unread:
        said.append(f"Not looked at: {' and '.join(unread)}.")
    return said


COMMANDS = (strays,)
