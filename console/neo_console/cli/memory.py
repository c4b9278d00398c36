"""The command about the memory: what has it now, and what had it at a time that was recorded."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from neo_console.cli.engines import engine_anyway
from neo_console.cli.memory_text import moment_json, moment_text, not_recorded
from neo_console.cli.output import emit_json, note
from neo_console.cli.parameters import json_option, to_moment
from neo_console.format import exactly
from neo_core.errors import UsageError

if TYPE_CHECKING:
    from neo_core.engine import Engine
    from neo_core.workspace import Workspace

_NOT_RECORDED = 3


@click.command()
@click.option("--at", callback=to_moment, metavar="TIME", help="What had it then, as it was recorded: 14:03, 5m ago.")
@click.option(
    "-n", "most", type=click.IntRange(min=0), default=10, show_default=True, metavar="N",
    help="At most so many process trees, the dearest; 0 for all.",
)  # fmt: skip
@json_option
@click.pass_obj
def memory(workspace: Workspace, *, at: float | None, most: int, as_json: bool) -> int:
    """Say what has the memory now, or with --at what had it at that time, and who held the lease.

    A time of day means the latest such time that is past. The sample next to it is shown with its own time; where none
    is near, that is said with what was recorded before and after, and the exit code is 3.
    """
    engine = engine_anyway(workspace)
    if at is None:
        return _now(engine, most, as_json=as_json)
    now = time.time()
    if at > now:
        raise UsageError(f"--at {exactly(at, now)}", "is ahead of now", "Ask for a time that is past.")
    past = engine.memory_at(at)
    then = past.then(at)
    if as_json:
        emit_json(moment_json(then, most, asked=at, past=past))
        return 0 if then.sample else _NOT_RECORDED
    click.echo(moment_text(then, now, most, asked=at))
    if then.sample is None:
        note(f"neo-console: {not_recorded(past, at, now)}")
        return _NOT_RECORDED
    return 0


def _now(engine: Engine, most: int, *, as_json: bool) -> int:
    """Look at the machine, and say who holds the lease as its record says."""
    then, snapshot = engine.memory_now(), engine.snapshot()
    if as_json:
        emit_json(moment_json(then, most, snapshot=snapshot))
    else:
        click.echo(moment_text(then, snapshot.at, most, snapshot=snapshot))
    return int(bool(snapshot.lease.error))


COMMANDS = (memory,)
