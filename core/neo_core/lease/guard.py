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
_UNKNOWN = (-1, -1)


class GuardTimeoutError(Exception):
    """Somebody kept the guard for longer than a change of the record can take."""


class LockedFile:
    """A private file that this process has flocked; one that is dropped instead of closed gives its lock back too.

    ``identity`` is (device, inode), known after ``look``. A script that closed every descriptor may have given the
    number to another file, which is left alone.
    """

    __slots__ = ("descriptor", "identity")

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.identity = _UNKNOWN

    def __del__(self) -> None:
        if self.descriptor >= 0:
            self.close()

    def look(self) -> os.stat_result:
        """Return the file's status, and know its identity from now on."""
        status = os.fstat(self.descriptor)
        self.identity = (status.st_dev, status.st_ino)
        return status

    def unlock(self) -> None:
        """Give the lock up for every process that shares the descriptor, and close ours; idempotent."""
        if self._is_open():
            self.leave()
        self.descriptor = -1

    def leave(self) -> None:
        """Do as ``unlock`` where nobody can have closed the descriptor since it was locked."""
        descriptor, self.descriptor = self.descriptor, -1
        with suppress(OSError):  # closing, which follows, is all that can still be done
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)

    def close(self) -> None:
        """Close our descriptor only, which leaves the lock to whoever inherited it; idempotent."""
        descriptor = self.descriptor if self._is_open() else -1
        self.descriptor = -1
        if descriptor >= 0:
            os.close(descriptor)

    def _is_open(self) -> bool:
        if self.descriptor < 0 or self.identity == _UNKNOWN:  # nobody could take the number since it was opened
            return self.descriptor >= 0
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
            self._locked.leave()
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
        try:
            fcntl.flock(file.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            taken = True
        except BlockingIOError:
            taken = False
        # Looked at once, and only now: what lost its name before it was locked has no name left.
        try:
            status = file.look()
            _refuse_odd(file.descriptor, status)
        except OSError:
            file.close()  # not when the error is forgotten, because it has the lock already
            raise
        if taken and (status.st_nlink or leads_to(path, file.identity)):
            return file
        file.close()
        if not taken:
            return None


def _refuse_odd(descriptor: int, status: os.stat_result) -> None:
    if status.st_mode & 0o170000 != 0o100000:
        raise OSError(0, "is not a regular file")
    if status.st_uid != os.geteuid():
        raise OSError(0, f"belongs to another user (uid {status.st_uid})")
    if status.st_mode & 0o077:
        os.fchmod(descriptor, 0o600)


def leads_to(path: str, identity: tuple[int, int]) -> bool:
    """Return whether the name still leads to the file; some file systems count no links at all."""
    return identity_at(path) == identity


def identity_at(path: str) -> tuple[int, int] | None:
    """Return (device, inode) of what has the name; ``None`` for nothing."""
    try:
        named = os.lstat(path)
    except FileNotFoundError:
        return None
    return named.st_dev, named.st_ino
