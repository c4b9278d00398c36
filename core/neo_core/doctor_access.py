"""The doctor's look at single files: whether what we must read and write is ours to read and write."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from neo_core.findings import Finding, fail, ok

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neo_core.catalogue import Catalogue
    from neo_core.workspace import Workspace

_BACKUP_JOB = "neo_core.jobs.backup"


def nearest_existing(folder: Path) -> Path:
    """Return ``folder`` or its nearest ancestor that is there; what hides behind a shut folder counts as missing."""
    while not os.path.exists(folder) and folder != folder.parent:  # noqa: PTH110 - Path.exists raises there
        folder = folder.parent
    return folder


def file_findings(workspace: Workspace) -> Iterator[Finding]:
    """Yield each file and folder of ours that is there and that we may not use."""
    for path in _files(workspace):
        if os.access(path, os.F_OK) and path.is_file() and not os.access(path, os.R_OK | os.W_OK):
            yield fail(str(path), "is not readable and writable for you", f"Run: chmod u+rw {path} (or chown it).")
    for folder in (workspace.logs, workspace.service_logs):
        if os.access(folder, os.F_OK) and folder.is_dir() and not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            yield fail(f"folder {folder}", "is not writable for you", f"Run: chmod u+rwx {folder} (or chown it).")


def backup_folder_findings(workspace: Workspace, catalogue: Catalogue) -> Iterator[Finding]:
    """Yield whether bundles can be written; nothing where backups are another program's."""
    task = catalogue.tasks.get("backup")
    if task is None or _BACKUP_JOB not in task.command:
        return
    folder = workspace.root / Path(catalogue.config.jobs.backup.folder).expanduser()
    thing, place = f"backup folder {folder}", nearest_existing(folder)
    if not place.is_dir():
        yield fail(thing, f"cannot be used: {place} is not a folder", "Move it away, or set jobs.backup.folder.")
    elif not os.access(place, os.W_OK | os.X_OK):
        says = "is not writable for you" if place == folder else f"cannot be made: {place} is not writable for you"
        yield fail(thing, says, f"Run: chmod u+rwx {place} (or chown it), or set jobs.backup.folder.")
    elif place == folder:
        yield ok(thing, "is writable")
    else:
        yield ok(thing, "is not there yet; the first backup makes it")


def _files(workspace: Workspace) -> tuple[Path, ...]:
    ledger, lease = workspace.ledger, workspace.lease
    companions = (Path(f"{ledger}-wal"), Path(f"{ledger}-shm"), Path(f"{lease}.hold"), Path(f"{lease}.lock"))
    return (ledger, *companions, workspace.orchestrator_lock, workspace.orchestrator_log)
