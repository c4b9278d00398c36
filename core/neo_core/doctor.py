"""Everything that could be wrong with a workspace, each finding with its mend."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from neo_core.catalogue import Catalogue, examine_catalogue
from neo_core.clock import Clock, SystemClock, to_iso
from neo_core.doctor_access import backup_folder_findings, file_findings, nearest_existing
from neo_core.doctor_upkeep import orchestrator_findings, program_findings, service_findings, stray_findings
from neo_core.errors import NeoError, describe_os_error
from neo_core.findings import Finding, Level, fail, from_error, ok, warn
from neo_core.lease.filesystem import network_filesystem
from neo_core.lease.inherit import inherited_token
from neo_core.lease.store import LeaseStore
from neo_core.lease.words import INHERITED_TOKEN, RecordStatus
from neo_core.ledger.database import has_full_text_search
from neo_core.ledger.store import Ledger
from neo_core.neo_checkout import PACKAGE, read_checkout
from neo_core.observe import lease_view
from neo_core.processes.source import system_source
from neo_core.snapshot import LeaseLight
from neo_core.workspace import STATE_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from neo_core.workspace import Workspace

__all__ = ["Finding", "Level", "examine"]

_LITTLE_SPACE = 200 * 1024 * 1024
_FUTURE = 60.0


def examine(workspace: Workspace, clock: Clock | None = None) -> list[Finding]:
    """Look at everything and return what was found; changes nothing that stays."""
    now = (clock or SystemClock()).now()
    catalogue, findings = _configuration(workspace)
    findings += _checkout(workspace)
    findings += _state_folder(workspace)
    findings += file_findings(workspace)
    findings += _lease_paths(workspace)
    findings += _lease(workspace)
    findings += _ledger(workspace, now)
    findings += program_findings(catalogue)
    findings += service_findings(workspace, catalogue)
    findings += backup_folder_findings(workspace, catalogue)
    findings += orchestrator_findings(workspace, catalogue.config, now)
    findings += stray_findings(workspace, catalogue)
    findings += _space(workspace)
    findings += _sqlite()
    return findings


def _configuration(workspace: Workspace) -> tuple[Catalogue, list[Finding]]:
    """Return what of the configuration can be meant, for everything else to be looked at, and its every mistake."""
    catalogue, mistakes = examine_catalogue(workspace)
    if mistakes:
        return catalogue, [from_error(error) for error in mistakes]
    there = os.path.lexists(workspace.config)
    says = "is valid" if there else "is not there; the defaults are used"
    mend = "" if there else "neo-console init writes one with every key explained."
    return catalogue, [ok(str(workspace.config), says, mend)]


def _checkout(workspace: Workspace) -> Iterator[Finding]:
    thing = str(workspace.root / PACKAGE)
    checkout = read_checkout(workspace.root)
    if checkout.trouble:
        mend = "Mend it if this is a checkout of neo: until then the built-in jobs are used."
        yield warn(thing, checkout.trouble, mend)
    elif checkout.is_neo:
        yield ok(thing, f"is neo's: the tasks are its npm scripts ({', '.join(sorted(checkout.scripts))})")


def _state_folder(workspace: Workspace) -> Iterator[Finding]:
    folder = workspace.state
    if not os.path.exists(folder):  # noqa: PTH110 - Path.exists raises behind a shut folder
        parent = nearest_existing(folder)
        if os.access(parent, os.W_OK | os.X_OK):
            yield ok(f"state folder {folder}", "is not there yet; a run, the orchestrator or an open console makes it")
        else:
            yield fail(
                f"state folder {folder}",
                f"cannot be made: {parent} is not writable for you",
                f"Make {parent} writable, or set {STATE_VARIABLE}.",
            )
        return
    if not folder.is_dir():
        yield fail(f"state folder {folder}", "is not a folder", f"Move it away, or set {STATE_VARIABLE}.")
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        yield fail(f"state folder {folder}", "is not writable for you", f"Run: chmod u+rwx {folder} (or chown it).")
        return
    mode = folder.stat().st_mode & 0o777
    if mode & 0o022:
        yield warn(f"state folder {folder}", f"can be written by others (mode {mode:o})", f"Run: chmod 700 {folder}")
    kind = network_filesystem(str(folder))
    if kind is not None:
        yield warn(
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
        return fail(
            f"state folder {folder}",
            f"a file in it cannot be made or linked: {describe_os_error(error)}",
            "Free space, or use a file system with hard links.",
        )
    finally:
        first.unlink(missing_ok=True)
        second.unlink(missing_ok=True)
    return ok(f"state folder {folder}", "is writable and private")


def _lease_paths(workspace: Workspace) -> Iterator[Finding]:
    moved = os.environ.get(STATE_VARIABLE, "").strip()
    if moved and workspace.state != workspace.default_state:
        other = workspace.default_state / workspace.lease.name
        level = fail if os.path.lexists(other) else warn
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
        yield fail(thing, view.sentence, f"{view.mend[:1].upper()}{view.mend[1:]}.")
    elif view.light is LeaseLight.ORPHANED:
        yield warn(thing, view.sentence, f"Let them end, or run: {view.mend}" if view.mend else "Let them end.")
    elif view.mend:
        yield warn(thing, view.sentence, f"Run: {view.mend}")
    elif view.light in (LeaseLight.OVERDUE, LeaseLight.UNKNOWN):
        yield warn(thing, view.sentence, "Look at it: neo-lease inspect")
    else:
        yield ok(thing, view.sentence)
    token = inherited_token()
    if token and (seen.lease is None or seen.lease.token != token):
        yield warn(
            INHERITED_TOKEN,
            "is set in this environment but is not the active lease's token",
            f"Unset it: runs started from here say that they lost their inheritance. (unset {INHERITED_TOKEN})",
        )
    if seen.scan.unreadable:
        says = f"{seen.scan.unreadable} of your processes would not show their environment, so they were not checked"
        yield warn(thing, says, "Nothing to do; know that such a process could belong to the dead holder.")


def _ledger(workspace: Workspace, now: float) -> Iterator[Finding]:
    thing = f"ledger {workspace.ledger}"
    try:
        with Ledger(workspace.ledger, writable=False) as ledger:
            if not ledger.database.exists:
                yield ok(thing, "is not there yet; a run, the orchestrator or an open console makes it")
                return
            verdict = ledger.database.check()
            latest = ledger.runs.history(limit=1)
    except NeoError as error:
        yield from_error(error)
        return
    if verdict != "ok":
        yield fail(thing, f"is damaged: {verdict}", "Move it away to start a new one, or restore it from a bundle.")
        return
    yield ok(thing, "is sound")
    if latest and latest[0].last_at > now + _FUTURE:
        yield fail(
            "clock",
            f"is in the past: it says {to_iso(now)}, the ledger's newest row is of {to_iso(latest[0].last_at)}",
            "Set the machine's clock; intervals count from the last start.",
        )


def _space(workspace: Workspace) -> Iterator[Finding]:
    folder = nearest_existing(workspace.state)
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        yield warn(f"disk of {folder}", f"cannot be asked: {describe_os_error(error)}", "Look at it yourself.")
        return
    if free < _LITTLE_SPACE:
        yield warn(f"disk of {folder}", f"has {free // 1024 // 1024} MiB left", "Free space before a backup fails.")


def _sqlite() -> Iterator[Finding]:
    if not has_full_text_search():
        yield fail("SQLite of this Python", "has no FTS5", "Use a Python whose SQLite has it: kbSync needs it.")
    if system_source().boot_id() == "":
        yield warn("this system", "does not tell its boot id", "A holder from before a reboot reads as unknown.")
