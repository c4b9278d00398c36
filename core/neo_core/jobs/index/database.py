"""The full-text index: one SQLite file, of which every transaction leaves a state that is true of some moment.

It is derived from the files, so a damaged one may be built anew, but only when it is provably this program's.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from neo_core.errors import JobError, UsageError, describe_os_error
from neo_core.jobs.index.changes import Change, Drop, Entry, Put, Touch
from neo_core.jobs.index.hits import Hit, hit_of, query_of
from neo_core.jobs.index.text import Stamp

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from neo_core.workspace import Workspace

APPLICATION_ID = 0x6E656F6B  # "neok"
SCHEMA_VERSION = 1
_MAGIC = b"SQLite format 3\0"
_APPLICATION_ID_AT = 68
_BUSY_MS = 30_000
# A match in the path says more than one in the text.
_SCHEMA = (
    "CREATE TABLE files (id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE, size INTEGER NOT NULL,"
    " mtime_ns INTEGER NOT NULL, ctime_ns INTEGER NOT NULL, inode INTEGER NOT NULL, seen_ns INTEGER NOT NULL,"
    " sha256 BLOB NOT NULL)",
    'CREATE VIRTUAL TABLE text USING fts5(path, body, tokenize = "unicode61 remove_diacritics 2")',
    "INSERT INTO text(text, rank) VALUES ('rank', 'bm25(4.0, 1.0)')",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)
_FULL, _CORRUPT, _NOT_A_DATABASE = sqlite3.SQLITE_FULL, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


class UnusableIndexError(JobError):
    """The index is this program's but damaged or of an older version; it can be built anew from the files."""


class Index:
    """The index, open for writing by one process at a time; readers go on meanwhile.

    Every method raises ``JobError``: full disk, locked by another, or ``UnusableIndexError`` when damaged.
    """

    def __init__(self, path: Path, database: sqlite3.Connection) -> None:
        self._path = path
        self._database = database

    def entries(self) -> dict[bytes, Entry]:
        """Return every indexed file by its path."""
        with _explained(self._path):
            rows = self._database.execute("SELECT path, size, mtime_ns, ctime_ns, inode, seen_ns, sha256 FROM files")
            return {row[0]: Entry(Stamp(*row[1:5]), row[5], row[6]) for row in rows}

    def apply(self, changes: Iterable[Change]) -> None:
        """Make ``changes`` in one transaction: all of them or, killed or out of disk, none."""
        with _explained(self._path), _transaction(self._database):
            for change in changes:
                match change:
                    case Put():
                        self._put(change)
                    case Touch():
                        self._touch(change)
                    case Drop():
                        self._drop(change.path)

    def close(self) -> None:
        """Fold the write-ahead log into the file, if no reader needs it, and close."""
        self._database.close()

    def _put(self, change: Put) -> None:
        self._drop(change.path)
        done = self._database.execute(
            "INSERT INTO files(path, size, mtime_ns, ctime_ns, inode, seen_ns, sha256) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (change.path, *change.text.stamp, change.seen_ns, change.text.digest),
        )
        self._database.execute(
            "INSERT INTO text(rowid, path, body) VALUES (?, ?, ?)",
            (done.lastrowid, change.path.decode("utf-8", "replace"), change.text.body),
        )

    def _touch(self, change: Touch) -> None:
        stamp, seen_ns, digest = change.entry
        self._database.execute(
            "UPDATE files SET size = ?, mtime_ns = ?, ctime_ns = ?, inode = ?, seen_ns = ?"
            " WHERE path = ? AND sha256 = ?",
            (*stamp, seen_ns, change.path, digest),
        )

    def _drop(self, path: bytes) -> None:
        self._database.execute("DELETE FROM text WHERE rowid = (SELECT id FROM files WHERE path = ?)", (path,))
        self._database.execute("DELETE FROM files WHERE path = ?", (path,))


@contextmanager
def open_index(path: Path) -> Iterator[Index]:
    """Open the index for writing, made (0600, its folder 0700) if there is none, and close it.

    Raises ``JobError`` when the file is not ours or newer than this program, ``UnusableIndexError`` when it is ours
    and damaged.
    """
    _make_file(path)
    with _explained(path), closing(_connect(path, "rw")) as database:
        # One moment for all that is asked: another kbSync may be making the same file.
        with _transaction(database, "BEGIN"):
            new = _is_new(database, path)
        if new:
            _lay_out(database, path)
        path.chmod(0o600)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        told = database.execute("PRAGMA quick_check(1)").fetchone()[0]
        if told != "ok":
            raise _damaged(path, told)
        yield Index(path, database)


def search(workspace: Workspace, words: str, limit: int) -> list[Hit]:
    """Return at most ``limit`` files that hold every one of ``words``, the best first; upper and lower case are one.

    Reads only, also while ``kbSync`` writes. Raises ``JobError`` when there is no index or it cannot be read,
    ``UsageError`` when there is nothing to look for.
    """
    if limit < 1:
        raise UsageError("search", f"at most {limit} hits are none", "Ask for 1 or more.")
    query, path, mark = query_of(words), workspace.search_index, f"\2{secrets.token_hex(8)}\2"
    if not path.exists():
        raise _no_index(path)
    with _explained(path), closing(_connect(path, "ro")) as database:
        # One read transaction: the ranking and the texts are of the same moment.
        database.execute("BEGIN")
        if _is_new(database, path):
            raise _no_index(path)
        ranked = database.execute(
            "SELECT rowid, rank FROM text WHERE text MATCH ? ORDER BY rank LIMIT ?", (query, limit)
        ).fetchall()
        return [_hit(database, query, mark, row, rank) for row, rank in ranked]


def discard(path: Path) -> None:
    """Remove an index and its logs; only for one that is being built anew."""
    for name in _files_of(path):
        name.unlink(missing_ok=True)


def put_in_place(built: Path, path: Path) -> None:
    """Replace the index at ``path`` by the one just ``built`` and closed; raises ``JobError`` if it is not whole."""
    _, log, _ = _files_of(built)
    if log.exists():
        raise JobError(f"index {built}", "was not written to its end", "Free some disk space, then run kbSync again.")
    for name in _files_of(path)[1:]:
        # The old log must never be replayed into the new file.
        name.unlink(missing_ok=True)
    built.replace(path)


def _hit(database: sqlite3.Connection, query: str, mark: str, row: int, rank: float) -> Hit:
    path, body = database.execute(
        "SELECT files.path, highlight(text, 1, ?, '') FROM text JOIN files ON files.id = text.rowid"
        " WHERE text MATCH ? AND text.rowid = ?",
        (mark, query, row),
    ).fetchone()
    return hit_of(path, body, mark, -rank)


def _make_file(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise JobError(
            f"index {path}", f"cannot be made: {describe_os_error(error)}", f"Make {path.parent} writable for you."
        ) from error


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    database = sqlite3.connect(f"{path.as_uri()}?mode={mode}", uri=True, isolation_level=None)
    database.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    return database


def _is_new(database: sqlite3.Connection, path: Path) -> bool:
    """Return whether the file is an empty database; raises ``JobError`` unless it is that or an index of ours."""
    (identity,) = database.execute("PRAGMA application_id").fetchone()
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if identity != APPLICATION_ID:
        (things,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if identity or version or things:
            raise JobError(f"index {path}", "is a database of another program", "Move it away, then run kbSync again.")
        return True
    if version > SCHEMA_VERSION:
        raise JobError(
            f"index {path}",
            f"was made by a newer neo-console (version {version} of the index, this one knows {SCHEMA_VERSION})",
            f"Use the newer one, or remove the index (rm {path}) and run kbSync again.",
        )
    if version < SCHEMA_VERSION:
        raise UnusableIndexError(f"index {path}", "was made by an older neo-console", "Run: neo-console run kbSync.")
    return False


def _lay_out(database: sqlite3.Connection, path: Path) -> None:
    """Make the tables, still in the rollback journal's mode, so that the file itself says at once whose it is."""
    with _transaction(database):
        if _is_new(database, path):
            for statement in _SCHEMA:
                database.execute(statement)


@contextmanager
def _transaction(database: sqlite3.Connection, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    database.execute(begin)
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        # After some failures, a full disk among them, SQLite has rolled back by itself.
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what SQLite says into the error of an operator."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explain(path, error) from error


def _explain(path: Path, error: sqlite3.Error) -> JobError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    thing = f"index {path}"
    if code == _FULL:
        return JobError(thing, "the disk is full", "Free some space, then run kbSync again: it goes on where it was.")
    if code in (_CORRUPT, _NOT_A_DATABASE):
        return _damaged(path, str(error))
    if code in _BUSY:
        return JobError(thing, "is being written by another kbSync", "Wait for that one to end, then try again.")
    if "fts5" in str(error) and "no such module" in str(error):
        return JobError("SQLite", "was built without full-text search (FTS5)", "Use a Python whose sqlite3 has it.")
    return JobError(thing, f"cannot be used: {error}", f"Check the disk and the rights of {path.parent}, try again.")


def _damaged(path: Path, cause: str) -> JobError:
    if _says_ours(path):
        return UnusableIndexError(
            f"index {path}", f"is damaged ({' '.join(cause.split())})", "Run: neo-console run kbSync."
        )
    return JobError(
        f"index {path}",
        f"is no index of this program ({cause})",
        f"Look at it; if nobody needs it, remove it (rm {path}) and run kbSync again: it is made from the files.",
    )


def _says_ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(_APPLICATION_ID_AT + 4)
    except OSError:
        return False
    return head.startswith(_MAGIC) and head[_APPLICATION_ID_AT:] == APPLICATION_ID.to_bytes(4)


def _no_index(path: Path) -> JobError:
    return JobError(f"index {path}", "is not there yet", "Run: neo-console run kbSync.")


def _files_of(path: Path) -> tuple[Path, Path, Path]:
    """Return the database, its write-ahead log and the log's index."""
    return path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")
