"""Waiting for the lease, for those who ask for it: short looks at the kernel lock, each at a moment of chance."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from neo_core.lease.held import left_before

if TYPE_CHECKING:
    from neo_core.lease.store import Acquisition, LeaseStore

_SHORTEST = 0.002  # seconds between two looks at the kernel lock: one costs some 15 microseconds
_LONGEST = 0.1
_PATIENCE = 1000  # who has waited long looks less often: never prolonging a wait by more than about a thousandth
_RECORD_SHORTEST = 0.05  # a holder known by its record alone costs a whole inspection to look at
_RECORD_LONGEST = 1.0


def acquire_waiting(store: LeaseStore, owner: str, reason: str, *, wait: float, ttl: float, source: str) -> Acquisition:
    """Acquire, trying again for up to ``wait`` seconds; the last refusal is returned.

    A process that had the lease just now lets one look of the others pass first, or it would take it again and again
    before any of them comes to look.
    """
    clock, metadata = store.clock, {"source": source}
    began = clock.monotonic()
    pause = _RECORD_SHORTEST
    if wait > 2 * _SHORTEST and left_before(store.path, clock.monotonic()) < _SHORTEST:
        clock.sleep(_jittered(_SHORTEST))
    attempt: Acquisition | None = store.acquire(owner, reason, ttl=ttl, metadata=metadata)
    while True:
        waited = clock.monotonic() - began
        if attempt is not None and attempt.hold is not None:
            return attempt
        if waited >= wait:
            return attempt or store.acquire(owner, reason, ttl=ttl, metadata=metadata)
        if attempt is not None and attempt.by_record:
            clock.sleep(min(_jittered(pause), wait - waited))
            pause = min(pause * 1.5, _RECORD_LONGEST / 1.5)
        else:
            clock.sleep(min(_jittered(min(max(_SHORTEST, waited / _PATIENCE), _LONGEST)), wait - waited))
        attempt = store.acquire_if_unlocked(owner, reason, ttl=ttl, metadata=metadata)


def _jittered(seconds: float) -> float:
    """Return between half and one and a half of ``seconds``, without importing ``random``, which costs 3 ms."""
    return seconds * (0.5 + os.urandom(1)[0] / 255)
