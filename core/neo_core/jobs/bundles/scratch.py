"""A private partial folder: something complete appears under its final name at once, or not at all.

Layout: ``<path>/neo-console-partial`` is the marker, locked by its living maker; ``<path>/payload`` becomes the result.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from neo_core.jobs.bundles.file_copy import sync_file

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

MARKER = "neo-console-partial"
_PAYLOAD = "payload"
_OPEN = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW


class Scratch:
    """The partial folder ``path`` during a ``with`` block; it is gone afterwards, however the block ended.

    ``payload`` is the folder to fill. Entering raises ``OSError``, also when ``path`` exists.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.payload = path / _PAYLOAD
        self._lock = -1

    def __enter__(self) -> Self:
        self.path.mkdir(mode=0o700)
        try:
            self._lock = os.open(self.path / MARKER, _OPEN | os.O_CREAT | os.O_EXCL, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.payload.mkdir(mode=0o700)
        except BaseException:
            self._discard()
            raise
        return self

    def publish(self, final: Path) -> None:
        """Give the payload its final name on the same disk, durably. Raises ``OSError``."""
        self.payload.rename(final)
        sync_file(final.parent)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._discard()

    def _discard(self) -> None:
        """Remove what is left; what cannot be removed now is removed by the next ``remove_abandoned``."""
        with suppress(OSError):
            _remove(self.path)
        if self._lock >= 0:
            os.close(self._lock)


def remove_abandoned(path: Path) -> bool:
    """Remove the partial folder of a maker that was killed; return whether ``path`` is free now.

    A folder that is not ours, that holds anything we did not put there, or whose maker lives, stays as it is.
    """
    if not os.path.lexists(path):
        return True
    try:
        names = _own_names(path)
        if names is None:
            return False
        if not names:
            path.rmdir()
            return True
        return _remove_locked(path)
    except OSError:
        return False


def _own_names(path: Path) -> set[str] | None:
    """Return the names inside, or ``None`` when this is not a folder as we make them."""
    told = path.lstat()
    if not stat.S_ISDIR(told.st_mode) or told.st_uid != os.geteuid():
        return None
    names = set(os.listdir(path))  # noqa: PTH208 - names are what is compared
    return names if not names or MARKER in names <= {MARKER, _PAYLOAD} else None


def _remove_locked(path: Path) -> bool:
    descriptor = os.open(path / MARKER, _OPEN)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove(path)
    finally:
        os.close(descriptor)
    return True


def _remove(path: Path) -> None:
    """Remove the marker last, so that a removal that is killed can be taken up again."""
    payload = path / _PAYLOAD
    if os.path.lexists(payload):
        shutil.rmtree(payload)
    with suppress(FileNotFoundError):
        (path / MARKER).unlink()
    path.rmdir()
