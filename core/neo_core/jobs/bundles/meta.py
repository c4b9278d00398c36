"""Bundles of the backup: their names, their ``bundle-meta.json``, and finding them.

A bundle is a folder ``backup-<UTC time>`` holding ``bundle-meta.json`` and ``files/<path relative to the workspace>``.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from neo_core.clock import from_iso, to_iso
from neo_core.errors import JobError, describe_os_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neo_core.config import Config
    from neo_core.workspace import Workspace

META_NAME = "bundle-meta.json"
FILES_NAME = "files"
META_VERSION = 1
PARTIAL_PREFIX = ".partial-"
LATEST = "latest"
_NAME = re.compile(r"backup-\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}\.\d{3}Z")
_TAKE_ANOTHER = "Take another bundle."

Kind = Literal["sqlite", "file", "symlink"]


class BundleFile(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """One file of a bundle; ``path`` is relative to the workspace, with slashes.

    ``bytes`` and ``sha256`` are those of the copy, or of the text that a symbolic link leads to. ``tables`` holds the
    rows of every table of a database; ``None`` where SQLite could not count them.
    """

    path: str
    kind: Kind
    bytes: Annotated[int, msgspec.Meta(ge=0)]
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    tables: dict[str, int | None] = {}


class BundleMeta(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """What ``bundle-meta.json`` says; ``created_at`` is ISO 8601 in UTC, ``workspace`` the folder it was made of."""

    version: int
    created_at: str
    workspace: str
    files: tuple[BundleFile, ...]


class BundleInfo(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A bundle for display and retention; ``created_at`` is in seconds since the epoch, ``bytes`` the sum of its files.

    ``problem`` says why it cannot be restored; it is empty when the meta is sound and every file has its size.
    """

    name: str
    path: Path
    created_at: float | None = None
    workspace: str = ""
    files: int = 0
    databases: int = 0
    rows: int = 0
    bytes: int = 0
    problem: str = ""


class _Version(msgspec.Struct, frozen=True):
    version: int


def backup_folder(workspace: Workspace, config: Config) -> Path:
    """Return the absolute folder of the bundles, which need not exist."""
    return Path(os.path.normpath(workspace.root / Path(config.jobs.backup.folder).expanduser()))


def workspace_name(root: Path) -> str:
    """Return how a bundle names its workspace."""
    return os.fsencode(root).decode("utf-8", "replace")


def bundle_name(created_at: float) -> str:
    """Return the name of a bundle made at ``created_at``, in seconds since the epoch."""
    return f"backup-{to_iso(created_at).replace(':', '-')}"


def is_bundle_name(name: str) -> bool:
    """Return whether a backup may have given this name."""
    return _NAME.fullmatch(name) is not None


def encode_meta(meta: BundleMeta) -> bytes:
    """Return the content of ``bundle-meta.json``."""
    return msgspec.json.format(msgspec.json.encode(meta), indent=2) + b"\n"


def read_meta(bundle: Path) -> BundleMeta:
    """Return the checked meta of a bundle; its paths cannot lead out of a folder they are put in.

    Raises ``JobError`` when it is missing, unreadable, damaged, or of a newer version.
    """
    thing = f"bundle {bundle}"
    try:
        content = (bundle / META_NAME).read_bytes()
    except (FileNotFoundError, NotADirectoryError) as error:
        cause = f"has no {META_NAME}" if bundle.is_dir() else "is not a folder" if bundle.exists() else "does not exist"
        raise JobError(thing, f"{cause}, so it is no complete bundle", _TAKE_ANOTHER) from error
    except OSError as error:
        raise JobError(thing, f"its {META_NAME} cannot be read: {describe_os_error(error)}", _TAKE_ANOTHER) from error
    try:
        version = msgspec.json.decode(content, type=_Version).version
        if version > META_VERSION:
            cause = f"is of version {version}, and this program knows versions up to {META_VERSION}"
            raise JobError(thing, cause, "Use a newer neo-console.")
        meta = msgspec.json.decode(content, type=BundleMeta)
        from_iso(meta.created_at)
        _check_paths(meta)
    except (msgspec.DecodeError, ValueError) as error:
        raise JobError(thing, f"its {META_NAME} is damaged: {error}", _TAKE_ANOTHER) from error
    return meta


def list_bundles(folder: Path) -> list[BundleInfo]:
    """Return what is named like a bundle in ``folder``, the newest first and those without a time last.

    A missing folder has none. Hashes are not computed here. Raises ``JobError`` when the folder cannot be read.
    """
    try:
        names = [entry.name for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise JobError(
            f"backup folder {folder}", f"cannot be read: {describe_os_error(error)}", "Make it readable for you."
        ) from error
    bundles = [_describe(folder / name) for name in names if is_bundle_name(name)]
    return sorted(bundles, key=lambda info: (info.created_at or float("-inf"), info.name), reverse=True)


def resolve_bundle(told: str, folder: Path, workspace: Path | None = None) -> Path:
    """Return the bundle that an operator means: ``latest``, a bundle's name in ``folder``, or a path.

    ``workspace`` limits ``latest`` to the bundles of that workspace root. Raises ``JobError`` when there is none.
    """
    if told == LATEST:
        return _latest(folder, workspace)
    place = folder / told if is_bundle_name(told) and not Path(told).exists() else Path(told)
    if not told or not place.is_dir():
        known = [info.name for info in list_bundles(folder) if not info.problem]
        mend = f"Known here: {', '.join(known)}." if known else f"There is no bundle in {folder} yet."
        raise JobError(f"bundle {told or '(empty)'}", "does not exist", mend)
    return place.absolute()


def _latest(folder: Path, workspace: Path | None) -> Path:
    name = None if workspace is None else workspace_name(workspace)
    for info in list_bundles(folder):
        if not info.problem and name in (None, info.workspace):
            return info.path
    raise JobError(f"backup folder {folder}", "holds no complete bundle", "Run the backup first, or name a bundle.")


def _describe(path: Path) -> BundleInfo:
    try:
        meta = read_meta(path)
    except JobError as error:
        return BundleInfo(name=path.name, path=path, problem=error.cause)
    return BundleInfo(
        name=path.name,
        path=path,
        created_at=from_iso(meta.created_at),
        workspace=meta.workspace,
        files=len(meta.files),
        databases=sum(file.kind == "sqlite" for file in meta.files),
        rows=sum(rows or 0 for file in meta.files for rows in file.tables.values()),
        bytes=sum(file.bytes for file in meta.files),
        problem=next(_missing(path / FILES_NAME, meta), ""),
    )


def _missing(root: Path, meta: BundleMeta) -> Iterator[str]:
    """Yield what a look at the names and sizes shows to be wrong."""
    for file in meta.files:
        try:
            told = (root / file.path).lstat()
        except OSError as error:
            yield f"{file.path}: {describe_os_error(error)}"
        else:
            if told.st_size != file.bytes:
                yield f"{file.path} has {told.st_size} bytes where {file.bytes} belong"


def _check_paths(meta: BundleMeta) -> None:
    """Refuse paths that lead elsewhere, also through a link of the bundle itself; raises ``ValueError``."""
    paths = {file.path for file in meta.files}
    if len(paths) != len(meta.files):
        raise ValueError("it names a path twice")
    for text in (file.path for file in meta.files):
        path = PurePosixPath(text)
        if not text or "\0" in text or path.is_absolute() or ".." in path.parts or str(path) != text or text == ".":
            raise ValueError(f"the path {text!r} leads out of the bundle")
    for path in map(PurePosixPath, paths):
        if not paths.isdisjoint(str(parent) for parent in path.parents):
            raise ValueError(f"the path '{path}' lies below another file")
