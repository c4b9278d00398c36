"""Who waits for a start: a row per process that goes on trying until it goes, or is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from neo_core.ledger.models import Waiter

if TYPE_CHECKING:
    from neo_core.ledger.database import Database

_COLUMNS = tuple(field.name for field in msgspec.structs.fields(Waiter))


class WaiterTable:
    """The ``waiters`` table; every method may raise ``LedgerError``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, waiter: Waiter) -> None:
        """Write down that somebody waits. A power loss ends the waiting too, so this need not outlive one."""
        marks = ", ".join("?" for _ in _COLUMNS)
        with self._database.transaction(durable=False):
            self._database.execute(
                f"INSERT INTO waiters ({', '.join(_COLUMNS)}) VALUES ({marks})",  # noqa: S608 - our own column names
                msgspec.structs.astuple(waiter),
            )

    def remove(self, waiter_id: str) -> None:
        """Remove the row of one that waits no longer; idempotent."""
        with self._database.transaction(durable=False):
            self._database.execute("DELETE FROM waiters WHERE waiter_id = ?", (waiter_id,))

    def all(self) -> list[Waiter]:
        """Return every row, who has waited longest first; whether one still lives, its process says."""
        return self._database.select(Waiter, "SELECT * FROM waiters ORDER BY since, waiter_id")
