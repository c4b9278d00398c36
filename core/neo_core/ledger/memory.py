"""Memory in the ledger: a ring of samples, the state of the watch, and incidents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from neo_core.errors import LedgerError
from neo_core.ledger.models import Control, Run
from neo_core.ledger.schema import TASKS_WITH_ROWS
from neo_core.memory.attribution import Baseline, Growth, TreeCost, baseline_of
from neo_core.memory.incidents import Judgement, Phase, Watch
from neo_core.memory.reading import Reading

if TYPE_CHECKING:
    from neo_core.ledger.database import Database

_READING = msgspec.msgpack.Decoder(Reading)
_TREES = msgspec.msgpack.Decoder(tuple[TreeCost, ...])


# Of the trees that are not ours a sample holds the dearest, so many in all: a day of samples must stay small.
TREES_KEPT = 16


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """The machine's memory at one moment, and what each tree cost then; in calm times up to half a minute before."""

    reading: Reading
    trees: tuple[TreeCost, ...]

    @property
    def baseline(self) -> Baseline:
        """What growth is counted from that began at this sample, as it was kept."""
        return baseline_of(self.trees, complete=len(self.trees) < TREES_KEPT)


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """An interval of memory pressure and what coincided with it. Times are seconds since the epoch.

    ``worst`` is the worst moment's judgement; ``least_available`` (bytes), ``most_some`` and ``most_full`` (percent)
    are the extremes. ``trees`` grew since ``since``, the most first. ``lease_owner``, ``runs`` and ``borrowed`` (run
    ids) and ``collisions`` (sentences) were there at some time during it.
    """

    began_at: float
    worst: Judgement
    since: float
    incident_id: int = 0
    ended_at: float | None = None
    least_available: int | None = None
    most_some: float | None = None
    most_full: float | None = None
    trees: tuple[Growth, ...] = ()
    lease_owners: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    borrowed: tuple[str, ...] = ()
    collisions: tuple[str, ...] = ()

    @property
    def phase(self) -> Phase:
        """How bad it was at its worst."""
        return self.worst.phase


class MemoryTable:
    """The ``samples``, ``memory_watch`` and ``incidents`` tables; every method may raise ``LedgerError``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, sample: Sample, watch: Watch, *, slot: int) -> None:
        """Write a sample over whatever was in its slot of the ring, and the state it led to, in one commit."""
        at = sample.reading.at
        with self._database.transaction():
            self._database.execute(
                "INSERT OR REPLACE INTO samples (slot, at, reading, trees) VALUES (?, ?, ?, ?)",
                (slot, at, msgspec.msgpack.encode(sample.reading), msgspec.msgpack.encode(sample.trees)),
            )
            self._database.execute(
                "INSERT OR REPLACE INTO memory_watch (only, at, watch) VALUES (1, ?, ?)",
                (at, msgspec.json.encode(watch).decode()),
            )

    def watch(self) -> Watch | None:
        """Return the state as it was written last; ``None`` before the first sample."""
        rows = self._database.query("SELECT watch FROM memory_watch")
        return self._decoded(msgspec.json.Decoder(Watch), rows[0]["watch"]) if rows else None

    def samples(self, begin: float, end: float, *, step: float = 0.0) -> list[Sample]:
        """Return the samples of an interval, oldest first; with ``step``, only the last of so many seconds each."""
        if step > 0:
            rows = self._database.query(
                "SELECT reading, trees, max(at) FROM samples WHERE at >= ? AND at <= ?"
                " GROUP BY CAST(at / ? AS INTEGER) ORDER BY at",
                (begin, end, step),
            )
        else:
            rows = self._database.query(
                "SELECT reading, trees FROM samples WHERE at >= ? AND at <= ? ORDER BY at", (begin, end)
            )
        return [self._sample(row) for row in rows]

    def first_sample(self, begin: float, end: float) -> Sample | None:
        """Return the oldest sample of an interval."""
        rows = self._database.query(
            "SELECT reading, trees FROM samples WHERE at >= ? AND at < ? ORDER BY at LIMIT 1", (begin, end)
        )
        return self._sample(rows[0]) if rows else None

    def times_around(self, begin: float, end: float) -> tuple[float | None, float | None]:
        """Return the times of the last sample before an interval and of the first one after it."""
        rows = self._database.query(
            "SELECT (SELECT max(at) FROM samples WHERE at < ?) AS before,"
            " (SELECT min(at) FROM samples WHERE at > ?) AS after",
            (begin, end),
        )
        return (rows[0]["before"], rows[0]["after"]) if rows else (None, None)

    def span(self) -> tuple[float | None, float | None]:
        """Return the times of the oldest and of the newest sample that are kept."""
        rows = self._database.query(
            "SELECT (SELECT min(at) FROM samples) AS oldest, (SELECT max(at) FROM samples) AS newest"
        )
        return (rows[0]["oldest"], rows[0]["newest"]) if rows else (None, None)

    def open_incident(self, incident: Incident) -> int:
        """Record the beginning of an incident and return its number."""
        with self._database.transaction():
            self._database.execute(
                "INSERT INTO incidents (began_at, ended_at, record) VALUES (?, ?, ?)",
                (incident.began_at, incident.ended_at, _encoded(incident)),
            )
            return int(self._database.query("SELECT last_insert_rowid() AS number")[0]["number"])

    def update_incident(self, incident: Incident) -> None:
        """Record what is known of an incident by now."""
        self._database.execute(
            "UPDATE incidents SET ended_at = ?, record = ? WHERE incident_id = ?",
            (incident.ended_at, _encoded(incident), incident.incident_id),
        )

    def unfinished(self) -> Incident | None:
        """Return the incident that has not ended."""
        found = self._incidents("WHERE ended_at IS NULL ORDER BY incident_id DESC LIMIT 1", ())
        return found[0] if found else None

    def incident(self, number: int) -> Incident | None:
        """Return one incident by its number."""
        found = self._incidents("WHERE incident_id = ?", (number,))
        return found[0] if found else None

    def incidents(self, limit: int = 100) -> list[Incident]:
        """Return the newest incidents first."""
        return self._incidents("ORDER BY began_at DESC LIMIT ?", (limit,))

    def incidents_during(self, begin: float, end: float) -> list[Incident]:
        """Return the incidents that went on at some time in an interval, oldest first."""
        return self._incidents(
            "WHERE began_at <= ? AND coalesce(ended_at, ?) >= ? ORDER BY began_at", (end, end, begin)
        )

    def peaks(self, task: str, limit: int = 100) -> list[int]:
        """Return the peak memory in bytes of the task's latest completed runs."""
        rows = self._database.query(
            "SELECT peak_memory FROM runs WHERE task = ? AND outcome = 'completed' AND peak_memory IS NOT NULL"
            " ORDER BY ended_at DESC LIMIT ?",
            (task, limit),
        )
        return [int(row["peak_memory"]) for row in rows]

    def runs_during(self, begin: float, end: float) -> list[Run]:
        """Return the runs that worked at some time in an interval, in the order of their starts."""
        return self._database.select(
            Run,
            "SELECT * FROM runs WHERE started_at <= ? AND coalesce(ended_at, ?) >= ? ORDER BY started_at",
            (end, end, begin),
        )

    def deferred_during(self, begin: float, end: float, reason_codes: tuple[str, ...]) -> list[Run]:
        """Return the starts that were prevented in an interval for one of these reasons."""
        found = self._database.select(
            Run,
            "SELECT * FROM runs WHERE started_at IS NULL AND last_at >= ? AND requested_at <= ? ORDER BY requested_at",
            (begin, end),
        )
        return [run for run in found if run.reason_code in reason_codes]

    def rows_during(self, begin: float, end: float) -> list[Run]:
        """Return every row that tells of an interval, and of each task the last that was there before it."""
        before = self._database.select(
            Run,
            f"{TASKS_WITH_ROWS} SELECT runs.* FROM recorded JOIN runs ON runs.run_id = (SELECT run_id FROM runs AS one"  # noqa: S608
            " WHERE one.task = recorded.task AND one.last_at < ? ORDER BY one.last_at DESC LIMIT 1)",
            (begin,),
        )
        within = self._database.select(
            Run, "SELECT * FROM runs WHERE last_at >= ? AND requested_at <= ? ORDER BY requested_at", (begin, end)
        )
        return [*before, *within]

    def acts_during(self, begin: float, end: float) -> list[Control]:
        """Return what operators commanded in an interval, in the order of their commands."""
        return self._database.select(
            Control,
            "SELECT * FROM controls WHERE created_at >= ? AND created_at <= ? ORDER BY control_id",
            (begin, end),
        )

    def _incidents(self, clause: str, values: tuple[Any, ...]) -> list[Incident]:
        rows = self._database.query(f"SELECT incident_id, record FROM incidents {clause}", values)  # noqa: S608
        decoder = msgspec.json.Decoder(Incident)
        return [
            msgspec.structs.replace(self._decoded(decoder, row["record"]), incident_id=row["incident_id"])
            for row in rows
        ]

    def _sample(self, row: dict[str, Any]) -> Sample:
        return Sample(reading=self._decoded(_READING, row["reading"]), trees=self._decoded(_TREES, row["trees"]))

    def _decoded(self, decoder: Any, raw: bytes | str) -> Any:  # noqa: ANN401 - of whichever type it decodes
        try:
            return decoder.decode(raw)
        except msgspec.DecodeError as error:
            cause = f"is damaged (a row of the memory's record: {error})"
            mend = "Nothing was changed. Move it away to start a new one, or restore it from a backup bundle."
            raise LedgerError(f"ledger {self._database.path}", cause, mend) from error


def _encoded(incident: Incident) -> str:
    return msgspec.json.encode(incident).decode()
