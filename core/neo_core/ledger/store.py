"""The ledger as one object: open it, use its tables, close it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_core.ledger.controls import ControlTable, LeaseEventTable
from neo_core.ledger.database import Database
from neo_core.ledger.memory import MemoryTable
from neo_core.ledger.reliefs import ReliefTable
from neo_core.ledger.runs import RunTable
from neo_core.ledger.upkeep import OrchestratorTable, ServiceTable, TaskMarkTable
from neo_core.ledger.waiters import WaiterTable

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType
    from typing import Self


class Ledger:
    """The workspace's record, for one thread; a context manager.

    ``writable`` creates and migrates it; without it a missing ledger reads as empty. ``busy`` is how many seconds to
    wait for who has it for himself: five to write; one to read, where no writer is in the way and a look at everything
    opens it several times. Raises ``LedgerError``.
    """

    def __init__(self, path: Path, *, writable: bool = True, busy: float | None = None) -> None:
        self._path, self._writable = path, writable
        self._busy = busy if busy is not None else 5.0 if writable else 1.0
        self._use(Database(path, writable=writable, busy=self._busy))

    def is_lost(self) -> bool:
        """Return whether the file that was opened is no longer the one at its path: removed, moved away or replaced."""
        return self._file is not None and _file_at(self._path) != self._file

    def open_again(self) -> None:
        """Go on with the file that is at its path now, a new one if need be. Raises ``LedgerError``."""
        database = Database(self._path, writable=self._writable, busy=self._busy)
        self.close()
        self._use(database)

    def _use(self, database: Database) -> None:
        self.database = database
        self._file = _file_at(self._path)
        self.runs = RunTable(self.database)
        self.controls = ControlTable(self.database)
        self.lease_events = LeaseEventTable(self.database)
        self.services = ServiceTable(self.database)
        self.orchestrators = OrchestratorTable(self.database)
        self.task_marks = TaskMarkTable(self.database)
        self.memory = MemoryTable(self.database)
        self.reliefs = ReliefTable(self.database)
        self.waiters = WaiterTable(self.database)

    def close(self) -> None:
        """Close it; idempotent."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _file_at(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
