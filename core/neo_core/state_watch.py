"""Notices that the state folder was removed or replaced while somebody looks at it."""

from __future__ import annotations

import os
import weakref


class StateWatch:
    """Keeps the folder open that it saw first: as long as that is so, no other folder can get its number."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._held: weakref.finalize[[int], StateWatch] | None = None
        self._number = (0, 0)
        self.lost_at = 0.0

    def look(self, now: float) -> float:
        """Return when the folder was last found removed or replaced, in seconds since the epoch; 0 for never."""
        there = _number(self._folder)
        if self._held is not None and there != self._number:
            self._held()
            self._held = None
            self.lost_at = now
        if self._held is None and there is not None:
            self._hold()
        return self.lost_at

    def _hold(self) -> None:
        try:
            opened = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            return
        status = os.fstat(opened)
        self._number = (status.st_dev, status.st_ino)
        self._held = weakref.finalize(self, os.close, opened)


def _number(folder: str) -> tuple[int, int] | None:
    try:
        status = os.stat(folder)  # noqa: PTH116 - at every look
    except OSError:
        return None
    return status.st_dev, status.st_ino
