"""The job ``backup``: copies and verifies every database, and keeps the newest few bundles.

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
from neo_core.jobs.bundles.plan import plan
from neo_core.jobs.bundles.retention import choose_dropped, drop, remove_leftovers
from neo_core.jobs.support import JobResult, run_job

if TYPE_CHECKING:
    from pathlib import Path

    from neo_core.config import BackupConfig, Config
    from neo_core.workspace import Workspace


def work(workspace: Workspace, config: Config, *, clock: Clock | None = None) -> JobResult:
    """Copy every database of the workspace into a verified bundle."""
    clock = clock or SystemClock()
    folder = backup_folder(workspace, config)
    with writing(folder):
        remove_leftovers(folder)
    entries = plan(workspace, folder, config.jobs.backup.include)
    if not entries:
        summary = f"nothing to back up: no database in {workspace.data}, and jobs.backup.include names no file"
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
        summary=f"{counts['databases']} databases and {counts['files']} files, {format_bytes(counts['bytes'])}, "
        f"verified in {bundle.name}; {len(removed)} old removed",
        details={"bundle": str(bundle), **counts, "removed": removed},
    )


def _prune(workspace: Workspace, told: BackupConfig, bundle: Path, now: float) -> list[str]:
    """Remove what retention lets go of this workspace's bundles; return the names that are gone."""
    own = [info for info in list_bundles(bundle.parent) if info.workspace == workspace_name(workspace.root)]
    dropped = choose_dropped(own, keep=told.keep, max_age=told.max_age, now=now, newest=bundle.name)
    return [info.name for info in dropped if drop(info.path)]


if __name__ == "__main__":
    sys.exit(run_job("backup", work))
