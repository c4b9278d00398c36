"""Runs and outcomes: requests, claims, endings, deferrals, history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from neo_core.ledger.database import storable
from neo_core.ledger.models import PATIENCE_LASTS, Finished, LeaseRole, Outcome, Run, Trigger
from neo_core.ledger.records import QUOTED_COLUMNS, RUN_COLUMNS, SELECT_RUN, begun_at, last_starts, record_of
from neo_core.ledger.schema import TASKS_WITH_ROWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neo_core.ledger.database import Database
    from neo_core.ledger.records import TaskRecord
    from neo_core.processes.source import ProcessIdentity


class RunTable:
    """The ``runs`` table; every method may raise ``LedgerError``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, run: Run) -> None:
        """Record a request or a finished attempt; durable when this returns."""
        values = _values(run)
        marks = ", ".join("?" for _ in values)
        self._database.execute(f"INSERT INTO runs ({QUOTED_COLUMNS}) VALUES ({marks})", tuple(values.values()))  # noqa: S608

    def claim(self, run_id: str, runner: ProcessIdentity, namespace: str = "") -> bool:
        """Make ``runner`` the one runner of a requested run; false when it is taken or ended, or its task runs."""
        with self._database.transaction():
            busy = self._database.query(
                "SELECT 1 FROM runs WHERE outcome IS NULL AND runner_pid IS NOT NULL"
                " AND task = (SELECT task FROM runs WHERE run_id = ?) AND run_id <> ?",
                (run_id, run_id),
            )
            if busy:
                return False
            changed = self._database.execute(
                "UPDATE runs SET runner_pid = ?, runner_start = ?, boot_id = ?, pid_namespace = ?"
                " WHERE run_id = ? AND outcome IS NULL AND runner_pid IS NULL",
                (runner.pid, runner.start_time, runner.boot_id, namespace, run_id),
            )
        return changed == 1

    def borrow(self, run_id: str) -> bool:
        """Make the run the one that works under an inherited lease; false while another does that is no ancestor."""
        with self._database.transaction():
            live = {run.run_id: run for run in self.live()}
            ancestors = ancestors_of(run_id, live)
            if any(run.lease_role is LeaseRole.BORROWER and run.run_id not in ancestors for run in live.values()):
                return False
            self._database.execute("UPDATE runs SET lease_role = 'borrower' WHERE run_id = ?", (run_id,))
        return True

    def started(
        self,
        run_id: str,
        *,
        at: float,
        child: ProcessIdentity | None,
        role: LeaseRole,
        generation: int,
        command: str = "",
    ) -> None:
        """Record that the command runs."""
        self._database.execute(
            "UPDATE runs SET started_at = ?, child_pid = ?, child_start = ?, lease_role = ?, generation = ?,"
            " command = CASE WHEN ? = '' THEN command ELSE ? END WHERE run_id = ?",
            (
                *(at, child.pid if child else None, child.start_time if child else None, role, generation),
                *(command, command, run_id),
            ),
        )

    def warn(self, run_id: str, warning: str) -> None:
        """Note what is odd about a run that goes on."""
        self._database.execute("UPDATE runs SET warning = ? WHERE run_id = ?", (warning, run_id))

    def add_to_reason(self, run_id: str, told: str) -> None:
        """Add to the reason of a run that has ended what was done about it afterwards."""
        self._database.execute(
            "UPDATE runs SET reason = reason || '; ' || ? WHERE run_id = ? AND outcome IS NOT NULL", (told, run_id)
        )

    def finish(
        self, run_id: str, ending: Finished, *, unclaimed_only: bool = False, by: ProcessIdentity | None = None
    ) -> bool:
        """Commit how a live run ended; false when it had ended before, which stays as it was.

        With ``unclaimed_only`` a run that a runner has claimed stays as it is too. What the run's own runner says
        (``by``) also replaces ``lost``, which was only an inference.
        """
        pid, start = (by.pid, by.start_time) if by else (None, None)
        changed = self._database.execute(
            "UPDATE runs SET ended_at = ?, last_at = ?, outcome = ?, reason_code = ?, reason = ?, exit_code = ?,"
            " peak_memory = ?, blocker = ?, blocker_pid = ? WHERE run_id = ? AND (runner_pid IS NULL OR NOT ?)"
            " AND (outcome IS NULL OR (outcome = 'lost' AND runner_pid = ? AND runner_start = ?))",
            (
                *(ending.at, ending.at, ending.outcome, ending.reason_code, ending.reason, ending.exit_code),
                *(ending.peak_memory, ending.blocker, ending.blocker_pid, run_id, unclaimed_only, pid, start),
            ),
        )
        return changed == 1

    def record_prevented(self, run: Run) -> Run:
        """Record a start that a gate prevented; a repetition adds to the count of the row that is there instead.

        A scheduled start repeats any of its task since the task last started that the same blocker prevented for the
        same reason, an operator's only the task's latest row, and a patient one only what was patient until just now.
        """
        with self._database.transaction():
            same = self._same_scheduled(run) if run.trigger is Trigger.SCHEDULED else self._same_latest(run)
            if same is None:
                self.insert(run)
                return run
            self._database.execute(
                "UPDATE runs SET count = count + 1, last_at = ?, ended_at = ?, reason = ?, decision = ?,"
                " blocker_pid = ? WHERE run_id = ?",
                (run.last_at, run.last_at, run.reason, run.decision, run.blocker_pid, same.run_id),
            )
        return msgspec.structs.replace(same, count=same.count + 1, last_at=run.last_at, reason=run.reason)

    def still_tried(self, run_id: str, at: float) -> None:
        """Note that a start which was held back is still tried. A power loss ends that too, so this is not durable."""
        with self._database.transaction(durable=False):
            self._database.execute(
                "UPDATE runs SET last_at = ?, ended_at = ? WHERE run_id = ? AND started_at IS NULL"
                " AND outcome IN ('deferred', 'skipped') AND last_at < ?",
                (at, at, run_id, at),
            )

    def _same_latest(self, run: Run) -> Run | None:
        latest = self.latest(run.task)
        return latest if latest is not None and _repeats(run, latest) else None

    def _same_scheduled(self, run: Run) -> Run | None:
        since = begun_at(*last_starts(self._database, run.task))
        found = self._database.select(
            Run,
            f"{SELECT_RUN} WHERE task = ? AND started_at IS NULL AND outcome IS NOT NULL AND last_at > ?"
            ' AND outcome = ? AND reason_code = ? AND blocker = ? AND "trigger" = ? ORDER BY last_at DESC LIMIT 1',
            (
                *(run.task, since),
                *(str(run.outcome), run.reason_code, run.blocker, str(run.trigger)),
            ),
        )
        return found[0] if found else None

    def live(self) -> list[Run]:
        """Return the runs without an outcome, oldest first."""
        return self._database.select(Run, f"{SELECT_RUN} WHERE outcome IS NULL ORDER BY requested_at")

    def latest(self, task: str) -> Run | None:
        """Return the task's latest row of any kind."""
        query = f"{SELECT_RUN} WHERE task = ? ORDER BY last_at DESC, rowid DESC LIMIT 1"
        runs = self._database.select(Run, query, (task,))
        return runs[0] if runs else None

    def find(self, prefix: str, limit: int = 2) -> list[Run]:
        """Return up to ``limit`` runs whose id begins with ``prefix``."""
        return self._database.select(
            Run,
            f"{SELECT_RUN} WHERE run_id >= ? AND run_id < ? ORDER BY run_id LIMIT ?",
            (prefix, prefix + "\U0010ffff", limit),
        )

    def history(
        self, *, task: str = "", outcome: Outcome | None = None, since: float | None = None, limit: int = 500
    ) -> list[Run]:
        """Return the newest rows first: at most ``limit``, of one ``task``, ``outcome``, not before ``since``."""
        wanted: list[tuple[str, Any]] = []
        if task:
            wanted.append(("task = ?", task))
        if outcome is not None:
            wanted.append(("outcome = ?", str(outcome)))
        if since is not None:
            wanted.append(("last_at >= ?", since))
        where = f" WHERE {' AND '.join(clause for clause, _ in wanted)}" if wanted else ""
        return self._database.select(
            Run,
            f"{SELECT_RUN}{where} ORDER BY last_at DESC, rowid DESC LIMIT ?",
            (*(value for _, value in wanted), limit),
        )

    def before(self, run_id: str, last_at: float, limit: int) -> list[Run]:
        """Return the rows that follow that one in the history, newest first.

        ``last_at`` is what its row said when it was read: when it has changed since, nothing is passed over. When it is
        gone, the rows of its moment come again.
        """
        later = "coalesce((SELECT rowid FROM runs WHERE run_id = ?), 9223372036854775807)"
        query = (
            f"{SELECT_RUN} WHERE last_at <= ? AND (last_at < ? OR rowid < {later}) ORDER BY last_at DESC, rowid DESC"
        )
        return self._database.select(Run, f"{query} LIMIT ?", (last_at, last_at, run_id, limit))

    def marks(self, limit: int) -> list[dict[str, Any]]:
        """Return, newest first, what of each row tells whether it changed since it ended; far less than the row."""
        return self._database.query(
            "SELECT run_id, last_at, ended_at, count, outcome, warning FROM runs"
            " ORDER BY last_at DESC, rowid DESC LIMIT ?",
            (limit,),
        )

    def marks_in_sum(self, limit: int) -> dict[str, Any]:
        """Return the marks of the newest rows as one row, and how many of them are live; empty without a ledger."""
        found = self._database.query(
            "SELECT count(*) AS rows, count(*) - count(outcome) AS live, total(rowid) AS places,"
            " total(last_at) AS last, total(ended_at) AS ended, total(count) AS counts,"
            " total(length(warning)) AS warnings FROM"
            " (SELECT rowid, last_at, ended_at, count, outcome, warning FROM runs ORDER BY last_at DESC LIMIT ?)",
            (limit,),
        )
        return found[0] if found else {}

    def of_ids(self, run_ids: Sequence[str]) -> list[Run]:
        """Return those of the rows that exist, in no order."""
        asked = msgspec.json.encode(run_ids).decode()
        where = "run_id IN (SELECT value FROM json_each(?))"
        return self._database.select(Run, f"{SELECT_RUN} WHERE {where}", (asked,))

    def recorded(self) -> set[str]:
        """Return the tasks that have a row: every other one has an empty record."""
        rows = self._database.query(f"{TASKS_WITH_ROWS} SELECT task FROM recorded WHERE task IS NOT NULL")  # noqa: S608
        return {row["task"] for row in rows}

    def record_of(self, task: str) -> TaskRecord:
        """Return what the schedule needs to know of one task."""
        return record_of(self._database, task)


def ancestors_of(run_id: str, live: dict[str, Run]) -> set[str]:
    """Return ``run_id`` and every live run that led to it, by the parents that the rows name."""
    found: set[str] = set()
    while run_id in live and run_id not in found:
        found.add(run_id)
        run_id = live[run_id].parent_run_id
    return found


def _values(run: Run) -> dict[str, Any]:
    return {name: storable(getattr(run, name)) for name in RUN_COLUMNS}


def _repeats(run: Run, latest: Run) -> bool:
    """Return whether ``run`` was prevented by the same thing in the same way as the task's latest row."""
    if latest.started_at is not None or latest.outcome not in (Outcome.DEFERRED, Outcome.SKIPPED):
        return False
    if run.patient != latest.patient or (run.patient and run.requested_at - latest.last_at > PATIENCE_LASTS):
        return False
    return (run.outcome, run.reason_code, run.blocker, run.blocker_pid, run.trigger) == (
        *(latest.outcome, latest.reason_code, latest.blocker, latest.blocker_pid, latest.trigger),
    )
