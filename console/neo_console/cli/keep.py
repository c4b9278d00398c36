"""The commands that keep a workspace: init, doctor, search, backups, restore."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from neo_console.cli.completion import complete_bundle
from neo_console.cli.output import emit_json, fitted, note, table
from neo_console.cli.parameters import json_option
from neo_console.format import plural, size
from neo_core.config_template import TEMPLATE
from neo_core.doctor import Finding, Level, examine
from neo_core.errors import ConfigError, NeoError, describe_os_error
from neo_core.workspace import resolve_workspace

if TYPE_CHECKING:
    from neo_core.jobs.bundles.meta import BundleInfo
    from neo_core.workspace import Workspace

_HANG = 2
_BADGES = {Level.OK: "✓", Level.WARN: "!", Level.FAIL: "✗"}


@click.command()
@json_option
@click.pass_obj
def init(workspace: Workspace, *, as_json: bool) -> None:
    """Write a commented neo-console.toml; an existing one is never touched.

    Where git would pick up the data folder, it names the command that keeps it out; nothing else is changed.
    """
    from neo_core.jobs.checkout.ignored import ignore_command

    path = workspace.config
    try:
        _write_new(path, TEMPLATE)
    except FileExistsError as error:
        raise ConfigError(str(path), "exists already", "Edit it; neo-console doctor checks it.") from error
    except OSError as error:
        raise ConfigError(
            str(path),
            f"cannot be written: {describe_os_error(error)}",
            "Free space, or make the folder writable for you.",
        ) from error
    hint = ignore_command(workspace)
    if as_json:
        emit_json({"path": str(path), "ignoreCommand": hint or None})
        return
    click.echo(f"Wrote {path}. Every line in it is a default or an example; neo-console doctor checks it.")
    if hint:
        note(f"Git would pick up what is kept here. This keeps it out: {hint}")


@click.command()
@json_option
@click.pass_obj
def doctor(workspace: Workspace, *, as_json: bool) -> int:
    """List what is wrong with this workspace and how to mend it, every mistake of the configuration at once.

    What is wrong in neo-console.toml counts as left out, and everything else is looked at all the same. Exits 1 when
    something must be mended.
    """
    with suppress(NeoError):  # where the lease is to be as configured, if that can be told
        workspace = resolve_workspace(workspace.root)
    findings = [*examine(workspace), *_console_findings(workspace)]
    if as_json:
        emit_json(findings)
    else:
        for finding in findings:
            click.echo(fitted(_finding_text(finding), _HANG))
        count = {level: sum(finding.level is level for finding in findings) for level in Level}
        known, looked = count[Level.WARN], f"\n{len(findings)} things looked at"
        if known and not count[Level.FAIL]:
            click.echo(f"{looked}: nothing is broken, {known} to know, marked with !.")
        else:
            click.echo(f"{looked}: {count[Level.FAIL] or 'nothing'} to mend{f', {known} to know' if known else ''}.")
    return 1 if any(finding.level is Level.FAIL for finding in findings) else 0


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option(
    "--limit", "-n", type=click.IntRange(1, 1000), default=20, show_default=True, help="At most this many hits."
)
@json_option
@click.pass_obj
def search(workspace: Workspace, words: tuple[str, ...], *, limit: int, as_json: bool) -> int:
    """Search the index that kbSync keeps for documents with all WORDS. Exits 1 when nothing was found."""
    from neo_core.jobs.index.database import search as find

    hits = find(workspace, " ".join(words), limit)
    if as_json:
        emit_json([hit._asdict() for hit in hits])
    elif not hits:
        note(f"No document has all of: {' '.join(words)}. What is new is found after: neo-console run kbSync")
    else:
        for hit in hits:
            click.echo(f"{hit.path}:{hit.line}: {hit.snippet}")
    return 0 if hits else 1


@click.command()
@json_option
@click.pass_obj
def backups(workspace: Workspace, *, as_json: bool) -> None:
    """List the backup bundles, newest first."""
    from neo_console.cli.engines import engine_anyway
    from neo_core.jobs.bundles.meta import backup_folder, list_bundles

    bundles = list_bundles(backup_folder(workspace, engine_anyway(workspace).config))
    if as_json:
        emit_json(msgspec.to_builtins(bundles, enc_hook=str))
    elif bundles:
        click.echo(table(("BUNDLE", "DATABASES", "FILES", "ROWS", "SIZE", "PROBLEM"), map(_bundle_row, bundles)))
    else:
        click.echo("No backups yet: neo-console run backup makes one.")


@click.command()
@click.argument("bundle", shell_complete=complete_bundle)
@click.option("--to", "target", required=True, metavar="DIR", help="An empty or new folder.")
@json_option
@click.pass_obj
def restore(workspace: Workspace, bundle: str, *, target: str, as_json: bool) -> None:
    """Copy BUNDLE (a name, a path, or latest) to an empty folder and verify every file, table and row count."""
    from neo_console.cli.engines import engine_anyway
    from neo_core.jobs.bundles.meta import backup_folder, resolve_bundle
    from neo_core.jobs.restore import restore as copy

    found = resolve_bundle(bundle, backup_folder(workspace, engine_anyway(workspace).config), workspace.root)
    result = copy(found, Path(target).absolute())
    if as_json:
        emit_json(msgspec.to_builtins(result, enc_hook=str))
    else:
        rest = plural(result.files - result.databases, "file")
        rows = f"{plural(result.rows, 'row')} in {plural(result.databases, 'database')}, and {rest}"
        click.echo(f"Restored {found.name} to {target}: {rows}, verified.")


def _bundle_row(bundle: BundleInfo) -> tuple[str, ...]:
    counts = (bundle.databases, bundle.files - bundle.databases, bundle.rows)
    return (bundle.name, *(str(count) for count in counts), size(bundle.bytes), bundle.problem)


def _write_new(path: Path, text: str) -> None:
    """Write a file that must not exist, completely or not at all. Raises ``OSError``."""
    with path.open("x", encoding="utf-8") as file:
        try:
            file.write(text)
            file.flush()
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def _console_findings(workspace: Workspace) -> list[Finding]:
    """Check what only the console understands: its key map and theme."""
    from neo_console.keymap import key_mistakes
    from neo_console.theming import check_theme
    from neo_core.config import load_config_anyway

    path = str(workspace.config)
    config, _ = load_config_anyway(workspace.config)  # its own mistakes are the engine's to say
    mistakes = key_mistakes(config.keys, path)
    try:
        check_theme(config.console.theme, path)
    except ConfigError as error:
        mistakes.append(error)
    return [Finding(level=Level.FAIL, thing=error.thing, says=error.cause, mend=error.mend) for error in mistakes]


def _finding_text(finding: Finding) -> str:
    mend = f" → {finding.mend}" if finding.mend else ""
    return f"{_BADGES[finding.level]} {finding.thing} {finding.says}.{mend}"


COMMANDS = (init, doctor, search, backups, restore)
