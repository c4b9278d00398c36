"""The ledger's tables, one migration per version; a migration that has landed is never edited."""

from __future__ import annotations

APPLICATION_ID = 0x6E656F63  # "neoc"

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE runs (
        run_id        TEXT PRIMARY KEY,
        task          TEXT NOT NULL,
        heavy         INTEGER NOT NULL,
        "trigger"     TEXT NOT NULL,
        requested_at  REAL NOT NULL,
        last_at       REAL NOT NULL,
        parent_run_id TEXT NOT NULL DEFAULT '',
        requested_by  TEXT NOT NULL DEFAULT '',
        started_at    REAL,
        ended_at      REAL,
        outcome       TEXT,
        reason_code   TEXT NOT NULL DEFAULT '',
        reason        TEXT NOT NULL DEFAULT '',
        blocker       TEXT NOT NULL DEFAULT '',
        blocker_pid   INTEGER,
        count         INTEGER NOT NULL DEFAULT 1,
        exit_code     INTEGER,
        runner_pid    INTEGER,
        runner_start  INTEGER,
        boot_id       TEXT NOT NULL DEFAULT '',
        pid_namespace TEXT NOT NULL DEFAULT '',
        child_pid     INTEGER,
        child_start   INTEGER,
        lease_role    TEXT NOT NULL DEFAULT 'none',
        generation    INTEGER NOT NULL DEFAULT 0,
        peak_memory   INTEGER,
        warning       TEXT NOT NULL DEFAULT '',
        command       TEXT NOT NULL DEFAULT '',
        decision      TEXT NOT NULL DEFAULT ''
    ) STRICT;
    CREATE INDEX runs_by_time ON runs (last_at DESC);
    CREATE INDEX runs_by_task ON runs (task, last_at DESC);
    CREATE INDEX runs_started ON runs (task, started_at DESC) WHERE started_at IS NOT NULL;
    CREATE INDEX runs_completed ON runs (task, ended_at DESC) WHERE outcome = 'completed';
    CREATE INDEX runs_live ON runs (task) WHERE outcome IS NULL;
    CREATE TABLE controls (
        control_id      INTEGER PRIMARY KEY AUTOINCREMENT,
        kind            TEXT NOT NULL,
        target          TEXT NOT NULL,
        created_at      REAL NOT NULL,
        until           REAL,
        because         TEXT NOT NULL DEFAULT '',
        force           INTEGER NOT NULL DEFAULT 0,
        requested_by    TEXT NOT NULL DEFAULT '',
        acknowledged_at REAL
    ) STRICT;
    CREATE INDEX controls_open ON controls (kind, target) WHERE acknowledged_at IS NULL;
    CREATE TABLE lease_events (
        event_id     INTEGER PRIMARY KEY AUTOINCREMENT,
        at           REAL NOT NULL,
        event        TEXT NOT NULL,
        owner        TEXT NOT NULL,
        token_prefix TEXT NOT NULL,
        generation   INTEGER NOT NULL,
        run_id       TEXT NOT NULL,
        pid          INTEGER NOT NULL,
        detail       TEXT NOT NULL DEFAULT ''
    ) STRICT;
    CREATE INDEX lease_events_by_time ON lease_events (at DESC);
    """,
    """
    CREATE TABLE services (
        name          TEXT PRIMARY KEY,
        wanted        INTEGER NOT NULL DEFAULT 1,
        state         TEXT NOT NULL,
        since         REAL NOT NULL,
        reason        TEXT NOT NULL DEFAULT '',
        instance      TEXT NOT NULL DEFAULT '',
        pid           INTEGER,
        start_time    INTEGER,
        boot_id       TEXT NOT NULL DEFAULT '',
        started_at    REAL,
        restarts      INTEGER NOT NULL DEFAULT 0,
        failures      INTEGER NOT NULL DEFAULT 0,
        next_start_at REAL,
        last_exit     TEXT NOT NULL DEFAULT '',
        probed_at     REAL,
        adopted       INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE service_events (
        event_id INTEGER PRIMARY KEY AUTOINCREMENT,
        at       REAL NOT NULL,
        service  TEXT NOT NULL,
        state    TEXT NOT NULL,
        reason   TEXT NOT NULL DEFAULT '',
        pid      INTEGER
    ) STRICT;
    CREATE INDEX service_events_by_service ON service_events (service, event_id DESC);
    CREATE TABLE orchestrators (
        orchestrator_id INTEGER PRIMARY KEY AUTOINCREMENT,
        pid             INTEGER NOT NULL,
        start_time      INTEGER NOT NULL,
        boot_id         TEXT NOT NULL,
        started_at      REAL NOT NULL,
        ended_at        REAL,
        ending          TEXT NOT NULL DEFAULT '',
        configured_at   REAL NOT NULL,
        config_error    TEXT NOT NULL DEFAULT ''
    ) STRICT;
    CREATE TABLE task_marks (
        task          TEXT PRIMARY KEY,
        first_seen_at REAL NOT NULL
    ) STRICT;
    CREATE INDEX runs_prevented ON runs (task, last_at DESC) WHERE started_at IS NULL AND outcome IS NOT NULL;
    """,
    """
    CREATE TABLE samples (
        slot    INTEGER PRIMARY KEY,
        at      REAL NOT NULL,
        reading BLOB NOT NULL,
        trees   BLOB NOT NULL
    ) STRICT;
    CREATE INDEX samples_by_time ON samples (at);
    CREATE TABLE memory_watch (
        only  INTEGER PRIMARY KEY CHECK (only = 1),
        at    REAL NOT NULL,
        watch TEXT NOT NULL
    ) STRICT;
    CREATE TABLE incidents (
        incident_id INTEGER PRIMARY KEY AUTOINCREMENT,
        began_at    REAL NOT NULL,
        ended_at    REAL,
        record      TEXT NOT NULL
    ) STRICT;
    CREATE INDEX incidents_by_time ON incidents (began_at DESC);
    """,
    """
    CREATE TABLE reliefs (
        relief_id        INTEGER PRIMARY KEY AUTOINCREMENT,
        kind             TEXT NOT NULL,
        target           TEXT NOT NULL,
        asked_at         REAL NOT NULL,
        requested_by     TEXT NOT NULL DEFAULT '',
        because          TEXT NOT NULL DEFAULT '',
        incident_id      INTEGER,
        expected         INTEGER,
        basis            TEXT NOT NULL DEFAULT '',
        members          TEXT NOT NULL DEFAULT '[]',
        tree_before      INTEGER,
        available_before INTEGER,
        asker_pid        INTEGER NOT NULL,
        asker_start      INTEGER NOT NULL,
        boot_id          TEXT NOT NULL DEFAULT '',
        done_at          REAL,
        result           TEXT,
        sentence         TEXT NOT NULL DEFAULT '',
        settled_at       REAL,
        tree_after       INTEGER,
        available_after  INTEGER,
        note             TEXT NOT NULL DEFAULT ''
    ) STRICT;
    CREATE INDEX reliefs_open ON reliefs (relief_id) WHERE settled_at IS NULL;
    CREATE INDEX reliefs_by_time ON reliefs (asked_at);
    CREATE INDEX reliefs_by_target ON reliefs (kind, target, relief_id DESC);
    """,
    """
    CREATE TABLE waiters (
        waiter_id     TEXT PRIMARY KEY,
        task          TEXT NOT NULL,
        heavy         INTEGER NOT NULL,
        since         REAL NOT NULL,
        pid           INTEGER NOT NULL,
        start_time    INTEGER NOT NULL,
        until         REAL,
        boot_id       TEXT NOT NULL DEFAULT '',
        pid_namespace TEXT NOT NULL DEFAULT '',
        requested_by  TEXT NOT NULL DEFAULT ''
    ) STRICT;
    """,
)
SCHEMA_VERSION = len(MIGRATIONS)

# The tasks that have a row, by jumps through an index; the last of ``recorded`` is NULL.
TASKS_WITH_ROWS = (
    "WITH RECURSIVE recorded (task) AS (SELECT min(task) FROM runs UNION ALL"
    " SELECT (SELECT min(task) FROM runs WHERE task > recorded.task) FROM recorded WHERE recorded.task IS NOT NULL)"
)
