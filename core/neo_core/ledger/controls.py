"""What operators command: snoozes, pauses and stops, each a row that its addressee acts on and acknowledges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from neo_core.ledger.models import Control, ControlKind, LeaseEvent

if TYPE_CHECKING:
    from neo_core.ledger.database import Database


class ControlTable:
    """The ``controls`` table; every method may raise ``LedgerError``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        kind: ControlKind,
        target: str,
        *,
        at: float,
        until: float | None = None,
        because: str = "",
        force: bool = False,
        requested_by: str = "",
    ) -> Control:
        """Record a command; durable when this returns."""
        with self._database.transaction():
            self._database.execute(
                "INSERT INTO controls (kind, target, created_at, until, because, force, requested_by)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (str(kind), target, at, until, because, int(force), requested_by),
            )
            query = "SELECT * FROM controls WHERE control_id = last_insert_rowid()"
            return self._database.select(Control, query)[0]

    def in_force(self, kind: ControlKind, now: float) -> list[Control]:
        """Return the commands of one kind that nobody ended and no time has, newest last."""
        return self._database.select(
            Control,
            "SELECT * FROM controls WHERE acknowledged_at IS NULL AND kind = ? AND (until IS NULL OR until > ?)"
            " ORDER BY control_id",
            (kind, now),
        )

    def holds(self, now: float) -> list[Control]:
        """Return what holds back more than one task: the pauses in force, and what defers everything heavy."""
        return self.in_force(ControlKind.PAUSE, now) + self.in_force(ControlKind.DEFER_HEAVY, now)

    def replace(
        self, kind: ControlKind, target: str, *, at: float, until: float | None, because: str, requested_by: str
    ) -> Control:
        """End what is in force for ``target`` and put a new command in its place, in one commit."""
        with self._database.transaction():
            self.end(kind, target, at)
            return self.add(kind, target, at=at, until=until, because=because, requested_by=requested_by)

    def pending(self, *kinds: ControlKind) -> list[Control]:
        """Return the commands of these kinds that nobody has acknowledged, oldest first."""
        marks = ", ".join("?" for _ in kinds)
        return self._database.select(
            Control,
            f"SELECT * FROM controls WHERE acknowledged_at IS NULL AND kind IN ({marks}) ORDER BY control_id",  # noqa: S608
            tuple(str(kind) for kind in kinds),
        )

    def pending_stops(self, run_id: str) -> list[Control]:
        """Return the stops of one run that its runner has not acknowledged."""
        return self._database.select(
            Control,
            "SELECT * FROM controls WHERE acknowledged_at IS NULL AND kind = 'stop' AND target = ? ORDER BY control_id",
            (run_id,),
        )

    def history(self, kind: ControlKind, limit: int = 100) -> list[Control]:
        """Return the commands of one kind, newest first."""
        return self._database.select(
            Control, "SELECT * FROM controls WHERE kind = ? ORDER BY control_id DESC LIMIT ?", (str(kind), limit)
        )

    def acknowledge(self, control_id: int, at: float) -> None:
        """Record that the addressee has acted."""
        self._database.execute(
            "UPDATE controls SET acknowledged_at = ? WHERE control_id = ? AND acknowledged_at IS NULL", (at, control_id)
        )

    def conclude(self, control_id: int, at: float, because: str) -> None:
        """Record that a command was carried out at once, and in ``because`` how that went."""
        self._database.execute(
            "UPDATE controls SET acknowledged_at = ?, because = ? WHERE control_id = ?", (at, because, control_id)
        )

    def end(self, kind: ControlKind, target: str, at: float) -> int:
        """End what is in force for ``target``; return how many commands that were."""
        return self._database.execute(
            "UPDATE controls SET acknowledged_at = ? WHERE acknowledged_at IS NULL AND kind = ? AND target = ?"
            " AND (until IS NULL OR until > ?)",
            (at, kind, target, at),
        )


class LeaseEventTable:
    """The ``lease_events`` table: the lease's history as far as runs of ours were concerned."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, event: LeaseEvent) -> None:
        """Append one event."""
        self._database.execute(
            "INSERT INTO lease_events (at, event, owner, token_prefix, generation, run_id, pid, detail)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            msgspec.structs.astuple(event),
        )

    def history(self, limit: int = 500) -> list[LeaseEvent]:
        """Return the newest events first."""
        return self._database.select(
            LeaseEvent,
            "SELECT at, event, owner, token_prefix, generation, run_id, pid, detail FROM lease_events"
            " ORDER BY event_id DESC LIMIT ?",
            (limit,),
        )
