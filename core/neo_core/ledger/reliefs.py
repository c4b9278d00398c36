"""Reliefs in the ledger: what operators did against memory pressure, what it should free, and what was measured after.

A row is written before the act, completed after it, and settled once by whoever measures first.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from neo_core.errors import LedgerError
from neo_core.processes.source import ProcessIdentity

if TYPE_CHECKING:
    from neo_core.ledger.database import Database

Member = tuple[int, int]
_KILLED = "whoever asked for it was killed meanwhile; it is not known whether it happened"


class ReliefKind(StrEnum):
    """What an operator can do against memory pressure, in the order in which it costs him something."""

    DEFER_HEAVY = "defer-heavy"
    STRAY = "end-stray"
    UNLOAD = "unload"
    STOP = "stop"


class ReliefResult(StrEnum):
    """How the act itself went; ``UNKNOWN`` is when nobody can say whether it happened."""

    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Relief(msgspec.Struct, frozen=True, kw_only=True):
    """One act against memory pressure. Times are seconds since the epoch, amounts are bytes, ``None`` is unknown.

    ``target`` is a server's name, a run id, a stray's pid, or empty. ``expected`` is what it should free and ``basis``
    where that number comes from. ``members`` are pid and start time of the processes whose memory is meant; ``tree_*``
    is what these cost, with their living descendants, ``available_*`` what the machine had. ``result`` is ``None``
    until the act is over, and ``sentence`` says how it went. ``settled_at`` is when it was measured, or given up
    (``note`` says why). ``incident_id`` is the incident that was open.
    """

    kind: ReliefKind
    target: str
    asked_at: float
    relief_id: int = 0
    requested_by: str = ""
    because: str = ""
    incident_id: int | None = None
    expected: int | None = None
    basis: str = ""
    members: tuple[Member, ...] = ()
    tree_before: int | None = None
    available_before: int | None = None
    asker_pid: int = 0
    asker_start: int = 0
    boot_id: str = ""
    done_at: float | None = None
    result: ReliefResult | None = None
    sentence: str = ""
    settled_at: float | None = None
    tree_after: int | None = None
    available_after: int | None = None
    note: str = ""

    @property
    def asker(self) -> ProcessIdentity:
        """The process that acts."""
        return ProcessIdentity(self.asker_pid, self.asker_start, self.boot_id)

    @property
    def freed(self) -> int | None:
        """By how much its processes cost less than before (negative: more); ``None`` when that was not measured."""
        if self.tree_before is None or self.tree_after is None:
            return None
        return self.tree_before - self.tree_after

    @property
    def gained(self) -> int | None:
        """By how much more memory was available to the whole machine; ``None`` when that was not measured."""
        if self.available_before is None or self.available_after is None:
            return None
        return self.available_after - self.available_before

    @property
    def measured(self) -> bool:
        """Whether anything was measured after it."""
        return self.tree_after is not None or self.available_after is not None

    def as_of(self, at: float) -> Relief:
        """Return it as it was known at that moment: what was measured later is not known yet."""
        if self.settled_at is None or self.settled_at <= at:
            return self
        return msgspec.structs.replace(self, settled_at=None, tree_after=None, available_after=None, note="")

    def abandoned(self) -> Relief:
        """Return it as one whose asker is gone without a word."""
        return msgspec.structs.replace(self, result=ReliefResult.UNKNOWN, sentence=_KILLED)


_FIELDS = tuple(field.name for field in msgspec.structs.fields(Relief))
_WRITTEN = _FIELDS[: _FIELDS.index("done_at")]
_MEMBERS = msgspec.json.Decoder(tuple[Member, ...])


class ReliefTable:
    """The ``reliefs`` table; every method may raise ``LedgerError``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, relief: Relief) -> Relief:
        """Record what is about to be done, durably, and return it with its number."""
        names = [name for name in _WRITTEN if name != "relief_id"]
        marks = ", ".join("?" for _ in names)
        values = tuple(_stored(name, getattr(relief, name)) for name in names)
        with self._database.transaction():
            self._database.execute(
                f"INSERT INTO reliefs ({', '.join(names)}) VALUES ({marks})",  # noqa: S608 - our own column names
                values,
            )
            number = int(self._database.query("SELECT last_insert_rowid() AS number")[0]["number"])
        return msgspec.structs.replace(relief, relief_id=number)

    def done(self, relief_id: int, *, at: float, result: ReliefResult, sentence: str) -> None:
        """Record how the act went."""
        self._database.execute(
            "UPDATE reliefs SET done_at = ?, result = ?, sentence = ? WHERE relief_id = ? AND done_at IS NULL",
            (at, str(result), sentence, relief_id),
        )

    def add_note(self, kind: ReliefKind, text: str) -> None:
        """Append to the note of the latest act of one kind what became of it."""
        self._database.execute(
            "UPDATE reliefs SET note = CASE note WHEN '' THEN ? ELSE note || ', ' || ? END"
            " WHERE relief_id = (SELECT max(relief_id) FROM reliefs WHERE kind = ?)",
            (text, text, str(kind)),
        )

    def settle(self, relief_id: int, *, at: float, tree: int | None, available: int | None, note: str = "") -> bool:
        """Record what was measured; false when somebody else had settled it, which stays. An act without a word of
        how it went is then one of which nobody knows.
        """
        changed = self._database.execute(
            "UPDATE reliefs SET settled_at = ?, tree_after = ?, available_after = ?, note = ?,"
            " sentence = CASE WHEN result IS NULL THEN ? ELSE sentence END, result = coalesce(result, 'unknown')"
            " WHERE relief_id = ? AND settled_at IS NULL",
            (at, tree, available, note, _KILLED, relief_id),
        )
        return changed == 1

    def open(self) -> list[Relief]:
        """Return what is not settled yet, oldest first."""
        return self._select("WHERE settled_at IS NULL ORDER BY relief_id", ())

    def one(self, relief_id: int) -> Relief | None:
        """Return one by its number."""
        found = self._select("WHERE relief_id = ?", (relief_id,))
        return found[0] if found else None

    def history(self, limit: int = 100) -> list[Relief]:
        """Return the newest first."""
        return self._select("ORDER BY relief_id DESC LIMIT ?", (limit,))

    def during(self, begin: float, end: float) -> list[Relief]:
        """Return what was asked for in an interval, in that order."""
        return self._select("WHERE asked_at >= ? AND asked_at <= ? ORDER BY relief_id", (begin, end))

    def freed_by(self, kind: ReliefKind, target: str, limit: int = 20) -> list[int]:
        """Return what the latest acts of one kind on one target freed, of those that were done and measured."""
        rows = self._database.query(
            "SELECT tree_before - tree_after AS freed FROM reliefs WHERE kind = ? AND target = ? AND result = 'done'"
            " AND tree_before IS NOT NULL AND tree_after IS NOT NULL ORDER BY relief_id DESC LIMIT ?",
            (str(kind), target, limit),
        )
        return [int(row["freed"]) for row in rows]

    def _select(self, clause: str, values: tuple[Any, ...]) -> list[Relief]:
        rows = self._database.query(f"SELECT * FROM reliefs {clause}", values)  # noqa: S608 - our own clauses
        try:
            decoded = [{**row, "members": _MEMBERS.decode(row["members"])} for row in rows]
            return [msgspec.convert(row, Relief, strict=False) for row in decoded]
        except msgspec.DecodeError as error:
            cause = f"is damaged (a row is no Relief: {error})"
            mend = "Nothing was changed. Move it away to start a new one, or restore it from a backup bundle."
            raise LedgerError(f"ledger {self._database.path}", cause, mend) from error


def _stored(name: str, value: object) -> object:
    if name == "members":
        return msgspec.json.encode(value).decode()
    return str(value) if isinstance(value, str) else value
