"""The job ``backup``: copies and verifies every database of the data folder, and keeps the newest few bundles.

``python -m neo_core.jobs.backup --workspace DIR``; the record of a run carries counts and the bundle's path.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from neo_core.clock import Clock, SystemClock
from neo_core.jobs.bundles.checking import format_bytes, require_space
from neo_core.jobs.bundles.file_copy import writing
from neo_core.jobs.bundles.making import make_bundle
from neo_core.jobs.bundles.meta import backup_folder, list_bundles, workspace_name
from neo_core.jobs.bundles.plan import databases_outside, plan
from neo_core.jobs.bundles.retention import choose_dropped, drop, remove_leftovers
from neo_core.jobs.support import JobResult, run_job

if TYPE_CHECKING:
    from pathlib import Path

    from neo_core.config import BackupConfig, Config
    from neo_core.jobs.bundles.plan import Entry
    from neo_core.workspace import Workspace


def work(workspace: Workspace, config: Config, *, clock: Clock | None = None) -> JobResult:
    """Copy every database of the data folder, and what the configuration includes, into a verified bundle."""
    clock = clock or SystemClock()
    folder = backup_folder(workspace, config)
    with writing(folder):
        remove_leftovers(folder)
    entries = plan(workspace, folder, config.jobs.backup.include)
    outside = _outside(workspace, entries)
    if not entries:
        summary = f"nothing to back up: no database in {workspace.data}, and jobs.backup.include names no file{outside}"
        return JobResult(outcome="skipped", summary=summary, reason_code="nothing-to-back-up")
    with writing(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    require_space(folder, sum(entry.bytes for entry in entries))
    bundle, meta = make_bundle(workspace.root, folder, entries, clock.now())
    removed = _prune(workspace, config.jobs.backup, bundle, clock.now())
    counts = {
        "databases": sum(file.kind == "sqlite" for file in meta.files),
        "files": sum(file.kind != "sqlite" for file in meta.files),
        "tables": sum(len(file.tables) for file in meta.files),
        "rows": sum(rows or 0 for file in meta.files for rows in file.tables.values()),
        "bytes": sum(file.bytes for file in meta.files),
    }
    return JobResult(
        summary=f"{_counted(counts['databases'], 'database')} and {_counted(counts['files'], 'file')}, "
        f"{format_bytes(counts['bytes'])}, verified in {bundle.name}; {len(removed)} old removed{outside}",
        details={"bundle": str(bundle), **counts, "removed": removed},
    )


def _outside(workspace: Workspace, entries: list[Entry]) -> str:
    """Return how many databases beside the data folder no bundle has; those further below are not looked for."""
    count = len(databases_outside(workspace, entries))
    if not count:
        return ""
    verb = "is" if count == 1 else "are"
    return f"; {_counted(count, 'database')} beside {workspace.data.name} {verb} not in jobs.backup.include"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _prune(workspace: Workspace, told: BackupConfig, bundle: Path, now: float) -> list[str]:
    """Remove what retention lets go of this workspace's bundles; return the names that are gone."""
    own = [info for info in list_bundles(bundle.parent) if info.workspace == workspace_name(workspace.root)]
    dropped = choose_dropped(own, keep=told.keep, max_age=told.max_age, now=now, newest=bundle.name)
    return [info.name for info in dropped if drop(info.path)]


if __name__ == "__main__":
    sys.exit(run_job("backup", work))
