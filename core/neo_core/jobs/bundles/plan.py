"""What goes into a bundle: every database of the data folder, and what ``jobs.backup.include`` names."""

from __future__ import annotations

import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from neo_core.errors import JobError
from neo_core.jobs.bundles.file_copy import reading
from neo_core.jobs.bundles.sqlite_copy import COMPANIONS, is_database
from neo_core.workspace import DATA_NAME, LEASE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from neo_core.jobs.bundles.meta import Kind
    from neo_core.workspace import Workspace

_LOCKS = (".lock", ".lck")
_KEY = "jobs.backup.include"
_FOLDER_KEY = "jobs.backup.folder"


class Entry(NamedTuple):
    """One file to copy; ``path`` is relative to the workspace with slashes, ``bytes`` about the size of its copy."""

    path: str
    source: Path
    kind: Kind
    bytes: int


def plan(workspace: Workspace, folder: Path, include: tuple[str, ...]) -> list[Entry]:
    """Return what to copy, by path; ``folder`` holds the bundles and is left out.

    Below the data folder only databases are taken, links are not followed. Raises ``JobError``.
    """
    if _same(workspace.data, folder) or folder.resolve() in workspace.data.resolve().parents:
        raise JobError(_FOLDER_KEY, f"{folder} holds the data that is backed up", "Name a folder of its own.")
    entries: dict[str, Entry] = {}
    if workspace.data.exists():
        for path, source in _walk(workspace.data, DATA_NAME, folder):
            if _is_regular(source) and is_database(source):
                entries[path] = _entry(path, source, "sqlite")
    for text in include:
        entries.update((entry.path, entry) for entry in _included(workspace, folder, text))
    _drop_linked_data(entries)
    return [entries[path] for path in sorted(entries)]


def databases_outside(workspace: Workspace, entries: list[Entry]) -> list[str]:
    """Return the names of the databases directly in the workspace's folder that ``entries`` leave out.

    What cannot be read is none of them.
    """
    taken = {entry.path for entry in entries}
    found: list[str] = []
    for path, source in _directly_in(workspace.root):
        try:
            if path not in taken and _is_regular(source) and is_database(source):
                found.append(path)
        except JobError:
            continue
    return found


def _directly_in(folder: Path) -> list[tuple[str, Path]]:
    try:
        return sorted((entry.name, folder / entry.name) for entry in os.scandir(folder))
    except OSError:
        return []


def _included(workspace: Workspace, folder: Path, text: str) -> Iterator[Entry]:
    path = _relative(text)
    source = workspace.root / path
    if not os.path.lexists(source):
        raise JobError(_KEY, f"{text!r} does not exist in {workspace.root}", "Create it, or take it out of the list.")
    parent = source.resolve() if path == "." else source.parent.resolve()
    if not any(parent.is_relative_to(base.resolve()) for base in (workspace.root, workspace.data)):
        raise JobError(_KEY, f"{text!r} leads out of the workspace through a link", "Name a path inside it.")
    if (parent / source.name).is_relative_to(folder.resolve()):
        raise JobError(_KEY, f"{text!r} lies in the backup folder", "Take it out of the list.")
    if source.is_symlink() or not source.is_dir():
        if _is_left_out(path, source):
            raise JobError(_KEY, f"{text!r} is a lock or accompanies a database", "Take it out of the list.")
        found: Iterator[tuple[str, Path]] = iter([(path, source)])
    else:
        found = _walk(source, path, folder)
    for name, place in found:
        kind = None if _is_left_out(name, place) else _kind(place)
        if kind is not None:
            yield _entry(name, place, kind)


def _relative(text: str) -> str:
    path = PurePosixPath(text)
    if not text or "\0" in text or path.is_absolute() or ".." in path.parts:
        raise JobError(_KEY, f"{text!r} is not a path below the workspace", "Write it relative, without '..'.")
    return str(path)


def _walk(top: Path, name: str, skipped: Path) -> Iterator[tuple[str, Path]]:
    """Yield (path relative to the workspace, file) of everything below ``top`` that is not a folder."""
    with reading(top):
        try:
            found = sorted(os.scandir(top), key=lambda entry: entry.name)
        except FileNotFoundError:
            return
    for entry in found:
        place = top / entry.name
        path = entry.name if name == "." else f"{name}/{entry.name}"
        if not entry.is_dir(follow_symlinks=False):
            yield path, place
        elif not _same(place, skipped):
            yield from _walk(place, path, skipped)


def _same(one: Path, other: Path) -> bool:
    with reading(one):
        try:
            return one.samefile(other)
        except FileNotFoundError:
            return one == other


def _kind(source: Path) -> Kind | None:
    """Return what the file is to be copied as; ``None`` for sockets, pipes, devices and what has vanished."""
    if source.is_symlink():
        return "symlink"
    if not _is_regular(source):
        return None
    return "sqlite" if is_database(source) else "file"


def _is_regular(source: Path) -> bool:
    with reading(source):
        return source.is_file() and not source.is_symlink()


def _is_left_out(path: str, source: Path) -> bool:
    """Whether this is a lease, a lock of the data folder, or accompanies a database beside it."""
    name = source.name
    if name.startswith(LEASE_NAME) or (path.startswith(f"{DATA_NAME}/") and name.endswith(_LOCKS)):
        return True
    bases = [name.removesuffix(suffix) for suffix in COMPANIONS if name.endswith(suffix) and name != suffix]
    return any(_is_regular(base) and is_database(base) for base in map(source.with_name, bases))


def _entry(path: str, source: Path, kind: Kind) -> Entry:
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise JobError(f"file {path!r}", "its name is not UTF-8", "Rename it, then run again.") from error
    names = [source, source.with_name(f"{source.name}-wal")] if kind == "sqlite" else [source]
    return Entry(path, source, kind, sum(_size(name) for name in names))


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _drop_linked_data(entries: dict[str, Entry]) -> None:
    """Let the databases stand for a data folder that is itself a link, as both cannot have the name."""
    if any(path.startswith(f"{DATA_NAME}/") for path in entries):
        entries.pop(DATA_NAME, None)
