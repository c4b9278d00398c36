"""Restoring a bundle into an empty folder, checked before and after; nothing is ever overwritten.

``python -m neo_core.jobs.restore BUNDLE --to DIR``; BUNDLE is a path, a bundle's name, or ``latest``.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from neo_core.errors import JobError, describe_os_error
from neo_core.jobs.bundles.checking import check_files, format_bytes, require_space
from neo_core.jobs.bundles.file_copy import copy_file, copy_link, sync_folders, writing
from neo_core.jobs.bundles.making import make_parents
from neo_core.jobs.bundles.meta import FILES_NAME, BundleFile, backup_folder, read_meta, resolve_bundle
from neo_core.jobs.bundles.scratch import Scratch, remove_abandoned
from neo_core.jobs.support import JobResult, run_job, say

if TYPE_CHECKING:
    from collections.abc import Callable

    from neo_core.config import Config
    from neo_core.workspace import Workspace

_PREFIX = ".partial-restore-"


class Restored(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a restore did; ``files`` counts all of them, databases included; ``created_at`` is the bundle's ISO time."""

    bundle: Path
    target: Path
    created_at: str
    workspace: str
    files: int
    databases: int
    rows: int
    bytes: int


def restore(bundle: Path, target: Path, *, tell: Callable[[str], object] | None = None) -> Restored:
    """Restore the folder ``bundle`` as ``target``, which must not exist or be an empty folder.

    Sizes, hashes, soundness and row counts are verified in the bundle before and in the copy after. ``target`` appears
    complete or not at all. ``tell`` gets a line per file. Raises ``JobError``; then ``target`` is as it was.
    """
    meta = read_meta(bundle)
    final = _free_target(bundle, target)
    check_files(bundle / FILES_NAME, meta.files, f"bundle {bundle}")
    size = sum(file.bytes for file in meta.files)
    with writing(final.parent):
        final.parent.mkdir(parents=True, exist_ok=True)
    require_space(final.parent, size)
    _copy_verified(bundle, final, meta.files, tell)
    return Restored(
        bundle=bundle,
        target=final,
        created_at=meta.created_at,
        workspace=meta.workspace,
        files=len(meta.files),
        databases=sum(file.kind == "sqlite" for file in meta.files),
        rows=sum(rows or 0 for file in meta.files for rows in file.tables.values()),
        bytes=size,
    )


def _copy_verified(
    bundle: Path, final: Path, files: tuple[BundleFile, ...], tell: Callable[[str], object] | None
) -> None:
    partial = final.parent / f"{_PREFIX}{final.name}"
    with writing(final.parent):
        if not remove_abandoned(partial):
            raise JobError(str(partial), "is in the way: not ours, or of a restore at work", "Move it, then try again.")
        with Scratch(partial) as scratch:
            for file in files:
                _copy(bundle / FILES_NAME / file.path, scratch.payload, file, final.parent)
                if tell is not None:
                    tell(f"restored {file.path} ({format_bytes(file.bytes)})")
            check_files(scratch.payload, files, f"copy in {final}")
            sync_folders(scratch.payload)
            _publish(scratch, final)


def _copy(source: Path, payload: Path, file: BundleFile, place: Path) -> None:
    target = payload / file.path
    make_parents(payload, target)
    if file.kind == "symlink":
        copy_link(source, target, place)
    else:
        copy_file(source, target, place)


def _publish(scratch: Scratch, final: Path) -> None:
    """Rename onto ``final``; the system refuses when it is anything but an empty folder by now."""
    try:
        scratch.publish(final)
    except OSError as error:
        raise _refuse(final, f"cannot be put in place: {describe_os_error(error)}") from error


def _free_target(bundle: Path, target: Path) -> Path:
    """Return the absolute ``target`` with links resolved, when restoring there overwrites nothing."""
    final = Path(os.path.realpath(target))
    if final.is_relative_to(bundle.resolve()):
        raise _refuse(final, "lies in the bundle itself")
    if os.path.lexists(final):
        if not final.is_dir():
            raise _refuse(final, "is not a folder")
        with writing(final):
            if any(final.iterdir()):
                raise _refuse(final, "is not empty")
    return final


def _refuse(target: Path, cause: str) -> JobError:
    return JobError(f"target {target}", cause, "Name a folder that does not exist yet; nothing is overwritten.")


def main(arguments: list[str] | None = None) -> int:
    """Run as a program; return 0, or 1 after one clear message."""
    parser = argparse.ArgumentParser(prog="neo_core.jobs.restore", description="Restore a bundle into an empty folder.")
    parser.add_argument("bundle", metavar="BUNDLE", help='a path, a name in the backup folder, or "latest"')
    parser.add_argument(
        "--to", metavar="DIR", required=True, type=Path, help="a folder that is empty or does not exist"
    )
    parser.add_argument(
        "--workspace", metavar="DIR", help="whose backup folder is looked in (default: found from here)"
    )
    given = parser.parse_args(arguments)

    def work(workspace: Workspace, config: Config) -> JobResult:
        folder = backup_folder(workspace, config)
        done = restore(resolve_bundle(given.bundle, folder, workspace.root), given.to, tell=say)
        summary = (
            f"{done.files} files, {done.rows} rows, {format_bytes(done.bytes)} of {done.created_at} in {done.target}"
        )
        return JobResult(summary=summary, details=msgspec.to_builtins(done, enc_hook=str))

    return run_job("restore", work, [] if given.workspace is None else ["--workspace", given.workspace])


if __name__ == "__main__":
    sys.exit(main())
