"""Whose turn it is to record: one process per workspace, the next one within seconds when it is gone."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Turn:
    """A kernel lock on the recorder's file, which ends with its process however that ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def mine(self) -> bool:
        """Return whether we are the recorder, becoming it if nobody is; never waits, and false when it cannot be."""
        if self._descriptor is not None:
            return True
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def give_up(self) -> None:
        """Let somebody else record; idempotent."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
