"""One file of the workspace: its stamp, and its text if it is one."""

from __future__ import annotations

import hashlib
import os
import stat
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

_HEAD_BYTES = 8192
_CHUNK_BYTES = 1 << 20
_SLACK_NS = 2_000_000_000


class Stamp(NamedTuple):
    """What the file system says about a file; times in nanoseconds since the epoch, size in bytes."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    def settled(self, seen_ns: int) -> bool:
        """Return whether the content read at ``seen_ns`` must still be there while the stamp is the same.

        A file that changed within the clock's grain of the reading could change again unseen (git: racily clean).
        """
        return max(self.mtime_ns, self.ctime_ns) + _SLACK_NS < seen_ns


class Text(NamedTuple):
    """A file's text: ``digest`` is the SHA-256 of its bytes, ``stamp`` is older than the reading."""

    stamp: Stamp
    digest: bytes
    body: str


class Skip(StrEnum):
    """Why a path has no text to index."""

    BINARY = "binary"
    TOO_LARGE = "too large"
    UNREADABLE = "unreadable"
    NO_FILE = "no file"  # vanished, a folder, a symbolic link, a device: nothing to count


def look(path: bytes) -> Stamp | Skip:
    """Return the stamp of the regular file at ``path``, not following a symbolic link."""
    try:
        return _stamp(os.lstat(path))
    except (FileNotFoundError, NotADirectoryError):
        return Skip.NO_FILE
    except OSError:
        return Skip.UNREADABLE


def read_text(path: bytes, limit: int) -> Text | Skip:
    """Read the regular file at ``path`` if it is UTF-8 text of at most ``limit`` bytes."""
    # O_NONBLOCK: were the file replaced by a pipe just now, opening it would wait for a writer.
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return Skip.NO_FILE
    except OSError:
        return Skip.UNREADABLE
    with os.fdopen(handle, "rb", buffering=0) as file:
        stamp = _stamp(os.fstat(handle))
        if isinstance(stamp, Skip):
            return stamp
        try:
            content = _content(file.read, limit)
        except OSError:
            return Skip.UNREADABLE
    return content if isinstance(content, Skip) else _decoded(stamp, content)


def _stamp(seen: os.stat_result) -> Stamp | Skip:
    if not stat.S_ISREG(seen.st_mode):
        return Skip.NO_FILE
    return Stamp(seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino)


def _content(read: Callable[[int], bytes | None], limit: int) -> bytes | Skip:
    """Read on until the end; the head alone tells most binary files."""
    parts: list[bytes] = []
    left = limit + 1
    while left > 0:
        part = read(min(left, _CHUNK_BYTES) if parts else min(left, _HEAD_BYTES))
        if not part:
            return b"".join(parts)
        if not parts and b"\0" in part:
            return Skip.BINARY
        parts.append(part)
        left -= len(part)
    return Skip.TOO_LARGE


def _decoded(stamp: Stamp, content: bytes) -> Text | Skip:
    try:
        body = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Skip.BINARY
    # SQLite's text functions end at a NUL; a blank keeps every line where it is.
    return Text(stamp, hashlib.sha256(content).digest(), body.replace("\0", " "))
