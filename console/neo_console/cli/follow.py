"""Watching one run from a terminal: its log as it grows, its outcome, and ctrl+c as a request to stop it."""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from neo_console.cli.output import for_people, note
from neo_console.cli.runlog import RunLog
from neo_core.errors import EndedError
from neo_core.ledger.models import Outcome, Run

if TYPE_CHECKING:
    from neo_core.engine import Engine

_LOOK_EVERY = 0.1

CANCELLED = 128 + signal.SIGINT
EXIT_CODES = {
    Outcome.COMPLETED: 0,
    Outcome.DEFERRED: 0,
    Outcome.SKIPPED: 0,
    Outcome.FAILED: 1,
    Outcome.LOST: 1,
    Outcome.TIMED_OUT: 124,
    Outcome.CANCELLED: CANCELLED,
}
# How a job says that it ended, which the last line repeats.
_AS_TOLD = (Outcome.COMPLETED, Outcome.SKIPPED, Outcome.DEFERRED)


def follow_run(engine: Engine, run_id: str, *, quiet: bool = False) -> Run:
    """Print the run's log until it ends, and return its row; on a terminal without what ``run_line`` tells of it.

    The first ctrl+c asks the runner to stop the run; a second one leaves it to end by itself.
    """
    asked = False
    offset = 0
    log = RunLog(run_id, whole=not for_people())
    while True:
        try:
            run = engine.wait(run_id, timeout=_LOOK_EVERY)
            if not quiet:
                offset = _print_log(engine, run_id, offset, log)
        except KeyboardInterrupt:
            if asked:
                note(f"Left. The run goes on ending: neo-console logs {run_id} --follow")
                return engine.run(run_id)
            asked = True
            note("Stopping the run; once more ctrl+c leaves it to end by itself.")
            with suppress(EndedError):  # it has just ended by itself
                engine.stop(run_id, because="ctrl+c")
            continue
        if not run.live:
            click.echo(log.finish(told=run.outcome in _AS_TOLD), nl=False)
            return run


def _print_log(engine: Engine, run_id: str, offset: int, log: RunLog) -> int:
    """Print what follows byte ``offset`` of the run's log; return where it ends now."""
    while True:
        chunk = engine.log(run_id, after=offset)
        if not chunk.text:
            return offset
        click.echo(log.feed(chunk.text), nl=False)
        offset = chunk.end


def exit_code(run: Run) -> int:
    """Return the exit code that tells a script how the run ended; a run that goes on counts as interrupted."""
    return CANCELLED if run.outcome is None else EXIT_CODES[run.outcome]
