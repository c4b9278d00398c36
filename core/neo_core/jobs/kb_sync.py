"""The job ``kbSync``: keeps the full-text index of the workspace's documents and sources.

Run it as ``python -m neo_core.jobs.kb_sync --workspace DIR``; ``neo_core.jobs.index.database.search`` reads the result.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from neo_core.clock import Clock, SystemClock
from neo_core.durations import format_duration
from neo_core.jobs.index.database import UnusableIndexError, discard, open_index, put_in_place
from neo_core.jobs.index.files import Found, find_files
from neo_core.jobs.index.update import Update
from neo_core.jobs.support import JobResult, run_job, say

if TYPE_CHECKING:
    from pathlib import Path

    from neo_core.config import Config
    from neo_core.workspace import Workspace

_NAMED = 20


def sync(workspace: Workspace, config: Config, clock: Clock | None = None) -> JobResult:
    """Bring the full-text index of the workspace up to date; raises ``JobError``."""
    clock = clock or SystemClock()
    started = clock.monotonic()
    found = find_files(workspace, config)
    say(f"{len(found.paths)} files to look at in {workspace.root}")
    index = workspace.search_index
    try:
        update = _update(index, workspace, config, found, clock)
        rebuilt = False
    except UnusableIndexError as error:
        say(f"{error.thing} {error.cause}; it is made from the files, so it is built anew")
        update = _rebuild(index, workspace, config, found, clock)
        rebuilt = True
    return _result(update, index, clock.monotonic() - started, rebuilt=rebuilt)


def _update(index: Path, workspace: Workspace, config: Config, found: Found, clock: Clock) -> Update:
    with open_index(index) as opened:
        update = Update(opened, workspace, max_file_bytes=config.jobs.kb_sync.max_file_bytes, clock=clock)
        update.run(found)
        return update


def _rebuild(index: Path, workspace: Workspace, config: Config, found: Found, clock: Clock) -> Update:
    """Build a new index beside the old one, which stays until the new one is whole."""
    beside = index.with_name(f"{index.name}.rebuild")
    discard(beside)
    try:
        update = _update(beside, workspace, config, found, clock)
        put_in_place(beside, index)
    finally:
        discard(beside)
    return update


def _result(update: Update, index: Path, seconds: float, *, rebuilt: bool) -> JobResult:
    unreadable = [path.decode("utf-8", "replace") for path in update.unreadable]
    for path in unreadable[:_NAMED]:
        say(f"cannot be read, left out: {path}")
    indexed = update.added + update.updated + update.unchanged
    summary = (
        f"{indexed} files indexed: {update.added} added, {update.updated} updated, {update.removed} removed,"
        f" {update.unchanged} unchanged, {update.skipped} skipped, in {format_duration(seconds)}"
    )
    if unreadable:
        summary += f"; {len(unreadable)} cannot be read, such as {unreadable[0]}"
    if rebuilt:
        summary += "; the damaged index was built anew"
    details = {
        "added": update.added,
        "updated": update.updated,
        "removed": update.removed,
        "unchanged": update.unchanged,
        "skipped": update.skipped,
        "skippedBinary": update.binary,
        "skippedTooLarge": update.too_large,
        "unreadable": len(unreadable),
        "unreadablePaths": unreadable[:_NAMED],
        "rebuilt": rebuilt,
        "seconds": round(seconds, 3),
        "index": str(index),
    }
    return JobResult(summary=summary, details=details)


if __name__ == "__main__":
    sys.exit(run_job("kb_sync", sync))
