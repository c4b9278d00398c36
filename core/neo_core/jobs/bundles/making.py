"""Making one bundle: copied in private, verified, described, and only then given its name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from neo_core.clock import to_iso
from neo_core.jobs.bundles.checking import format_bytes
from neo_core.jobs.bundles.file_copy import copy_file, copy_link, digest_file, sync_file, sync_folders, writing
from neo_core.jobs.bundles.meta import (
    FILES_NAME,
    META_NAME,
    META_VERSION,
    PARTIAL_PREFIX,
    BundleFile,
    BundleMeta,
    bundle_name,
    encode_meta,
    workspace_name,
)
from neo_core.jobs.bundles.scratch import Scratch
from neo_core.jobs.bundles.sqlite_copy import copy_database
from neo_core.jobs.support import say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from neo_core.jobs.bundles.plan import Entry


def make_bundle(root: Path, folder: Path, entries: Sequence[Entry], now: float) -> tuple[Path, BundleMeta]:
    """Copy ``entries`` of the workspace ``root`` into a new bundle in the existing ``folder``.

    ``now`` is in seconds since the epoch. Raises ``JobError``; then there is no bundle and no remains of one.
    """
    created_at = _free_moment(folder, now)
    final = folder / bundle_name(created_at)
    with writing(folder), Scratch(folder / f"{PARTIAL_PREFIX}{final.name}") as scratch:
        files = scratch.payload / FILES_NAME
        files.mkdir(mode=0o700)
        meta = BundleMeta(
            version=META_VERSION,
            created_at=to_iso(created_at),
            workspace=workspace_name(root),
            files=tuple(_copy(entry, files, folder) for entry in entries),
        )
        sync_folders(scratch.payload)
        _write_meta(scratch.payload, meta)
        scratch.publish(final)
    return final, meta


def make_parents(root: Path, path: Path) -> None:
    """Create the folders between ``root`` and ``path``, each private to its user. Raises ``OSError``."""
    for parent in reversed(path.relative_to(root).parents):
        (root / parent).mkdir(mode=0o700, exist_ok=True)


def _free_moment(folder: Path, now: float) -> float:
    """Return the first moment from ``now`` on, by milliseconds, whose name is not taken."""
    while True:
        name = bundle_name(now)
        if not os.path.lexists(folder / name) and not os.path.lexists(folder / f"{PARTIAL_PREFIX}{name}"):
            return now
        now += 0.001


def _copy(entry: Entry, files: Path, folder: Path) -> BundleFile:
    target = files / entry.path
    with writing(folder):
        make_parents(files, target)
    tables: dict[str, int | None] = {}
    if entry.kind == "symlink":
        digest = copy_link(entry.source, target, folder)
    elif entry.kind == "sqlite":
        tables = copy_database(entry.source, target, folder)
        digest = digest_file(target)
    else:
        digest = copy_file(entry.source, target, folder)
    rows = f", {sum(count or 0 for count in tables.values())} rows" if entry.kind == "sqlite" else ""
    say(f"copied {entry.path} ({format_bytes(digest.bytes)}{rows})")
    return BundleFile(path=entry.path, kind=entry.kind, bytes=digest.bytes, sha256=digest.sha256, tables=tables)


def _write_meta(payload: Path, meta: BundleMeta) -> None:
    """Write the meta last: a bundle without it is incomplete. Raises ``OSError``."""
    path = payload / META_NAME
    path.touch(mode=0o600)
    path.write_bytes(encode_meta(meta))
    sync_file(path)
    sync_file(payload)
