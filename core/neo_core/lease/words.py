"""The protocol's closed vocabularies, in upstream's words, and its numbers."""

from __future__ import annotations

from enum import StrEnum

INHERITED_TOKEN = "NEO_HEAVY_MAINTENANCE_LEASE_INHERITED_TOKEN"  # noqa: S105 - the name of a variable
GENERATION = "NEO_HEAVY_MAINTENANCE_LEASE_GENERATION"
STATE_FOLDER = "NEO_CONSOLE_STATE"  # the state folder of the workspace that started a process
TASK_NAME = "NEO_CONSOLE_TASK"  # and the task it was started for

MANUAL_REASON = "manual-cli"  # upstream's reason for a start by hand
DEFAULT_TTL = 21_600.0  # seconds; upstream's staleAfterMs
RENEW_EVERY = 60.0  # seconds
GUARD_TIMEOUT = 10.0  # seconds to wait for the guard before a start counts as held
BUSY_FOR = 2.0  # seconds in which a half-written record may still be completed by its foreign writer
SETTLE_FOR = 0.05  # seconds of watching a record taken in a recovery
SETTLE_WITHIN = 10.0  # seconds after a recovery in which a fresh acquisition settles too
MAX_RECORD_BYTES = 65_536


class RecordStatus(StrEnum):
    """What the record says, by reading alone."""

    MISSING = "missing"
    UNREADABLE = "unreadable"
    MALFORMED = "malformed"
    STALE = "stale"
    ACTIVE = "active"


class HolderState(StrEnum):
    """What is known of the process tree behind the record."""

    ALIVE = "alive"
    ORPHANED = "orphaned"
    DEAD = "dead"
    UNKNOWN = "unknown"


class AcquireStatus(StrEnum):
    """How an attempt to take the lease ended."""

    ACQUIRED = "acquired"
    AFTER_STALE = "acquired-after-stale"
    AFTER_MALFORMED = "acquired-after-malformed"
    HELD = "held"
    INHERITED = "inherited"


class RenewStatus(StrEnum):
    """How a renewal ended."""

    RENEWED = "renewed"
    RETAKEN = "retaken"
    NOT_OWNER = "not-owner"
    MISSING = "missing"


class ReleaseStatus(StrEnum):
    """How a release ended."""

    RELEASED = "released"
    NOT_OWNER = "not-owner"
    MISSING = "missing"
