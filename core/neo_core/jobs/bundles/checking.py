"""Checking the files of a bundle, or those restored from it, against what its meta says."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from neo_core.errors import JobError
from neo_core.jobs.bundles.file_copy import digest_file, digest_link, writing
from neo_core.jobs.bundles.sqlite_copy import check_database

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from neo_core.jobs.bundles.meta import BundleFile

_MARGIN = 1 << 20
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def check_files(root: Path, files: Iterable[BundleFile], thing: str) -> None:
    """Verify sizes, hashes, soundness and row counts of ``files`` below ``root``.

    Raises ``JobError`` about ``thing`` that names the first file which is not what the meta says.
    """
    base = root.resolve()
    for file in files:
        path = root / file.path
        if not path.is_symlink() and not path.exists():
            raise _not_as_told(thing, f"{file.path} is missing")
        if path.parent.resolve() != (base / file.path).parent:
            raise _not_as_told(thing, f"{file.path} is reached through a link")
        _check_file(path, file, thing)


def require_space(folder: Path, needed: int) -> None:
    """Raise ``JobError`` when the disk of the existing ``folder`` has no room for ``needed`` bytes and a margin."""
    with writing(folder):
        free = free_bytes(folder)
    if free < needed + _MARGIN:
        raise JobError(
            f"folder {folder}",
            f"has no room: {format_bytes(needed)} are needed and {format_bytes(free)} are free",
            "Free space on its disk, then run again; older bundles are untouched.",
        )


def free_bytes(folder: Path) -> int:
    """Return how many bytes this user may still write on the disk of ``folder``. Raises ``OSError``."""
    return shutil.disk_usage(folder).free


def format_bytes(count: int) -> str:
    """Return ``count`` bytes as an operator reads them, like ``3.2 MiB``."""
    size, unit = float(count), 0
    while size >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size:.1f} {_UNITS[unit]}" if unit else f"{count} {_UNITS[0]}"


def _check_file(path: Path, file: BundleFile, thing: str) -> None:
    if path.is_symlink() != (file.kind == "symlink"):
        raise _not_as_told(thing, f"{file.path} is not a {file.kind} any more")
    digest = digest_link(path) if file.kind == "symlink" else digest_file(path)
    if digest.bytes != file.bytes:
        raise _not_as_told(thing, f"{file.path} has {digest.bytes} bytes where {file.bytes} belong")
    if digest.sha256 != file.sha256:
        raise _not_as_told(thing, f"{file.path} has another content (SHA-256) than was written")
    if file.kind == "sqlite":
        _check_rows(file, check_database(path, f"{thing}: {file.path}"), thing)


def _check_rows(file: BundleFile, found: dict[str, int | None], thing: str) -> None:
    if found.keys() != file.tables.keys():
        raise _not_as_told(thing, f"{file.path} has other tables than its meta says")
    for table, told in file.tables.items():
        counted = found[table]
        # None means that the SQLite there or here lacks the table's module; the hash has vouched for the content.
        if None not in (told, counted) and told != counted:
            raise _not_as_told(thing, f"{file.path}: table {table} has {counted} rows where {told} belong")


def _not_as_told(thing: str, cause: str) -> JobError:
    return JobError(thing, f"is damaged: {cause}", "Take another bundle.")
