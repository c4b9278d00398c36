"""Arguments that several commands share, and the types that explain themselves when they do not fit."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

import click

from neo_console.cli.completion import complete_service, complete_task
from neo_console.times import parse_moment
from neo_core.durations import parse_duration
from neo_core.errors import NeoError, NoSuchRunError, UsageError, guess

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from neo_core.engine import Engine
    from neo_core.ledger.models import Run

F = TypeVar("F", bound="Callable[..., Any]")


def to_seconds(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    """Return the seconds that an option's text like ``90s``, ``10m`` or ``1h30m`` means."""
    if value is None:
        return None
    try:
        return float(parse_duration(value))
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def to_moment(_context: click.Context, _parameter: click.Parameter, value: str | None) -> float | None:
    """Return seconds since the epoch for a time or for how long ago it was, as ``parse_moment`` takes them."""
    if value is None:
        return None
    try:
        return parse_moment(value, time.time())
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def json_option(function: F) -> F:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(function)


def task_argument(function: F) -> F:
    """Add the argument TASK, completed from the workspace's tasks."""
    return click.argument("task", shell_complete=complete_task)(function)


def service_argument(function: F) -> F:
    """Add the argument SERVICE, completed from the workspace's services."""
    return click.argument("name", metavar="SERVICE", shell_complete=complete_service)(function)


def runs_of(engine: Engine, name: str, limit: int) -> list[Run]:
    """Return the latest runs of a task, also of one that the configuration no longer names; none of what is no task."""
    try:
        return engine.history(task=name, limit=limit)
    except UsageError:
        return []


def latest_run(engine: Engine, name: str, also: Collection[str] = (), what: str = "task or run") -> Run:
    """Return the run that ``name`` means: an id, its beginning, or a task's latest run.

    A name that is none of them is compared with those of the tasks, and with what else could be meant; ``what`` says
    among what it was looked for.
    """
    runs = runs_of(engine, name, 1)
    if runs:
        return runs[0]
    if name in engine.tasks:
        raise NeoError(f"task {name!r}", "has no run yet", f"Start one: neo-console run {name}")
    try:
        return engine.run(name)
    except NoSuchRunError as error:
        if name in engine.services and name not in also:
            mend = f"It is a service: neo-console service --help says what can be done with it. {error.mend}"
        else:
            mend = f"{guess(name, (*engine.tasks, *also))}{error.mend}"
        raise UsageError(f"name {name!r}", f"is no {what} here", mend) from error
