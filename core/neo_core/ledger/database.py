"""Opening the ledger's file: WAL, durable commits, versions, and one clear error per way it can be wrong."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from neo_core.errors import LedgerError, describe_os_error
from neo_core.ledger.schema import APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

T = TypeVar("T")

_BUSY_SECONDS = 5.0
_MEND_DAMAGE = "Nothing was changed. Move it away to start a new one, or restore it from a backup bundle."


class Database:
    """One connection to the ledger, for one thread.

    ``writable`` creates and migrates the file when needed; without it a missing file reads as empty (``exists`` is
    false then). Raises ``LedgerError`` for everything that is wrong with the file; nothing is overwritten.
    """

    def __init__(self, path: Path, *, writable: bool, busy: float = _BUSY_SECONDS) -> None:
        self.path = path
        self.writable = writable
        self._busy = busy
        self._connection = self._open()

    @property
    def exists(self) -> bool:
        """Whether there is a ledger to read."""
        return self._connection is not None

    def close(self) -> None:
        """Close the connection; idempotent."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def query(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[dict[str, Any]]:
        """Return the rows as dictionaries; none when there is no ledger."""
        if self._connection is None:
            return []
        with self._translated():
            cursor = self._connection.execute(sql, parameters)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def select(self, kind: type[T], sql: str, parameters: tuple[Any, ...] = ()) -> list[T]:
        """Return the rows as structs of ``kind``; a row that is none says so instead of passing for something else."""
        rows = self.query(sql, parameters)
        try:
            return [msgspec.convert(row, kind, strict=False) for row in rows]
        except msgspec.ValidationError as error:
            cause = f"is damaged (a row is no {kind.__name__}: {error})"
            raise LedgerError(f"ledger {self.path}", cause, _MEND_DAMAGE) from error

    def execute(self, sql: str, parameters: tuple[Any, ...] = ()) -> int:
        """Change rows and return how many; committed durably unless inside ``transaction``."""
        with self._translated():
            return self._for_writing().execute(sql, parameters).rowcount

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[None]:
        """Make the changes inside the block one durable commit, or none of them; readers go on meanwhile.

        What is not ``durable`` survives every process, and is lost only when the machine itself loses power.
        A block inside another one belongs to the outer commit.
        """
        connection = self._for_writing()
        joined = bool(connection.in_transaction)
        if joined:
            yield
            return
        try:
            if not durable:
                connection.execute("PRAGMA synchronous = NORMAL")
            with self._committed(connection):
                yield
        finally:
            if not durable:
                connection.execute("PRAGMA synchronous = FULL")

    @contextmanager
    def _committed(self, connection: sqlite3.Connection) -> Iterator[None]:
        with self._translated():
            connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            if connection.in_transaction:
                connection.rollback()
            raise
        with self._translated():
            try:
                connection.execute("COMMIT")
            except sqlite3.Error:
                if connection.in_transaction:
                    connection.rollback()
                raise

    def version(self) -> int:
        """Return a number that changes whenever another connection has committed; cheap enough to ask often."""
        rows = self.query("PRAGMA data_version")
        return int(rows[0]["data_version"]) if rows else 0

    def check(self) -> str:
        """Return SQLite's verdict on the whole file, ``ok`` when it is sound."""
        rows = self.query("PRAGMA integrity_check(1)")
        return str(rows[0]["integrity_check"]) if rows else "ok"

    def _for_writing(self) -> sqlite3.Connection:
        if self._connection is None or not self.writable:
            raise LedgerError(f"ledger {self.path}", "is open for reading only", "Make its folder writable for you.")
        return self._connection

    def _open(self) -> sqlite3.Connection | None:
        try:
            if self.writable:
                _create_private(self.path)
            elif not self.path.exists() or self.path.stat().st_size == 0:
                return None
        except OSError as error:
            raise LedgerError(
                f"ledger {self.path}",
                f"cannot be opened: {describe_os_error(error)}",
                "Make it readable and writable for you.",
            ) from error
        with self._translated():
            mode = "rw" if self.writable else "ro"
            if not self.writable and _is_at_rest(self.path):
                mode = "ro&immutable=1"
            uri = f"{self.path.absolute().as_uri()}?mode={mode}"
            connection = sqlite3.connect(uri, uri=True, timeout=self._busy, isolation_level=None)
            try:
                prepared = self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            if prepared:
                return connection
            connection.close()
            return None

    def _prepare(self, connection: sqlite3.Connection) -> bool:
        """Return whether there is anything to read yet; for writing there always is, afterwards."""
        connection.execute("BEGIN")
        try:
            version = self._version(connection)
        finally:
            connection.rollback()
        if not self.writable:
            if version == 0:  # its first writer is about to fill it
                return False
            if version < SCHEMA_VERSION:
                cause = f"has the older schema {version}; this neo-console reads {SCHEMA_VERSION}"
                raise LedgerError(f"ledger {self.path}", cause, "Run any command that may write, it migrates the file.")
            return True
        self._use_wal(connection)
        connection.execute("PRAGMA synchronous = FULL")
        if version < SCHEMA_VERSION:
            self._migrate(connection)
        return True

    def _version(self, connection: sqlite3.Connection) -> int:
        """Return the file's schema version after making sure that it is a ledger of a known one.

        Inside a transaction: another process may be migrating the file between two questions.
        """
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        application = int(connection.execute("PRAGMA application_id").fetchone()[0])
        tables = int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
        if application != APPLICATION_ID and (tables or version or application):
            raise LedgerError(
                f"ledger {self.path}", "is a database of another program", "Move it away; a new one is made then."
            )
        if version > SCHEMA_VERSION:
            cause = f"was written by a newer neo-console (schema {version}; this one knows {SCHEMA_VERSION})"
            raise LedgerError(f"ledger {self.path}", cause, "Upgrade neo-console, or use the newer one.")
        return version

    def _use_wal(self, connection: sqlite3.Connection) -> None:
        """Switch to WAL; SQLite does not wait by itself when another process switches at the same moment."""
        deadline = time.monotonic() + self._busy
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                if not _is(error, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
            else:
                return

    def _migrate(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        try:
            for number in range(self._version(connection), SCHEMA_VERSION):
                for statement in MIGRATIONS[number].split(";"):
                    connection.execute(statement)
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.rollback()
            raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _translate(self.path, error) from error
        except UnicodeEncodeError as error:
            cause = f"was given a text that is not UTF-8: {error.object!r}"
            raise LedgerError(f"ledger {self.path}", cause, "Write it in UTF-8.") from error


def storable(value: object) -> object:
    """Return a struct's field as SQLite takes it: words of an enum as text, truth as a number."""
    if isinstance(value, bool):
        return int(value)
    return str(value) if isinstance(value, str) else value


def has_full_text_search() -> bool:
    """Return whether this Python's SQLite has FTS5."""
    connection = sqlite3.connect(":memory:")
    try:
        return any(row[0] == "ENABLE_FTS5" for row in connection.execute("PRAGMA compile_options"))
    finally:
        connection.close()


def _is_at_rest(path: Path) -> bool:
    """Return whether the file can only be read as it is: nobody works on it and we may not make WAL's companions."""
    return not os.access(path.parent, os.W_OK | os.X_OK) and not os.path.lexists(f"{path}-wal")


def _create_private(path: Path) -> None:
    """Make sure the file exists with mode 0600; SQLite gives its companions the same mode.

    An existing one is not opened: closing it would drop the locks that other connections of this process have on it.
    Raises ``OSError``.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        if stat.S_ISDIR(path.stat().st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path)) from None
        if not os.access(path, os.R_OK | os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path)) from None


def _is(error: sqlite3.Error, *codes: int) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and (code & 0xFF) in codes


def _translate(path: Path, error: sqlite3.Error) -> LedgerError:
    thing = f"ledger {path}"
    if _is(error, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return LedgerError(thing, f"is damaged ({error})", _MEND_DAMAGE)
    if _is(error, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return LedgerError(thing, "is locked by another process", "Try again; if it stays, find who has the file open.")
    if _is(error, sqlite3.SQLITE_FULL):
        return LedgerError(thing, "cannot grow: the disk is full", "Free space, then try again.")
    if _is(error, sqlite3.SQLITE_IOERR):
        mend = "Look at its disk: full, failing, or a limit on file sizes (ulimit -f); then try again."
        return LedgerError(thing, f"cannot be read or written ({error})", mend)
    if _is(error, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return LedgerError(thing, f"cannot be opened ({error})", "Make it and its folder yours to read and write.")
    return LedgerError(thing, f"cannot be used ({error})", "Run neo-console doctor.")
