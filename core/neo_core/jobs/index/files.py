"""Which files of a workspace are worth searching: what git would show, or a walk that knows what to leave out."""

from __future__ import annotations

import os
import re
import stat
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from neo_core.jobs.checkout.git import Git, GitError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from neo_core.config import Config
    from neo_core.workspace import Workspace

_PRIVATE = frozenset((b".git", b".neo-ai-data"))
_CLOSED = re.compile(r"could not open directory '(.+?)/?': ")
_CACHES = frozenset(
    (
        b".cache",
        b".hypothesis",
        b".mypy_cache",
        b".nox",
        b".npm",
        b".pytest_cache",
        b".ruff_cache",
        b".tox",
        b".venv",
        b"__pycache__",
        b"node_modules",
    )
)


class Found(NamedTuple):
    """What there is to look at: sorted paths below the workspace, and the folders that could not be listed."""

    paths: list[bytes]
    unreadable: list[bytes]


def find_files(workspace: Workspace, config: Config) -> Found:
    """Return the workspace's files, never anything private of this program's or git's, links not followed.

    In a checkout git's ignore rules decide; elsewhere a walk, which asks git again in every checkout that it meets.
    Raises ``JobError`` when there is a checkout and git is missing or refuses.
    """
    left_out = _LeftOut(workspace, config)
    root = workspace.root
    if _has_repository(root) and _lists(Git(root)):
        found = _listed(root, left_out)
    else:
        found = _walk(os.fsencode(root), left_out)
    return Found(sorted(found.paths), sorted(found.unreadable))


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Return whether a glob pattern names ``path`` (relative, with ``/``) or a folder above it.

    As in ``.gitignore``: without a ``/`` a pattern fits at any depth, ``*`` stays within a name, ``**`` spans folders.
    """
    names = path.split("/")
    return any(_fits(names, _parts(pattern)) for pattern in patterns if pattern.strip("/"))


class _LeftOut:
    """Which paths are not for the index, whoever lists them."""

    def __init__(self, workspace: Workspace, config: Config) -> None:
        self._patterns = config.jobs.kb_sync.exclude
        own = (workspace.state, Path(os.path.normpath(workspace.root / config.jobs.backup.folder)))
        inside = (folder.relative_to(workspace.root) for folder in own if folder.is_relative_to(workspace.root))
        self._own = tuple(os.fsencode(folder) for folder in inside if folder.parts)

    def __contains__(self, path: bytes) -> bool:
        if not _PRIVATE.isdisjoint(path.split(b"/")):
            return True
        if any(path == own or path.startswith(own + b"/") for own in self._own):
            return True
        return bool(self._patterns) and matches(path.decode("utf-8", "replace"), self._patterns)


class _RealFolders:
    """Remembers which folders are folders all the way down and not reached through a symbolic link."""

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._known = {b"": True}

    def __contains__(self, folder: bytes) -> bool:
        if folder not in self._known:
            self._known[folder] = folder.rpartition(b"/")[0] in self and not _is_link(self._root + b"/" + folder)
        return self._known[folder]


def _has_repository(root: Path) -> bool:
    return any(os.path.lexists(folder / ".git") for folder in (root, *root.parents))


def _lists(git: Git) -> bool:
    """Return whether git lists this folder: it lies in a work tree that does not ignore it as a whole."""
    if not git.in_checkout():
        return False
    below = git.read("rev-parse", "--show-prefix").line
    return not below or git.ask("check-ignore", "--quiet", "--", str(git.folder)).code != 0


def _listed(folder: Path, left_out: _LeftOut, prefix: bytes = b"") -> Found:
    real = _RealFolders(os.fsencode(folder))
    answer = Git(folder).read("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    # An unmerged path is listed once per side, hence the set.
    paths = {
        prefix + path
        for path in answer.paths
        # A name that ends with a slash is a checkout inside this one: not ours to look into.
        if not path.endswith(b"/") and path.rpartition(b"/")[0] in real and prefix + path not in left_out
    }
    return Found(list(paths), [prefix + os.fsencode(name) for name in _CLOSED.findall(answer.err)])


def _walk(root: bytes, left_out: _LeftOut) -> Found:
    found = Found([], [])
    waiting = [b""]
    while waiting:
        folder = waiting.pop()
        try:
            with os.scandir(root + b"/" + folder) as entries:
                listed = [(entry.name, entry.is_dir(follow_symlinks=False), entry.is_symlink()) for entry in entries]
            if folder and any(name == b".git" for name, _, _ in listed):
                nested = _listed(Path(os.fsdecode(root + b"/" + folder)), left_out, folder + b"/")
                found.paths.extend(nested.paths)
                found.unreadable.extend(nested.unreadable)
                continue
        except (OSError, GitError):
            found.unreadable.append(folder)
            continue
        for name, is_folder, is_link in listed:
            path = folder + b"/" + name if folder else name
            if is_link or path in left_out:
                continue
            if not is_folder:
                found.paths.append(path)
            elif name not in _CACHES:
                waiting.append(path)
    return found


def _is_link(path: bytes) -> bool:
    try:
        return stat.S_ISLNK(os.lstat(path).st_mode)
    except OSError:
        return False


def _parts(pattern: str) -> Sequence[str]:
    anchored = pattern.removeprefix("./")
    parts = anchored.strip("/").split("/")
    return parts if "/" in anchored.rstrip("/") else ["**", *parts]


def _fits(names: Sequence[str], parts: Sequence[str]) -> bool:
    if not parts:
        return True
    if parts[0] == "**":
        rest = parts[1:]
        return any(_fits(names[start:], rest) for start in range(len(names))) if rest else bool(names)
    return bool(names) and fnmatchcase(names[0], parts[0]) and _fits(names[1:], parts[1:])
