"""Copying plain files and links so that they can be trusted: hashed, flushed, and with errors that name what failed."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from neo_core.errors import JobError, describe_os_error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_CHUNK = 1 << 20
_TRIES = 3
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW


class Digest(NamedTuple):
    """The size in bytes and the SHA-256 in hexadecimal digits."""

    bytes: int
    sha256: str


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn an ``OSError`` inside the block into a ``JobError`` that names ``path`` as what cannot be read."""
    try:
        yield
    except OSError as error:
        raise JobError(
            str(path), f"cannot be read: {describe_os_error(error)}", "Make it readable for you, then run again."
        ) from error


@contextmanager
def writing(place: Path) -> Iterator[None]:
    """Turn an ``OSError`` inside the block into a ``JobError`` about the folder ``place`` that is written into."""
    try:
        yield
    except OSError as error:
        raise no_room(place, error) if error.errno in _FULL else _not_writable(place, error) from error


def no_room(place: Path, error: Exception) -> JobError:
    """Return the error for a disk, quota or file size limit that was hit while writing into ``place``."""
    told = describe_os_error(error) if isinstance(error, OSError) else str(error)
    return JobError(
        f"folder {place}",
        f"has no room left ({told})",
        "Free space on its disk (or raise the limit), then run again; older bundles are untouched.",
    )


def copy_file(source: Path, target: Path, place: Path) -> Digest:
    """Copy one regular file to a new, private one below ``place`` and flush it to the disk.

    A file that changes meanwhile is copied anew; raises ``JobError`` when it does so three times, when it cannot be
    read, and when ``place`` cannot be written.
    """
    for _ in range(_TRIES):
        with reading(source):
            origin = os.open(source, _READ)
        try:
            with writing(place):
                copy = os.open(target, _WRITE, 0o600)
            try:
                digest = _copy_stable(origin, copy, source, place)
            finally:
                os.close(copy)
        finally:
            os.close(origin)
        if digest is not None:
            return digest
    raise JobError(
        str(source),
        "keeps changing while it is copied",
        "Stop its writer, or take it out of jobs.backup.include, then run again.",
    )


def copy_link(source: Path, target: Path, place: Path) -> Digest:
    """Make ``target`` the same symbolic link as ``source``; the digest is that of the text it leads to."""
    text = _link_text(source)
    with writing(place):
        target.symlink_to(text)
    return digest_link(target)


def digest_link(path: Path) -> Digest:
    """Return the digest of the text that the symbolic link leads to. Raises ``JobError``."""
    raw = os.fsencode(_link_text(path))
    return Digest(len(raw), hashlib.sha256(raw).hexdigest())


def digest_file(path: Path) -> Digest:
    """Return the digest of a regular file, following no link. Raises ``JobError``."""
    with reading(path):
        descriptor = os.open(path, _READ)
        with os.fdopen(descriptor, "rb") as file:
            told = os.fstat(descriptor)
            if not stat.S_ISREG(told.st_mode):
                raise OSError(errno.EINVAL, "not a regular file")
            return Digest(told.st_size, hashlib.file_digest(file, "sha256").hexdigest())


def sync_file(path: Path) -> None:
    """Flush a file or a folder to the disk. Raises ``OSError``."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folders(top: Path) -> None:
    """Flush every folder from the deepest up to ``top``. Raises ``OSError``."""
    for folder, _, _ in os.walk(top, topdown=False):
        sync_file(top / folder)


def _link_text(path: Path) -> str:
    with reading(path):
        return os.readlink(path)  # noqa: PTH115 - Path.readlink() would tidy the text


def _copy_stable(origin: int, copy: int, source: Path, place: Path) -> Digest | None:
    """Copy and flush; ``None`` when the source changed meanwhile."""
    before = _state(origin)
    digest = hashlib.sha256()
    size = 0
    while True:
        with reading(source):
            chunk = os.read(origin, _CHUNK)
        if not chunk:
            break
        digest.update(chunk)
        size += len(chunk)
        with writing(place):
            _write_all(copy, chunk)
    with writing(place):
        os.fsync(copy)
    return Digest(size, digest.hexdigest()) if _state(origin) == before and size == before[0] else None


def _state(descriptor: int) -> tuple[int, int]:
    told = os.fstat(descriptor)
    return told.st_size, told.st_mtime_ns


def _write_all(descriptor: int, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:
        view = view[os.write(descriptor, view) :]


def _not_writable(place: Path, error: OSError) -> JobError:
    return JobError(
        f"folder {place}",
        f"cannot be written: {describe_os_error(error)}",
        "Make it a folder that you can write, then run again.",
    )
