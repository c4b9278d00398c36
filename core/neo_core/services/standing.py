"""What a keeper knows of one service at one moment, and the closed words for what follows."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import msgspec

from neo_core.ledger.models import ServiceRecord, ServiceState

ALIVE = frozenset({ServiceState.STARTING, ServiceState.RUNNING, ServiceState.UNHEALTHY, ServiceState.STOPPING})


class Moment(NamedTuple):
    """One moment by both clocks, in seconds."""

    wall: float
    monotonic: float


class After(StrEnum):
    """What follows once the last process of a service has gone; *leave* is the end of the orchestrator itself."""

    START = "start"
    FAULT = "fault"
    STOP = "stop"
    LEAVE = "leave"
    FORGET = "forget"


class Action(StrEnum):
    """What the keeper has to do now."""

    NONE = "none"
    START = "start"
    STOP = "stop"


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A service's record and what only its keeper needs to know; times are monotonic seconds.

    ``entered`` is when the state began. ``until`` ends it: a *backoff*, the grace of a start, the grace of a stop.
    ``bad_probes`` failed in a row, the last with ``bad_answer``. ``after`` and ``because`` belong to *stopping*.
    ``refusals`` counts the looks since which nothing could be started, though nothing of the service failed.
    """

    record: ServiceRecord
    entered: float
    until: float | None = None
    bad_probes: int = 0
    bad_answer: str = ""
    after: After = After.STOP
    because: str = ""
    refusals: int = 0

    @property
    def state(self) -> ServiceState:
        """The state of the record."""
        return self.record.state
