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
            os.close(os.open(f"{self._entry}/{self._mark}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
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
        """Take a guard apart whose newest owner file is old: exactly the names seen, stopping at any surprise."""
        try:
            names = os.listdir(folder)
            if any(not name.startswith("owner-") for name in names):
                return False
            newest = max((os.lstat(f"{folder}/{name}").st_mtime for name in names), default=None)
        except OSError:
            return False
        if newest is None:
            newest = _modified(folder)
        if self._clock.now() - newest <= _ABANDONED_AFTER:
            return False
        return _take_apart(folder, names)

    def _sweep(self) -> None:
        """Remove entry folders that a killed entrant left behind."""
        parent, prefix = os.path.split(f"{self._guard}.enter-")
        for name in os.listdir(parent):
            if name.startswith(prefix):
                self._remove_abandoned(f"{parent}/{name}")


def _modified(path: str) -> float:
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return float("inf")


def _take_apart(folder: str, names: list[str]) -> bool:
    with suppress(OSError):
        for name in names:
            os.unlink(f"{folder}/{name}")
        os.rmdir(folder)
        return True
    return False
