"""The short guard around every change of the record: a flock that ``filelock.FileLock`` on the same file respects.

The uncontended case is one system call, because importing ``filelock`` would double the start-up of ``neo-lease``;
the contended case waits with ``filelock`` itself.
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Self

from neo_core.errors import LeaseError, describe_os_error
from neo_core.lease.words import GUARD_TIMEOUT

if TYPE_CHECKING:
    from types import TracebackType

    from filelock import BaseFileLock


class GuardTimeoutError(Exception):
    """Somebody kept the guard for longer than a change of the record can take."""


class Guard:
    """Exclusive use of ``<lease>.lock`` within a ``with`` block; the file stays.

    Raises ``GuardTimeoutError`` after ``timeout`` seconds and ``LeaseError`` when the file cannot be used.
    """

    def __init__(self, path: str, *, timeout: float = GUARD_TIMEOUT) -> None:
        self._path = path
        self._timeout = timeout
        self._descriptor: int | None = None
        self._waited: BaseFileLock | None = None

    def __enter__(self) -> Self:
        try:
            self._descriptor = take_flock(self._path)
            if self._descriptor is None:
                self._wait()
        except OSError as error:
            raise LeaseError(
                f"lease guard {self._path}",
                f"cannot be locked: {describe_os_error(error)}",
                "Make it a file of yours that you can write, or remove it while nothing runs.",
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._waited is not None:
            self._waited.release()
            self._waited = None
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _wait(self) -> None:
        from filelock import FileLock, Timeout

        lock = FileLock(self._path, timeout=self._timeout, poll_interval=0.005, mode=0o600)
        try:
            lock.acquire()
        except Timeout as error:
            raise GuardTimeoutError from error
        self._waited = lock


def take_flock(path: str) -> int | None:
    """Open ``path`` (private, regular, no link) and flock it without waiting; ``None`` when somebody else has it.

    The descriptor is not inheritable. Raises ``OSError`` for anything but a regular file of ours.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    while True:
        descriptor = os.open(path, flags, 0o600)
        try:
            if not _try_flock(descriptor):
                os.close(descriptor)
                return None
            if _is_current(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _try_flock(descriptor: int) -> bool:
    status = os.fstat(descriptor)
    if status.st_mode & 0o170000 != 0o100000:
        raise OSError(0, "is not a regular file")
    if status.st_uid != os.geteuid():
        raise OSError(0, f"belongs to another user (uid {status.st_uid})")
    if status.st_mode & 0o077:
        os.fchmod(descriptor, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_current(path: str, descriptor: int) -> bool:
    """Return whether the name still leads to the locked file: a lock on a removed one guards nothing."""
    try:
        named = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return False
    locked = os.fstat(descriptor)
    return (named.st_dev, named.st_ino) == (locked.st_dev, locked.st_ino)
