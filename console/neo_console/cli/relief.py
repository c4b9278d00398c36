"""The commands against memory pressure: what can be done, doing it, and what it freed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from neo_console.cli.engines import engine_anyway
from neo_console.cli.output import emit_json, note, table
from neo_console.cli.parameters import json_option, latest_run, to_seconds
from neo_console.format import in_local_time, moment, plain
from neo_console.relieving import expected, freed, gained, title, told
from neo_core.ledger.reliefs import ReliefKind, ReliefResult
from neo_core.recorder.report import relief_json

if TYPE_CHECKING:
    from neo_core.engine import Engine
    from neo_core.ledger.reliefs import Relief
    from neo_core.relief.options import Option
    from neo_core.workspace import Workspace

_PATIENCE = 660.0  # seconds beyond the settling time: a run may take its grace to end
_because = click.option("--because", default="", metavar="TEXT", help="Why, for the record.")
_no_wait = click.option("--no-wait", is_flag=True, help="Return at once; whoever records the memory measures later.")


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def relief(context: click.Context, *, as_json: bool) -> None:
    """What can be done against memory pressure: list it, or do one thing. Nothing here ever happens by itself.

    Every act is recorded before it is done, and what it freed is measured afterwards.
    """
    if context.invoked_subcommand is not None:
        return
    found = engine_anyway(context.obj).relief.options()
    if as_json:
        emit_json([_option_json(one) for one in found])
        return
    click.echo(table(("WHAT", "FREES", "BY", "EFFECT", "COMMAND"), (_option_row(one) for one in found), blocks=True))
    if not any(one.kind is ReliefKind.UNLOAD for one in found):
        note("No model server can be asked to unload: add [unload.NAME] with its url to neo-console.toml.")


@relief.command("defer-heavy")
@click.option("--for", "seconds", callback=to_seconds, required=True, metavar="DURATION", help="How long, like 1h.")
@click.option("--because", required=True, metavar="TEXT", help="Why, for whoever looks.")
@json_option
@click.pass_obj
def defer_heavy(workspace: Workspace, *, seconds: float, because: str, as_json: bool) -> None:
    """Let nothing heavy start for a time, whoever asks; what runs goes on, and light tasks start."""
    done = engine_anyway(workspace).relief.defer_heavy(seconds, because)
    if as_json:
        emit_json(relief_json(done))
        return
    until = moment(done.asked_at + seconds, done.asked_at)
    click.echo(f"Everything heavy is deferred until {until}: {plain(because)}. It {plain(done.sentence)}.")
    click.echo("Ends earlier with: neo-console relief resume-heavy")


@relief.command("resume-heavy")
@json_option
@click.pass_obj
def resume_heavy(workspace: Workspace, *, as_json: bool) -> None:
    """Let what is heavy start again."""
    ended = engine_anyway(workspace).relief.resume_heavy()
    if as_json:
        emit_json({"ended": ended})
    else:
        click.echo("Heavy tasks may start again." if ended else "Nothing heavy was deferred.")


@relief.command()
@click.argument("name")
@_because
@_no_wait
@json_option
@click.pass_obj
def unload(workspace: Workspace, name: str, *, because: str, no_wait: bool, as_json: bool) -> int:
    """Ask the model server of [unload.NAME] to give its memory back, and measure what that freed."""
    engine = engine_anyway(workspace)
    return _measured(engine, engine.relief.unload(name, because), no_wait=no_wait, as_json=as_json)


@relief.command("end-stray")
@click.argument("pid", type=click.IntRange(min=1))
@_because
@_no_wait
@json_option
@click.pass_obj
def end_stray(workspace: Workspace, pid: int, *, because: str, no_wait: bool, as_json: bool) -> int:
    """End the stray tree of PID as neo-console strays stop does, and measure what that freed."""
    engine = engine_anyway(workspace)
    return _measured(engine, engine.relief.end_stray(pid, because=because), no_wait=no_wait, as_json=as_json)


@relief.command()
@click.argument("run_name", metavar="RUN")
@click.option("--force", is_flag=True, help="Kill the whole process tree at once instead of asking first.")
@_because
@_no_wait
@json_option
@click.pass_obj
def stop(workspace: Workspace, run_name: str, *, force: bool, because: str, no_wait: bool, as_json: bool) -> int:
    """Stop RUN as neo-console stop does, and measure what that freed."""
    engine = engine_anyway(workspace)
    run = latest_run(engine, run_name)
    done = engine.relief.stop(run.run_id, because, force=force)
    return _measured(engine, done, no_wait=no_wait, as_json=as_json)


@relief.command()
@click.option("--limit", "-n", default=50, show_default=True, metavar="N", help="At most so many, the newest.")
@json_option
@click.pass_obj
def history(workspace: Workspace, *, limit: int, as_json: bool) -> None:
    """List what was done, the newest first, with what it was expected to free and what was measured."""
    found = engine_anyway(workspace).relief.history(limit)
    if as_json:
        emit_json([relief_json(one) for one in found])
    elif not found:
        click.echo("Nothing was done against memory pressure yet: neo-console relief lists what can be.")
    else:
        now = time.time()
        head = ("NO", "TIME", "WHAT", "BY", "EXPECTED", "FREED", "AVAILABLE", "HOW IT WENT")
        click.echo(table(head, (_history_row(one, now) for one in found), blocks=True))


def _measured(engine: Engine, done: Relief, *, no_wait: bool, as_json: bool) -> int:
    """Wait for the measurement, unless the operator does not, and say what it says."""
    if not no_wait:
        settle = engine.config.memory.relief_settle
        if not as_json:
            note(f"{done.sentence}; measuring what that frees (ctrl+c leaves it to whoever records the memory).")
        done = engine.relief.measured(done.relief_id, settle + _PATIENCE)
    if as_json:
        emit_json(relief_json(done))
    elif no_wait:
        click.echo(f"{plain(done.sentence)}. Expected to free {expected(done)}: {plain(done.basis)}.")
    elif not done.measured:
        click.echo(f"Expected to free {expected(done)}; not measured: {plain(done.note) or 'it is not over yet'}.")
    else:
        click.echo(f"Freed {freed(done)} of {expected(done)} expected; available memory {gained(done)}.")
    return 0 if done.result is ReliefResult.DONE and (no_wait or done.settled_at is not None) else 1


def _option_json(option: Option) -> dict[str, Any]:
    return {
        "kind": str(option.kind),
        "target": option.target or None,
        "label": option.label or None,
        "effect": option.effect,
        "expectedBytes": option.expected,
        "basis": option.basis,
        "blocked": option.blocked or None,
        "mend": option.mend or None,
    }


def _option_row(option: Option) -> tuple[str, ...]:
    here = not option.blocked or option.kind is ReliefKind.STRAY  # another command ends a stray that is blocked here
    effect = option.effect if here else f"not now: {option.blocked}; {option.mend}"
    return title(option), expected(option), option.basis, effect, _command(option)


def _command(option: Option) -> str:
    """Return what does it; where everything heavy is deferred already, what ends that."""
    match option.kind:
        case ReliefKind.DEFER_HEAVY if option.blocked:
            return "neo-console relief resume-heavy"
        case ReliefKind.DEFER_HEAVY:
            return "neo-console relief defer-heavy --for 1h --because 'memory is short'"
        case ReliefKind.STRAY:
            return option.mend or f"neo-console relief end-stray {option.target}"
        case ReliefKind.STOP:
            return f"neo-console relief stop {option.target[:8]}"
        case ReliefKind.UNLOAD:
            return f"neo-console relief unload {option.target}"


def _history_row(one: Relief, now: float) -> tuple[str, ...]:
    return (
        str(one.relief_id),
        moment(one.asked_at, now, seconds=True),
        title(one),
        one.requested_by,
        expected(one),
        freed(one),
        gained(one),
        in_local_time(told(one), now),
    )


COMMANDS = (relief,)
