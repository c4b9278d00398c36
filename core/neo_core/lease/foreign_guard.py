"""The directory mutex of newer foreign scripts, ``<lease>.lifecycle-guard``; we enter it too before a recovery.

An entrant fills a private folder and renames it onto the guard's name; the kernel refuses to replace a folder that is
not empty, so a living guard cannot be taken over.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from neo_core.lease.record import new_token

if TYPE_CHECKING:
    from types import TracebackType

    from neo_core.clock import Clock

_ABANDONED_AFTER = 10.0
_OURS = b"neo-core"  # foreign scripts look at an owner file's name and age only
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST)


class ForeignGuardBusyError(Exception):
    """A foreign script is changing the record right now."""


class ForeignGuard:
    """The directory mutex beside ``lease``, held within a ``with`` block.

    Waits up to ``timeout`` seconds, then raises ``ForeignGuardBusyError``; other failures raise ``OSError``.
    """

    def __init__(self, lease: str, clock: Clock, *, timeout: float = 2.0) -> None:
        self._guard = f"{lease}.lifecycle-guard"
        self._clock = clock
        self._timeout = timeout
        token = new_token()
        self._entry = f"{self._guard}.enter-{token}"
        self._mark = f"owner-{token}"

    def __enter__(self) -> Self:
        self._sweep()
        os.mkdir(self._entry, 0o700)
        try:
            _mark_as_ours(f"{self._entry}/{self._mark}")
            self._enter()
        except BaseException:
            _take_apart(self._entry, [self._mark])
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _take_apart(self._guard, [self._mark])

    def _enter(self) -> None:
        deadline = self._clock.monotonic() + self._timeout
        while True:
            try:
                os.rename(self._entry, self._guard)
            except OSError as error:
                if error.errno not in _TAKEN:
                    raise
            else:
                return
            if self._remove_abandoned(self._guard):
                continue
            if self._clock.monotonic() >= deadline:
                raise ForeignGuardBusyError
            self._clock.sleep(0.01)

    def _remove_abandoned(self, folder: str) -> bool:
        """Take a guard apart whose newest owner file is old: exactly the names seen, stopping at any surprise.

        One of ours need not get old: it is only entered inside our own guard, which we have, so its process is gone.
        """
        try:
            names = os.listdir(folder)
            if any(not name.startswith("owner-") for name in names):
                return False
            judged = [f"{folder}/{name}" for name in names] or [folder]
            newest = max(os.lstat(path).st_mtime for path in judged)
        except OSError:
            return False
        # A clock that was set back must not make an abandoned guard look fresh for as long as it was set back.
        fresh = abs(self._clock.now() - newest) <= _ABANDONED_AFTER
        if fresh and not (len(judged) == 1 and _is_ours(judged[0])):
            return False
        return _take_apart(folder, names)

    def _sweep(self) -> None:
        """Remove entry folders that a killed entrant left behind."""
        parent, prefix = os.path.split(f"{self._guard}.enter-")
        for name in os.listdir(parent or "."):
            if name.startswith(prefix):
                self._remove_abandoned(os.path.join(parent, name))


def _mark_as_ours(path: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(descriptor, _OURS)
    finally:
        os.close(descriptor)


def _is_ours(path: str) -> bool:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        return os.read(descriptor, len(_OURS) + 1) == _OURS
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _take_apart(folder: str, names: list[str]) -> bool:
    with suppress(OSError):
        for name in names:
            os.unlink(f"{folder}/{name}")
        os.rmdir(folder)
        return True
    return False
