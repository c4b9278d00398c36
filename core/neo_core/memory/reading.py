"""One look at the machine's memory. What a platform does not tell is ``None`` ("unknown"), never calm.

The structs are written as arrays, because the ledger keeps a day of them: new fields go to the end.
"""

from __future__ import annotations

import sys
from typing import Protocol

import msgspec

_HAS_PROCFS: bool = sys.platform.startswith("linux")


class Stall(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Pressure stall information: the share of time, in percent, that somebody or everybody waited for memory.

    ``total`` is the sum of all waiting so far, in microseconds.
    """

    avg10: float
    avg60: float
    total: int


class Limit(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The control group that bounds us: bytes used, where it throttles, where it kills (``None``: no such bound).

    ``high_events``, ``max_events`` and ``kills`` count how often each was reached so far.
    """

    path: str
    current: int
    high: int | None = None
    max: int | None = None
    high_events: int = 0
    max_events: int = 0
    kills: int = 0


class Reading(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The machine's memory at ``at`` (seconds since the epoch). Amounts are in bytes, the rest are counters since boot.

    ``level`` is macOS's own word: 1 normal, 2 warning, 4 critical.
    """

    at: float
    total: int | None = None
    available: int | None = None
    swap_total: int | None = None
    swap_used: int | None = None
    swap_in: int | None = None
    swap_out: int | None = None
    major_faults: int | None = None
    some: Stall | None = None
    full: Stall | None = None
    level: int | None = None
    limit: Limit | None = None

    @property
    def free_share(self) -> float | None:
        """Available memory in percent, of the control group where that is tighter than the machine."""
        shares = [share for share in (self._machine_share(), self._limit_share()) if share is not None]
        return min(shares) if shares else None

    def _machine_share(self) -> float | None:
        if not self.total or self.available is None:
            return None
        return 100 * self.available / self.total

    def _limit_share(self) -> float | None:
        if self.limit is None or not self.limit.max:
            return None
        return 100 * max(0, self.limit.max - self.limit.current) / self.limit.max


class MemorySource(Protocol):
    """Tells how the machine's memory does."""

    def read(self, at: float) -> Reading:
        """Return one look; never raises for what cannot be read."""
        ...


def system_memory() -> MemorySource:
    """Return the source for this machine."""
    if _HAS_PROCFS:
        from neo_core.memory.linux import LinuxMemory

        return LinuxMemory()
    from neo_core.memory.macos import MacMemory

    return MacMemory()
