"""Waiting for the lease, for those who ask for it: trying again with growing pauses."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from neo_core.lease.store import Acquisition, LeaseStore


def acquire_waiting(store: LeaseStore, owner: str, reason: str, *, wait: float, ttl: float, source: str) -> Acquisition:
    """Acquire, trying again for up to ``wait`` seconds; the last refusal is returned."""
    deadline = store.clock.monotonic() + wait
    pause = 0.05
    while True:
        attempt = store.acquire(owner, reason, ttl=ttl, metadata={"source": source})
        left = deadline - store.clock.monotonic()
        if attempt.hold is not None or left <= 0:
            return attempt
        store.clock.sleep(min(pause, left))
        pause = min(pause * 1.5, 1.0)
