"""Everything this job says to SQLite: copying a database that is in use, counting its rows, checking a copy.

How a copy and its row counts come to show the same moment:

- A WAL database is copied and counted inside one read transaction; that blocks nobody.
- With a rollback journal a read transaction would hold up every commit, so the source is let go after each step, and
  copy and counts are believed only if ``PRAGMA data_version`` says that nobody committed from the first step to the
  last count. After three attempts spoilt by commits, the database is copied inside a read transaction after all: a
  backup always comes to its end, and the writer's next commit waits that once.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from neo_core.clock import SystemClock
from neo_core.errors import JobError
from neo_core.jobs.bundles.file_copy import no_room, reading, sync_file, writing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Rows by table; None for a table that SQLite cannot count here, such as one of an extension that is not loaded.
Tables = dict[str, int | None]

COMPANIONS = ("-wal", "-shm", "-journal")
_HEADER = b"SQLite format 3\0"
_WAL_FORMAT = 2
_PAGES_PER_STEP = 256
_BUSY_SECONDS = 30.0
_JOURNAL_SECONDS = 1.0
_PAUSE = 0.005
_CLOCK = SystemClock()
_ATTEMPTS = 3
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
_UNWRITTEN = (sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_TRUNCATE)


class _ChangedError(Exception):
    pass


def is_database(path: Path) -> bool:
    """Return whether the regular file begins like a SQLite database; a vanished one does not. Raises ``JobError``."""
    return _head(path)[: len(_HEADER)] == _HEADER


def copy_database(source: Path, target: Path, place: Path) -> Tables:
    """Copy the database ``source``, which may be in use, to the new private file ``target`` below ``place``.

    The copy is flushed to the disk, has passed ``PRAGMA integrity_check``, and has exactly the rows that the source had
    at one moment; those are returned. The source is never written. Raises ``JobError``.
    """
    with writing(place):
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with _explained(source, place), closing(_open_source(source)) as origin:
        counted = _copy_and_count(origin, source, target)
    copied = check_database(target, f"database {source}")
    if copied != counted:
        raise _damaged(f"database {source}", "its copy does not have the same rows")
    with writing(place):
        sync_file(target)
    return counted


def check_database(path: Path, thing: str) -> Tables:
    """Check a database that nobody else uses and count its rows, touching nothing beside it.

    Raises ``JobError`` about ``thing`` when it is not sound.
    """
    address = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as copy:
            complaints = [str(row[0]) for row in copy.execute("PRAGMA integrity_check(3)")]
            if complaints != ["ok"]:
                raise _damaged(thing, "; ".join(complaints).replace("\n", " "))
            return _count_tables(copy)
    except sqlite3.Error as error:
        if _code(error) & 0xFF == sqlite3.SQLITE_ERROR:
            raise JobError(
                thing,
                f"cannot be checked by this SQLite: {error}",
                "It needs functions of its own program; keep it outside the data folder.",
            ) from error
        raise _damaged(thing, str(error)) from error


def _head(path: Path) -> bytes:
    """Return the first 20 bytes; not called while a connection is open, whose locks closing a descriptor would drop."""
    with reading(path):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            return b""
        try:
            return os.read(descriptor, 20)
        finally:
            os.close(descriptor)


def _open_source(source: Path) -> sqlite3.Connection:
    mode = "rw" if _is_idle_wal(source) else "ro"
    address = f"{source.absolute().as_uri()}?mode={mode}"
    connection = sqlite3.connect(address, uri=True, timeout=0, isolation_level=None)
    for pragma in ("query_only=ON", "trusted_schema=OFF"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _is_idle_wal(source: Path) -> bool:
    """Whether nobody has the WAL database open: read-only we would leave an empty -wal and -shm beside it for good."""
    head = _head(source)
    return len(head) == 20 and head[18] == _WAL_FORMAT and not os.path.lexists(f"{source}-wal")


def _copy_and_count(origin: sqlite3.Connection, source: Path, target: Path) -> Tables:
    if _rows(origin, "PRAGMA journal_mode") != [("wal",)]:
        for _ in range(_ATTEMPTS):
            tables = _copy_between_commits(origin, source, target)
            if tables is not None:
                return tables
    _rows(origin, "BEGIN")
    _rows(origin, "SELECT count(*) FROM sqlite_master")
    _run_backup(origin, target, _Watch(origin, source))
    return _count_tables(origin)


def _copy_between_commits(origin: sqlite3.Connection, source: Path, target: Path) -> Tables | None:
    """Copy without holding a lock between the steps; ``None`` when somebody committed before the rows were counted."""
    version = _version(origin)
    try:
        _run_backup(origin, target, _Watch(origin, source, version))
    except _ChangedError:
        return None
    except sqlite3.OperationalError as error:
        if _patience(error):
            return None
        raise
    tables = _count_tables(origin)
    return tables if _version(origin) == version else None


def _run_backup(origin: sqlite3.Connection, target: Path, watch: _Watch) -> None:
    os.truncate(target, 0)
    with closing(sqlite3.connect(target, isolation_level=None)) as copy:
        # The folder is private and thrown away on failure: no journal is needed, and we flush ourselves.
        copy.execute("PRAGMA journal_mode=OFF")
        copy.execute("PRAGMA synchronous=OFF")
        origin.backup(copy, pages=_PAGES_PER_STEP, progress=watch, sleep=_PAUSE)


class _Watch:
    """Called after every step of a copy: gives up on a locked source, and on one that left the given version."""

    def __init__(self, origin: sqlite3.Connection, source: Path, version: int | None = None) -> None:
        self._origin = origin
        self._source = source
        self._version = version
        self._busy_since: float | None = None

    def __call__(self, status: int, _remaining: int, _total: int) -> None:
        if status & 0xFF in _BUSY:
            self._busy_since = self._busy_since or _CLOCK.monotonic()
            if _CLOCK.monotonic() - self._busy_since >= _BUSY_SECONDS:
                raise _locked(self._source)
        elif status in (sqlite3.SQLITE_OK, sqlite3.SQLITE_DONE):
            self._busy_since = None
            if self._version is not None and _version(self._origin) != self._version:
                raise _ChangedError


def _version(connection: sqlite3.Connection) -> int:
    return int(_rows(connection, "PRAGMA data_version")[0][0])


def _count_tables(connection: sqlite3.Connection) -> Tables:
    names = _rows(connection, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return {str(name): _count(connection, str(name)) for (name,) in names}


def _count(connection: sqlite3.Connection, table: str) -> int | None:
    quoted = table.replace('"', '""')
    try:
        return int(_rows(connection, f'SELECT count(*) FROM "{quoted}"')[0][0])  # noqa: S608 - a quoted name
    except sqlite3.OperationalError as error:
        if _code(error) & 0xFF == sqlite3.SQLITE_ERROR:
            return None
        raise


def _rows(connection: sqlite3.Connection, statement: str) -> list[tuple[Any, ...]]:
    """Run one statement, waiting for locks in short pauses: they find the gaps of a busy writer and hear signals."""
    begin = _CLOCK.monotonic()
    while True:
        try:
            return connection.execute(statement).fetchall()
        except sqlite3.OperationalError as error:
            waited = _CLOCK.monotonic() - begin
            if waited >= _patience(error):
                raise
        _CLOCK.sleep(_PAUSE)


def _patience(error: sqlite3.Error) -> float:
    """Return for how many seconds the error may pass by itself."""
    if _code(error) & 0xFF in _BUSY:
        return _BUSY_SECONDS
    # Read-only, a commit that ends this moment looks like a killed writer's journal until one looks again.
    return _JOURNAL_SECONDS if _code(error) == sqlite3.SQLITE_READONLY_ROLLBACK else 0.0


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR))


@contextmanager
def _explained(source: Path, place: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise _explain(error, source, place) from error


def _explain(error: sqlite3.Error, source: Path, place: Path) -> JobError:
    code = _code(error)
    primary = code & 0xFF
    if primary == sqlite3.SQLITE_FULL or code in _UNWRITTEN:
        return no_room(place, error)
    if primary in _BUSY:
        return _locked(source)
    if primary in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return _damaged(f"database {source}", str(error))
    if code == sqlite3.SQLITE_READONLY_ROLLBACK:
        return JobError(
            f"database {source}",
            "its last writer was killed in the middle of a change, which is not rolled back yet",
            f"Start its program once, or run: sqlite3 {source} 'PRAGMA quick_check'; then run the backup again.",
        )
    return JobError(
        f"database {source}", f"cannot be copied: {error}", "Make it and its folder readable for you, then run again."
    )


def _locked(source: Path) -> JobError:
    return JobError(
        f"database {source}",
        f"was locked by another program for {_BUSY_SECONDS:g} seconds",
        "End or pause the program that locks it, then run again.",
    )


def _damaged(thing: str, cause: str) -> JobError:
    return JobError(thing, f"is damaged: {cause}", "Take it from an older bundle (restore), or repair it.")
