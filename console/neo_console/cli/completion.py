"""Completion for shells: the script, and the names of this workspace, found cheaply and without a word on errors."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

import click
from click.shell_completion import CompletionItem, get_completion_class

from neo_console.format import brief, plain
from neo_console.vocabulary import outcome_term, term

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from neo_core.engine import Engine
    from neo_core.ledger.models import Run

T = TypeVar("T")
_SHELLS = ("bash", "zsh", "fish")
_MOST = 50


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(shell: str) -> None:
    """Print the script that completes neo-console in SHELL.

    Commands, options, tasks, services, runs, incidents and backups are completed, from the workspace of the current
    folder or of --workspace. What cannot be read is not offered, without a word. neo-lease is not completed.
    """
    from neo_console.cli.group import cli

    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"there is no completion for {shell}.")
    made = kind(cli, {}, "neo-console", "_NEO_CONSOLE_COMPLETE")
    click.echo(made.source_template % made.source_vars())


def complete_task(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the tasks."""
    return _beginning(incomplete, _ask(context, _tasks))


def complete_service(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the services."""
    return _beginning(incomplete, _ask(context, _services))


def complete_log(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return what has a log: tasks, services, the orchestrator, the latest runs."""
    items = [*_ask(context, _tasks), *_ask(context, _services), CompletionItem("orchestrator", help="its own log")]
    return _beginning(incomplete, [*items, *_ask(context, _runs)])


def complete_live_run(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return what can be stopped: the runs that are live, and their tasks."""
    runs = _ask(context, lambda engine: [run for run in engine.history(limit=_MOST) if run.live])
    items = [CompletionItem(run.task, help=f"run {run.run_id}") for run in runs]
    return _beginning(incomplete, [*items, *map(_run_item, runs)])


def complete_incident(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the numbers of the latest incidents."""
    now = time.time()
    found = _ask(context, lambda engine: engine.incidents(_MOST))
    items = [
        CompletionItem(str(one.incident_id), help=f"{term(one.phase).word}, {brief(now - one.began_at)} ago")
        for one in found
    ]
    return _beginning(incomplete, items)


def complete_bundle(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the backup bundles."""
    from neo_core.jobs.bundles.meta import backup_folder, list_bundles

    found = _ask(context, lambda engine: list_bundles(backup_folder(engine.workspace, engine.config)))
    items = [CompletionItem(one.name, help=one.problem or f"{one.databases} databases") for one in found]
    return _beginning(incomplete, [CompletionItem("latest", help="the newest one"), *items])


def _ask(context: click.Context, question: Callable[[Engine], Iterable[T]]) -> list[T]:
    """Ask the workspace that the command line names; nothing where something is wrong with it."""
    from neo_core.engine import Engine
    from neo_core.workspace import resolve_workspace_anyway

    try:
        workspace, _ = resolve_workspace_anyway(context.find_root().params.get("workspace"))
        return list(question(Engine.for_looking(workspace)))
    except Exception:  # noqa: BLE001 - whatever it is, a tab key is not where to say it
        return []


def _tasks(engine: Engine) -> list[CompletionItem]:
    return [CompletionItem(name, help=plain(task.title)) for name, task in engine.tasks.items()]


def _services(engine: Engine) -> list[CompletionItem]:
    return [CompletionItem(name, help="service") for name in engine.services]


def _runs(engine: Engine) -> list[CompletionItem]:
    return [_run_item(run) for run in engine.history(limit=_MOST) if run.started_at is not None]


def _run_item(run: Run) -> CompletionItem:
    ago = brief(time.time() - run.last_at)
    return CompletionItem(run.run_id, help=f"{plain(run.task)}, {outcome_term(run.outcome).word}, {ago} ago")


def _beginning(incomplete: str, items: Iterable[CompletionItem]) -> list[CompletionItem]:
    """Return the items that go on from what was typed; a name that no word of a shell can be is not offered."""
    return [one for one in items if one.value.startswith(incomplete) and one.value.isprintable()]


COMMANDS = (completion,)
