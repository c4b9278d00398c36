"""Everything that could be wrong with a workspace, each finding with its mend."""

from __future__ import annotations

import os
import shutil
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from neo_core.clock import Clock, SystemClock, to_iso
from neo_core.config import Config, load_config
from neo_core.errors import NeoError, describe_os_error
from neo_core.lease.filesystem import network_filesystem
from neo_core.lease.inherit import inherited_token
from neo_core.lease.store import LeaseStore
from neo_core.lease.words import INHERITED_TOKEN, RecordStatus
from neo_core.ledger.database import has_full_text_search
from neo_core.ledger.store import Ledger
from neo_core.observe import lease_view
from neo_core.processes.source import system_source
from neo_core.profiles import Task, resolve_tasks
from neo_core.workspace import STATE_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from neo_core.workspace import Workspace

_LITTLE_SPACE = 200 * 1024 * 1024
_FUTURE = 60.0


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing looked at: what it is, how it is, and the mend when it is not well."""

    level: Level
    thing: str
    says: str
    mend: str = ""


def examine(workspace: Workspace, clock: Clock | None = None) -> list[Finding]:
    """Look at everything and return what was found; changes nothing that stays."""
    now = (clock or SystemClock()).now()
    config, findings = _configuration(workspace)
    findings += _state_folder(workspace)
    findings += _lease_paths(workspace)
    findings += _lease(workspace)
    findings += _ledger(workspace, now)
    findings += _programs(workspace, config)
    findings += _space(workspace)
    findings += _sqlite()
    return findings


def _configuration(workspace: Workspace) -> tuple[Config | None, list[Finding]]:
    try:
        config = load_config(workspace.config)
        resolve_tasks(workspace, config)
    except NeoError as error:
        return None, [_from_error(error)]
    says = "is valid" if workspace.config.exists() else "is not there; the defaults are used"
    mend = "" if workspace.config.exists() else "neo-console init writes one with every key explained."
    return config, [_ok(str(workspace.config), says, mend)]


def _state_folder(workspace: Workspace) -> Iterator[Finding]:
    folder = workspace.state
    if not folder.exists():
        parent = _existing(folder)
        if os.access(parent, os.W_OK | os.X_OK):
            yield _ok(f"state folder {folder}", "is not there yet; the first run makes it")
        else:
            yield _fail(
                f"state folder {folder}",
                f"cannot be made: {parent} is not writable for you",
                f"Make {parent} writable, or set {STATE_VARIABLE}.",
            )
        return
    if not folder.is_dir():
        yield _fail(f"state folder {folder}", "is not a folder", f"Move it away, or set {STATE_VARIABLE}.")
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        yield _fail(f"state folder {folder}", "is not writable for you", f"Run: chmod u+rwx {folder} (or chown it).")
        return
    mode = folder.stat().st_mode & 0o777
    if mode & 0o022:
        yield _warn(f"state folder {folder}", f"can be written by others (mode {mode:o})", f"Run: chmod 700 {folder}")
    kind = network_filesystem(str(folder))
    if kind is not None:
        yield _warn(
            f"state folder {folder}",
            f"is on a network file system ({kind}); the lease refuses to work there",
            f"Set {STATE_VARIABLE} to a local folder, or lease.allow_network_filesystem = true.",
        )
    yield _hard_links(folder)


def _hard_links(folder: Path) -> Finding:
    """Try what publishing a lease record needs."""
    first, second = folder / f".doctor-{os.getpid()}", folder / f".doctor-{os.getpid()}.link"
    try:
        first.touch(mode=0o600)
        second.hardlink_to(first)
    except OSError as error:
        return _fail(
            f"state folder {folder}",
            f"a file in it cannot be made or linked: {describe_os_error(error)}",
            "Free space, or use a file system with hard links.",
        )
    finally:
        first.unlink(missing_ok=True)
        second.unlink(missing_ok=True)
    return _ok(f"state folder {folder}", "is writable and private")


def _lease_paths(workspace: Workspace) -> Iterator[Finding]:
    moved = os.environ.get(STATE_VARIABLE, "").strip()
    if moved and workspace.state != workspace.default_state:
        other = workspace.default_state / workspace.lease.name
        level = _fail if other.exists() else _warn
        yield level(
            STATE_VARIABLE,
            f"moves the lease to {workspace.lease}, but scripts without it use {other}",
            "Set it for every script on this machine, or unset it here: two paths are two leases.",
        )


def _lease(workspace: Workspace) -> Iterator[Finding]:
    seen = LeaseStore(workspace.lease).inspect()
    view = lease_view(seen, ())
    thing = f"lease {workspace.lease}"
    if seen.status is RecordStatus.UNREADABLE:
        yield _fail(thing, view.sentence, f"{view.mend[:1].upper()}{view.mend[1:]}.")
    elif view.mend:
        yield _warn(thing, view.sentence, f"Run: {view.mend}")
    else:
        yield _ok(thing, view.sentence)
    token = inherited_token()
    if token and (seen.lease is None or seen.lease.token != token):
        yield _warn(
            INHERITED_TOKEN,
            "is set in this environment but is not the active lease's token",
            f"Unset it: runs started from here say that they lost their inheritance. (unset {INHERITED_TOKEN})",
        )
    if seen.scan.unreadable:
        says = f"{seen.scan.unreadable} of your processes would not show their environment, so they were not checked"
        yield _warn(thing, says, "Nothing to do; know that such a process could belong to the dead holder.")


def _ledger(workspace: Workspace, now: float) -> Iterator[Finding]:
    thing = f"ledger {workspace.ledger}"
    try:
        with Ledger(workspace.ledger, writable=False) as ledger:
            if not ledger.database.exists:
                yield _ok(thing, "is not there yet; the first run makes it")
                return
            verdict = ledger.database.check()
            latest = ledger.runs.history(limit=1)
    except NeoError as error:
        yield _from_error(error)
        return
    if verdict != "ok":
        yield _fail(thing, f"is damaged: {verdict}", "Move it away to start a new one, or restore it from a bundle.")
        return
    yield _ok(thing, "is sound")
    if latest and latest[0].last_at > now + _FUTURE:
        yield _fail(
            "clock",
            f"is in the past: it says {to_iso(now)}, the ledger's newest row is of {to_iso(latest[0].last_at)}",
            "Set the machine's clock; intervals count from the last start.",
        )


def _programs(workspace: Workspace, config: Config | None) -> Iterator[Finding]:
    if config is None:
        return
    for task in resolve_tasks(workspace, config).values():
        if task.configured:
            yield _program(task)
        else:
            yield _ok(f"task {task.name}", "is not configured", f"Set {task.missing_key} to use it.")
    if shutil.which("git") is None:
        yield _warn("git", "was not found", "Install it: primary-dev-sync needs it, kbSync uses its ignore rules.")


def _program(task: Task) -> Finding:
    program = task.command[0]
    if not os.path.isdir(task.cwd):  # noqa: PTH112 - a plain string from the configuration
        return _fail(f"task {task.name}", f"its folder {task.cwd} does not exist", f"Mend tasks.{task.name}.cwd.")
    path = os.environ.get("PATH", os.defpath)
    # A program with a slash in its name is taken from the task's folder, as the runner does.
    place = os.path.join(task.cwd, program) if os.sep in program else program  # noqa: PTH118
    found = shutil.which(place, path=task.env.get("PATH", path))
    if found is None:
        return _fail(
            f"task {task.name}",
            f"its program {program!r} was not found",
            f"Install it, or mend tasks.{task.name}.command.",
        )
    return _ok(f"task {task.name}", f"starts {program}")


def _space(workspace: Workspace) -> Iterator[Finding]:
    folder = _existing(workspace.state)
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        yield _warn(f"disk of {folder}", f"cannot be asked: {describe_os_error(error)}", "Look at it yourself.")
        return
    if free < _LITTLE_SPACE:
        yield _warn(f"disk of {folder}", f"has {free // 1024 // 1024} MiB left", "Free space before a backup fails.")


def _sqlite() -> Iterator[Finding]:
    if not has_full_text_search():
        yield _fail("SQLite of this Python", "has no FTS5", "Use a Python whose SQLite has it: kbSync needs it.")
    if system_source().boot_id() == "":
        yield _warn("this system", "does not tell its boot id", "A holder from before a reboot reads as unknown.")


def _existing(folder: Path) -> Path:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _from_error(error: NeoError) -> Finding:
    return _fail(error.thing, error.cause, error.mend)


def _ok(thing: str, says: str, mend: str = "") -> Finding:
    return Finding(level=Level.OK, thing=thing, says=says, mend=mend)


def _warn(thing: str, says: str, mend: str) -> Finding:
    return Finding(level=Level.WARN, thing=thing, says=says, mend=mend)


def _fail(thing: str, says: str, mend: str) -> Finding:
    return Finding(level=Level.FAIL, thing=thing, says=says, mend=mend)
