"""Whose turn it is to record: one process per workspace, the next one within seconds when it is gone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from neo_core.flocks import take_flock

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
            self._descriptor = take_flock(self._path)
        except OSError:
            return False
        return True

    def give_up(self) -> None:
        """Let somebody else record; idempotent."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
