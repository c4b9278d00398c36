"""What lies under the lease's name before a round, and who still works."""

from __future__ import annotations

import json
import os
import time

from neo_core.clock import to_iso

NOBODY = 2**22 + 7  # above the largest pid a kernel gives by default
HOUR = 3600.0


def foreign(pid, *, age=60.0, ttl=6 * HOUR, token="11111111-1111-4111-8111-111111111111"):
    """Return a record as a foreign script writes it, taken ``age`` seconds ago."""
    taken = time.time() - age
    fields = {
        "owner": "kbSync",
        "reason": "manual-cli",
        "pid": pid,
        "token": token,
        "acquiredAt": to_iso(taken),
        "staleAfterMs": round(ttl * 1000),
        "expiresAt": to_iso(taken + ttl),
        "metadata": {"command": "npm run ai:sync-kb"},
    }
    return json.dumps(fields, indent=2).encode()


def dead_foreign():
    return foreign(NOBODY)


def overdue_foreign():
    """Return a living script's record whose declared deadline has passed: stale by their contract."""
    return foreign(os.getpid(), age=7 * HOUR)


def living_foreign():
    return foreign(os.getpid())


def put(path, content, *, age=60.0):
    with open(path, "wb") as file:
        file.write(content)
    then = time.time() - age
    os.utime(path, (then, then))


def leave_a_dead_holders_record(arena, path):
    """Let a participant of ours take the lease and be killed."""
    child = os.fork()
    if child == 0:
        try:
            arena.store(path).acquire("victim", "torture")
        finally:
            os.kill(os.getpid(), 9)
    os.waitpid(child, 0)
