"""The short guard around every change of the record: a flock that ``filelock.FileLock`` on the same file respects.

The uncontended case is one system call, because importing ``filelock`` would double the start-up of ``neo-lease``;
the contended case waits with ``filelock`` itself.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Self, TypeVar

from neo_core.errors import LeaseError, describe_os_error
from neo_core.lease.words import GUARD_TIMEOUT

if TYPE_CHECKING:
    from types import TracebackType

    from filelock import BaseFileLock


_FLAGS = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class GuardTimeoutError(Exception):
    """Somebody kept the guard for longer than a change of the record can take."""


class LockedFile:
    """A private file that this process has flocked; one that is dropped instead of closed gives its lock back too.

    ``identity`` is (device, inode). A script that closed every descriptor may have given the number to another file,
    which is left alone.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = -1
        try:
            self.status = os.fstat(descriptor)
        except OSError:
            os.close(descriptor)
            raise
        self.descriptor = descriptor
        self.identity = (self.status.st_dev, self.status.st_ino)

    def __del__(self) -> None:
        self.close()

    def unlock(self) -> None:
        """Give the lock up for every process that shares the descriptor, and close ours; idempotent."""
        if self._is_open():
            with suppress(OSError):  # closing, which follows, is all that can still be done
                fcntl.flock(self.descriptor, fcntl.LOCK_UN)
            descriptor, self.descriptor = self.descriptor, -1
            os.close(descriptor)
        self.descriptor = -1

    def close(self) -> None:
        """Close our descriptor only, which leaves the lock to whoever inherited it; idempotent."""
        descriptor = self.descriptor if self._is_open() else -1
        self.descriptor = -1
        if descriptor >= 0:
            os.close(descriptor)

    def _is_open(self) -> bool:
        if self.descriptor < 0:
            return False
        try:
            status = os.fstat(self.descriptor)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self.identity


Locked = TypeVar("Locked", bound=LockedFile)


class Guard:
    """Exclusive use of ``<lease>.lock`` within a ``with`` block; the file stays.

    Raises ``GuardTimeoutError`` after ``timeout`` seconds and ``LeaseError`` when the file cannot be used.
    """

    def __init__(self, path: str, *, timeout: float = GUARD_TIMEOUT) -> None:
        self._path = path
        self._timeout = timeout
        self._locked: LockedFile | None = None
        self._waited: BaseFileLock | None = None

    def __enter__(self) -> Self:
        try:
            self._locked = take_flock(self._path, LockedFile)
            if self._locked is None:
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
        if self._locked is not None:
            # Closing alone would leave the guard to a child that was forked meanwhile, for as long as it lives.
            self._locked.unlock()
            self._locked = None

    def _wait(self) -> None:
        from filelock import FileLock, Timeout

        lock = FileLock(self._path, timeout=self._timeout, poll_interval=0.005, mode=0o600)
        try:
            lock.acquire()
        except Timeout as error:
            raise GuardTimeoutError from error
        self._waited = lock


def take_flock(path: str, kind: type[Locked]) -> Locked | None:
    """Open ``path`` (private, regular, no link) and flock it without waiting; ``None`` when somebody else has it.

    The descriptor is not inheritable. Raises ``OSError`` for anything but a regular file of ours.
    """
    while True:
        file = kind(os.open(path, _FLAGS, 0o600))
        if not _try_flock(file.descriptor, file.status):
            file.close()
            return None
        try:
            named = os.lstat(path)
        except FileNotFoundError:
            named = None
        # A lock on a file that the name no longer leads to guards nothing.
        if named is not None and (named.st_dev, named.st_ino) == file.identity:
            return file
        file.close()


def _try_flock(descriptor: int, status: os.stat_result) -> bool:
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
