"""The hold file: whoever has its kernel lock holds the lease, for us, until the last process with the descriptor ends.

It carries two numbers that must outlive every record: the generation (how often this lease was acquired, for ever)
and when a record was last recovered (milliseconds since the epoch).
"""

from __future__ import annotations

import os

from neo_core.lease.guard import LockedFile, take_flock

_WIDTH = 20
_SIZE = 2 * _WIDTH + 2


class HoldFile(LockedFile):
    """The locked hold file of this process; its numbers are read once, because only who has the lock writes them."""

    __slots__ = ("_known",)

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor)
        self._known: tuple[int, int] | None = None

    @classmethod
    def take(cls, path: str) -> HoldFile | None:
        """Take the lock without waiting; ``None`` when another process has it. Raises ``OSError``."""
        return take_flock(path, cls)

    def next_generation(self) -> int:
        """Count this acquisition."""
        generation, recovered = self._numbers()
        self._write(generation + 1, recovered)
        return generation + 1

    def mark_recovery(self, now: float) -> None:
        """Remember that a record was recovered at ``now`` seconds since the epoch."""
        generation, _ = self._numbers()
        self._write(generation, max(0, int(now * 1000)))

    def recovered_at(self) -> float:
        """Return when a record was last recovered, in seconds since the epoch; 0 for never."""
        return self._numbers()[1] / 1000

    def _numbers(self) -> tuple[int, int]:
        if self._known is None:
            self._known = self._read()
        return self._known

    def _read(self) -> tuple[int, int]:
        """Return both numbers; a damaged file goes on from its own time, which no count has reached."""
        parts = os.pread(self.descriptor, _SIZE, 0).split()
        if not parts:
            return 0, 0
        if len(parts) == 2 and len(parts[0]) == len(parts[1]) == _WIDTH and parts[0].isdigit() and parts[1].isdigit():
            return int(parts[0]), int(parts[1])
        milliseconds = int(os.fstat(self.descriptor).st_mtime * 1000)
        return milliseconds, milliseconds

    def _write(self, generation: int, recovered: int) -> None:
        self._known = None
        os.pwrite(self.descriptor, b"%020d %020d\n" % (generation, recovered), 0)
        self._known = (generation, recovered)
