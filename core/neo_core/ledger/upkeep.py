"""What the orchestrator writes down: services and their changes, its own lives, since when tasks are scheduled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from neo_core.ledger.database import storable
from neo_core.ledger.models import OrchestratorRecord, ServiceEvent, ServiceRecord

if TYPE_CHECKING:
    from neo_core.ledger.database import Database
    from neo_core.processes.source import ProcessIdentity

_COLUMNS = tuple(field.name for field in msgspec.structs.fields(ServiceRecord))


class ServiceTable:
    """The ``services`` and ``service_events`` tables; every method may raise ``LedgerError``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> dict[str, ServiceRecord]:
        """Return what is known of every service, by name."""
        rows = self._database.select(ServiceRecord, "SELECT * FROM services ORDER BY name")
        return {row.name: row for row in rows}

    def save(self, record: ServiceRecord) -> None:
        """Write the row down, and an event when its state or reason is another one than before."""
        names = ", ".join(_COLUMNS)
        marks = ", ".join("?" for _ in _COLUMNS)
        news = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS if name != "name")
        values = tuple(storable(getattr(record, name)) for name in _COLUMNS)
        with self._database.transaction():
            before = self._database.query("SELECT state, reason FROM services WHERE name = ?", (record.name,))
            self._database.execute(
                f"INSERT INTO services ({names}) VALUES ({marks}) ON CONFLICT (name) DO UPDATE SET {news}",  # noqa: S608
                values,
            )
            if not before or (before[0]["state"], before[0]["reason"]) != (str(record.state), record.reason):
                self._database.execute(
                    "INSERT INTO service_events (at, service, state, reason, pid) VALUES (?, ?, ?, ?, ?)",
                    (record.since, record.name, str(record.state), record.reason, record.pid),
                )

    def forget(self, name: str) -> None:
        """Remove the row of a service that is no longer configured and that nothing of runs any more."""
        self._database.execute("DELETE FROM services WHERE name = ?", (name,))

    def events(self, service: str = "", limit: int = 100) -> list[ServiceEvent]:
        """Return the changes of one service, or of all of them, newest first."""
        where, values = ("WHERE service = ?", (service, limit)) if service else ("", (limit,))
        return self._database.select(
            ServiceEvent,
            f"SELECT at, service, state, reason, pid FROM service_events {where} ORDER BY event_id DESC LIMIT ?",  # noqa: S608
            values,
        )


class OrchestratorTable:
    """The ``orchestrators`` table, a row per life; every method may raise ``LedgerError``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def began(self, process: ProcessIdentity, at: float) -> int:
        """Record a new life and return its number; one before it that did not say goodbye was killed."""
        with self._database.transaction():
            self._database.execute(
                "UPDATE orchestrators SET ended_at = ?, ending = 'killed' WHERE ended_at IS NULL", (at,)
            )
            self._database.execute(
                "INSERT INTO orchestrators (pid, start_time, boot_id, started_at, configured_at)"
                " VALUES (?, ?, ?, ?, ?)",
                (process.pid, process.start_time, process.boot_id, at, at),
            )
            return int(self._database.query("SELECT last_insert_rowid() AS number")[0]["number"])

    def configured(self, number: int, at: float, error: str = "") -> None:
        """Record that the configuration was read again, or with ``error`` why the one before was kept."""
        self._database.execute(
            "UPDATE orchestrators SET config_error = ?, configured_at = CASE WHEN ? = '' THEN ? ELSE configured_at END"
            " WHERE orchestrator_id = ?",
            (error, error, at, number),
        )

    def ended(self, number: int, at: float, ending: str) -> None:
        """Record how a life ended."""
        self._database.execute(
            "UPDATE orchestrators SET ended_at = ?, ending = ? WHERE orchestrator_id = ?", (at, ending, number)
        )

    def latest(self) -> OrchestratorRecord | None:
        """Return the latest life."""
        rows = self._database.select(
            OrchestratorRecord, "SELECT * FROM orchestrators ORDER BY orchestrator_id DESC LIMIT 1"
        )
        return rows[0] if rows else None


class TaskMarkTable:
    """The ``task_marks`` table: since when tasks are scheduled at all; every method may raise ``LedgerError``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def first_seen(self) -> dict[str, float]:
        """Return when each task was first scheduled, in seconds since the epoch."""
        return {row["task"]: row["first_seen_at"] for row in self._database.query("SELECT * FROM task_marks")}

    def see(self, tasks: list[str], at: float) -> None:
        """Note tasks that were not there before."""
        with self._database.transaction():
            for task in tasks:
                self._database.execute(
                    "INSERT INTO task_marks (task, first_seen_at) VALUES (?, ?) ON CONFLICT DO NOTHING", (task, at)
                )
