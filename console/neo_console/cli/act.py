"""The commands that act: run, stop, defer, resume, pause, unpause."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from neo_console.cli.completion import complete_live_run
from neo_console.cli.engines import engine_anyway, engine_to_start
from neo_console.cli.follow import CANCELLED, exit_code, follow_run
from neo_console.cli.output import emit_json, fitted, for_people, note, run_line
from neo_console.cli.parameters import json_option, latest_run, runs_of, task_argument, to_seconds
from neo_console.cli.patience import start_patiently, to_patience, wait_in_full
from neo_console.cli.records import control_json, decision_json, run_json
from neo_console.format import exactly, in_local_time, moment, plain
from neo_console.living import explain_living
from neo_core.errors import NeoError
from neo_core.ledger.models import Outcome
from neo_core.schedule.decision import Gate, Reason

if TYPE_CHECKING:
    from neo_core.engine import Engine
    from neo_core.ledger.models import Run
    from neo_core.starting import Attempt
    from neo_core.workspace import Workspace

_HANG = 2
_LEASE_REASONS = (str(Reason.BACKPRESSURE), str(Reason.LEASE_HELD))


class _RunCommand(click.Command):
    """``run``, whose ``--wait`` takes a duration only where one follows."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Write ``--wait`` before anything but a duration as waiting for ever."""
        return super().parse_args(ctx, wait_in_full(args))


@click.command(cls=_RunCommand)
@task_argument
@click.option(
    "--wait",
    "seconds",
    callback=to_patience,
    metavar="[DURATION]",
    help="Wait until it may start, at most that long, instead of leaving; ctrl+c ends the waiting.",
)
@click.option("--detach", "-d", is_flag=True, help="Start it and return at once; the run goes on.")
@click.option(
    "--deferred-exit-code", type=click.IntRange(0, 255), default=0, show_default=True, help="Exit code of a deferral."
)
@click.option(
    "--override-memory",
    is_flag=True,
    help="Start in spite of memory pressure or of a forecast that it will not fit; the run keeps that you said so.",
)
@json_option
@click.pass_obj
def run(
    workspace: Workspace,
    task: str,
    *,
    seconds: float | None,
    detach: bool,
    deferred_exit_code: int,
    override_memory: bool,
    as_json: bool,
) -> int:
    """Run TASK now and print its log; ctrl+c stops it.

    A start that a gate prevents is recorded, said, and exits 0 like every script on this machine that finds the lease
    held; nothing tries it again, unless --wait does. A task without a command exits 1.
    """
    engine = engine_to_start(workspace)
    if seconds is None:
        attempt = engine.trigger(task, override_memory=override_memory)
    else:
        try:
            attempt = start_patiently(engine, task, seconds, override_memory=override_memory)
        except KeyboardInterrupt:
            note(f"Stopped waiting; {task} was not started.")
            return CANCELLED
    if not attempt.started:
        _say_prevented(engine, attempt, as_json=as_json)
        blocking = attempt.decision.blocking
        if blocking is not None and blocking.gate is Gate.CONFIGURED:
            return 1
        return deferred_exit_code if blocking is not None and blocking.outcome is Outcome.DEFERRED else 0
    if detach:
        if as_json:
            emit_json(run_json(engine.run(attempt.run_id)))
        elif for_people():
            click.echo(f"started {task}, run {attempt.run_id}; follow it with: neo-console logs {attempt.run_id} -f")
        else:
            click.echo(attempt.run_id)
        return 0
    ended = follow_run(engine, attempt.run_id, quiet=as_json)
    if as_json:
        emit_json(run_json(ended))
    else:
        note(run_line(ended))
    deferred = ended.outcome is not None and str(ended.outcome) == "deferred"
    return deferred_exit_code if deferred else exit_code(ended)


@click.command()
@click.argument("run_name", metavar="RUN", shell_complete=complete_live_run)
@click.option("--force", is_flag=True, help="Kill the whole process tree at once instead of asking first.")
@click.option("--because", default="", metavar="TEXT", help="Why, for the record.")
@click.option("--no-wait", is_flag=True, help="Return at once instead of when the run has ended.")
@json_option
@click.pass_obj
def stop(workspace: Workspace, run_name: str, *, force: bool, because: str, no_wait: bool, as_json: bool) -> int:
    """Stop RUN (an id, the beginning of one, or the name of a running task): TERM, then KILL after its grace."""
    engine = engine_anyway(workspace)
    found = _live_run(engine, run_name)
    engine.stop(found.run_id, force=force, because=because)
    grace = engine.tasks[found.task].grace if found.task in engine.tasks else 10.0
    if not found.live:
        note(f"The runner of {found.task} {found.run_id} was killed; what is left of it was asked to end.")
    ended = found if no_wait else engine.wait(found.run_id, timeout=grace + 10)
    if as_json:
        emit_json(run_json(ended))
    elif ended.live:
        note(f"Asked: {found.task} {found.run_id} is still ending.")
    else:
        click.echo(run_line(ended))
    return 0 if no_wait or not ended.live else 1


@click.command()
@task_argument
@click.option("--for", "seconds", callback=to_seconds, required=True, metavar="DURATION", help="How long, like 2h.")
@click.option("--because", required=True, metavar="TEXT", help="Why, for whoever looks.")
@json_option
@click.pass_obj
def defer(workspace: Workspace, task: str, *, seconds: float, because: str, as_json: bool) -> None:
    """Snooze TASK: nothing starts it for a while."""
    control = engine_anyway(workspace).defer(task, seconds, because)
    if as_json:
        emit_json(control_json(control))
    else:
        until = moment(control.until, time.time())
        click.echo(f"{task} is snoozed until {until}: {because}. Ends earlier with: neo-console resume {task}")


@click.command()
@task_argument
@json_option
@click.pass_obj
def resume(workspace: Workspace, task: str, *, as_json: bool) -> None:
    """End TASK's snooze."""
    ended = engine_anyway(workspace).resume(task)
    if as_json:
        emit_json({"task": task, "ended": ended})
        return
    click.echo(f"{task} is no longer snoozed." if ended else f"{task} was not snoozed.")


@click.command()
@click.option("--because", required=True, metavar="TEXT", help="Why, for whoever looks.")
@click.option("--for", "seconds", callback=to_seconds, metavar="DURATION", help="How long (default: until unpause).")
@json_option
@click.pass_obj
def pause(workspace: Workspace, *, because: str, seconds: float | None, as_json: bool) -> None:
    """Let no task start, by schedule or by hand; what runs goes on.

    Services are kept all the same, and scripts under neo-lease run are not held back.
    """
    control = engine_anyway(workspace).pause(because, seconds)
    if as_json:
        emit_json(control_json(control))
    else:
        until = "neo-console unpause" if control.until is None else moment(control.until, time.time())
        click.echo(f"Every task is paused until {until}: {because}. Services and neo-lease run are not held back.")


@click.command()
@json_option
@click.pass_obj
def unpause(workspace: Workspace, *, as_json: bool) -> None:
    """End the pause."""
    ended = engine_anyway(workspace).unpause()
    if as_json:
        emit_json({"ended": ended})
    else:
        click.echo("The pause has ended." if ended else "Nothing was paused.")


def _say_prevented(engine: Engine, attempt: Attempt, *, as_json: bool) -> None:
    blocking = attempt.decision.blocking
    if as_json or blocking is None:
        emit_json({"runId": attempt.run_id, "started": False, **decision_json(attempt.decision)})
        return
    task, now = attempt.decision.task, attempt.decision.at
    since = engine.held_since() if blocking.reason in _LEASE_REASONS else None
    held = "" if since is None else f" since {exactly(since, now)}"
    told = plain(f"{blocking.outcome}: {task} did not start: {blocking.sentence}{held} [{blocking.reason}]")
    click.echo(fitted(told, _HANG))
    if blocking.gate is Gate.CONFIGURED:  # its sentence is the way out
        return
    if blocking.clears_when:
        clears = plain(in_local_time(blocking.clears_when, now))
        click.echo(fitted(f"Clears when: {clears}. Details: neo-console why {task}", _HANG))


def _live_run(engine: Engine, name: str) -> Run:
    """Return the run that ``name`` means; of a task its live run, else its latest."""
    live = [run for run in runs_of(engine, name, 50) if run.live]
    if live:
        return live[0]
    try:
        found = latest_run(engine, name)
    except NeoError:
        _refuse_living(engine, name)
        # Its records may be lost while it lives; then starting it would be the wrong advice.
        for stray in engine.strays().found:
            if stray.owner == name or (stray.run_id and stray.run_id.startswith(name)):
                cause = f"has no row, but {stray.label} {stray.sentence}"
                raise NeoError(repr(name), cause, f"End it: {stray.mend}") from None
        raise
    if not found.live and found.run_id != name:
        _refuse_living(engine, name)
    return found


def _refuse_living(engine: Engine, name: str) -> None:
    """Raise ``NeoError`` saying what ends it where ``name`` is a script that holds the lease, or a living process."""
    told = explain_living(engine.snapshot(), name)
    if told is not None:
        raise told from None


COMMANDS = (run, stop, defer, resume, pause, unpause)
