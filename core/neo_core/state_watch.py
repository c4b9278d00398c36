"""Notices that the state folder, or the ledger in it, was removed or replaced while somebody looks at it."""

from __future__ import annotations

import os
import weakref

# An open file's number is given to no other. O_PATH, because closing any other descriptor of the ledger would let go
# of the locks that this process has on it; where there is none, the number alone must do.
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE: int | None = os.O_PATH | os.O_CLOEXEC if hasattr(os, "O_PATH") else None


class StateWatch:
    """Remembers which folder and which ledger it saw first, and takes the next ones when these are gone."""

    def __init__(self, folder: str, ledger: str) -> None:
        self._pins = (_Pin(folder, _FOLDER), _Pin(ledger, _FILE))
        self.lost_at = 0.0

    def look(self, now: float) -> float:
        """Return when either was last found removed or replaced, in seconds since the epoch; 0 for never."""
        if any([pin.lost() for pin in self._pins]):  # noqa: C419 - each must look
            self.lost_at = now
        return self.lost_at


class _Pin:
    """What is at a path, kept open by ``flags`` (``None``: not at all)."""

    def __init__(self, path: str, flags: int | None) -> None:
        self._path, self._flags = path, flags
        self._number: tuple[int, int] | None = None
        self._held: weakref.finalize[[int], _Pin] | None = None

    def lost(self) -> bool:
        """Return whether what was seen there before is there no more; what is there now counts from now on."""
        there = _number(self._path)
        lost = self._number is not None and there != self._number
        if lost:
            self._number = None
            if self._held is not None:
                self._held()
                self._held = None
        if self._number is None and there is not None:
            self._number = self._hold(there)
        return lost

    def _hold(self, there: tuple[int, int]) -> tuple[int, int] | None:
        if self._flags is None:
            return there
        try:
            opened = os.open(self._path, self._flags)
        except OSError:
            return None
        status = os.fstat(opened)
        self._held = weakref.finalize(self, os.close, opened)
        return status.st_dev, status.st_ino


def _number(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - at every look
    except OSError:
        return None
    return status.st_dev, status.st_ino
