"""Writing a service's row down when it changes, and saying so once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from neo_core.errors import LedgerError
from neo_core.ledger.models import ServiceRecord, ServiceState

if TYPE_CHECKING:
    from neo_core.services.catalogue import Service
    from neo_core.services.launch import World
    from neo_core.services.standing import Moment

_RETRY_AFTER = 1.0
PROBED_EVERY = 60.0  # seconds
_LEVELS = {ServiceState.FATAL: "ERROR", ServiceState.UNHEALTHY: "WARN"}


class Row:
    """The row of one service: written at each change, a good probe alone at most once a minute.

    What could not be written is kept and tried again; ``retry_at`` is when (monotonic), ``None`` for nothing to do.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._written: ServiceRecord | None = None
        self._waiting: ServiceRecord | None = None
        self._complained = False
        self._told = ("", "")
        self.retry_at: float | None = None

    def drop(self) -> None:
        """Give up what waits to be written."""
        self._waiting = self.retry_at = None

    def forget(self) -> None:
        """Forget what was written: it stands somewhere else."""
        self._written = None

    def write(self, service: Service, record: ServiceRecord, *, refused: bool = False) -> bool:
        """Write ``record`` if it says something new; false when that failed. ``refused`` says that a start was."""
        self._tell(service, record, refused=refused)
        if self._written is not None and not _differs(self._written, record):
            self.drop()
            return True
        return self._save(record, self._world.clock.monotonic())

    def retry(self, now: Moment) -> None:
        """Write what could not be written before, if it is time."""
        if self._waiting is not None and self.retry_at is not None and now.monotonic >= self.retry_at:
            self._save(self._waiting, now.monotonic)

    def _save(self, record: ServiceRecord, now: float) -> bool:
        try:
            self._world.ledger.services.save(record)
        except LedgerError as error:
            self._waiting, self.retry_at = record, now + _RETRY_AFTER
            if not self._complained:
                self._complained = True
                self._world.say("ERROR", f"Service {record.name}: its row cannot be written, trying again: {error}")
            return False
        self._written, self._complained = record, False
        self.drop()
        return True

    def _tell(self, service: Service, record: ServiceRecord, *, refused: bool) -> None:
        told = (str(record.state), record.reason)
        if told == self._told or (record.state is ServiceState.STARTING and record.pid is None):
            return
        self._told = told
        pid = f" (pid {record.pid})" if record.pid is not None else ""
        because = f": {record.reason}" if record.reason else ""
        faulty = record.state is ServiceState.BACKOFF and (record.failures or refused)
        level = "WARN" if faulty else _LEVELS.get(record.state, "INFO")
        self._world.say(level, f"Service {service.name}: {record.state}{pid}{because}")


def _differs(written: ServiceRecord, record: ServiceRecord) -> bool:
    if written == record:
        return False
    if msgspec.structs.replace(written, probed_at=record.probed_at) != record:
        return True
    return abs((record.probed_at or 0.0) - (written.probed_at or 0.0)) >= PROBED_EVERY
