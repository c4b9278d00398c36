"""The ledger's file: made private, migrated, and never touched when it is not ours or not well."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from neo_core.errors import LedgerError
from neo_core.ledger import database
from neo_core.ledger.models import ControlKind
from neo_core.ledger.schema import APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION
from neo_core.ledger.store import Ledger

BOTH = pytest.mark.parametrize("writable", [True, False], ids=["writing", "reading"])


def raw(path, *statements):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        return [connection.execute(statement).fetchall() for statement in statements][-1]


def read_everything(path, *, writable):
    with Ledger(path, writable=writable, busy=0.1) as ledger:
        ledger.runs.history()
        verdict = ledger.database.check()
        if verdict != "ok":
            raise LedgerError("ledger", f"is damaged ({verdict})", "")


@pytest.fixture
def filled(path, make_run):
    with Ledger(path) as ledger:
        for number in range(60):
            ledger.runs.insert(make_run(command="x" * 500, at=float(number)))
    assert not path.with_name(f"{path.name}-wal").exists()
    return path


def test_a_new_ledger_is_private_durable_and_marked_as_ours(path):
    with Ledger(path) as ledger:
        ledger.controls.add(ControlKind.PAUSE, "", at=1.0)
        modes = {file.stat().st_mode & 0o777 for file in path.parent.glob("ledger.sqlite3*")}
        settings = {name: ledger.database.query(f"PRAGMA {name}")[0][name] for name in ("journal_mode", "synchronous")}
        assert len(list(path.parent.glob("ledger.sqlite3*"))) == 3
    assert modes == {0o600}
    assert settings == {"journal_mode": "wal", "synchronous": 2}
    assert raw(path, "PRAGMA application_id") == [(APPLICATION_ID,)]
    assert raw(path, "PRAGMA user_version") == [(SCHEMA_VERSION,)]


def test_a_missing_ledger_reads_as_empty_and_is_not_made_by_reading(path):
    with Ledger(path, writable=False) as ledger:
        assert not ledger.database.exists
        assert ledger.runs.history() == ledger.controls.in_force(ControlKind.PAUSE, 0.0) == []
        assert ledger.runs.record_of("kbSync").streak == 0
        assert ledger.database.check() == "ok"
    assert not path.exists()


def test_an_empty_file_becomes_a_ledger_by_writing_only(path):
    path.touch()
    with Ledger(path, writable=False) as ledger:
        assert not ledger.database.exists
    assert path.read_bytes() == b""
    with Ledger(path) as ledger:
        assert ledger.database.exists


def test_a_reader_writes_nothing(path, make_run):
    with Ledger(path):
        pass
    with Ledger(path, writable=False) as ledger, pytest.raises(LedgerError, match="open for reading only"):
        ledger.runs.insert(make_run())
    with Ledger(path, writable=False) as ledger, pytest.raises(LedgerError), ledger.database.transaction():
        pass


def test_closing_twice_is_fine_and_an_old_connection_is_empty(path):
    ledger = Ledger(path)
    ledger.close()
    ledger.close()
    assert ledger.runs.history() == []


@pytest.mark.parametrize("so_far", [f"PRAGMA application_id = {APPLICATION_ID}", "PRAGMA journal_mode = WAL"])
def test_a_file_of_version_0_reads_as_empty_because_its_writer_is_about_to_fill_it(path, make_run, so_far):
    raw(path, so_far)
    assert path.stat().st_size > 0
    assert raw(path, "PRAGMA user_version") == [(0,)]
    with Ledger(path, writable=False) as ledger:
        assert not ledger.database.exists
        assert ledger.runs.history() == []
    with Ledger(path) as ledger:
        ledger.runs.insert(make_run())
    assert raw(path, "PRAGMA user_version") == [(SCHEMA_VERSION,)]


def test_an_older_ledger_is_not_read_before_somebody_migrated_it(filled):
    raw(filled, f"PRAGMA user_version = {SCHEMA_VERSION - 1}")
    with pytest.raises(LedgerError, match=rf"older schema {SCHEMA_VERSION - 1}.*Run any command that may write"):
        Ledger(filled, writable=False)


@pytest.fixture
def next_version(monkeypatch):
    def become(*migrations: str) -> None:
        monkeypatch.setattr(database, "MIGRATIONS", (*MIGRATIONS, *migrations))
        monkeypatch.setattr(database, "SCHEMA_VERSION", SCHEMA_VERSION + len(migrations))

    return become


def test_an_older_ledger_is_migrated_step_by_step_and_keeps_its_rows(filled, next_version):
    next_version("ALTER TABLE runs ADD COLUMN extra TEXT", "UPDATE runs SET extra = 'old'; CREATE TABLE more (a)")
    with Ledger(filled) as ledger:
        assert len(ledger.runs.history()) == 60
        assert ledger.database.query("SELECT DISTINCT extra FROM runs") == [{"extra": "old"}]
    assert raw(filled, "PRAGMA user_version") == [(SCHEMA_VERSION + 2,)]


def test_a_migration_that_fails_leaves_the_old_ledger_as_it_was(filled, next_version):
    before = filled.read_bytes()
    next_version("ALTER TABLE runs ADD COLUMN extra TEXT; INSERT INTO nowhere VALUES (1)")
    with pytest.raises(LedgerError, match="nowhere"):
        Ledger(filled)
    assert raw(filled, "PRAGMA user_version") == [(SCHEMA_VERSION,)]
    assert filled.read_bytes() == before


@BOTH
def test_a_newer_schema_is_left_alone_and_says_to_upgrade(filled, writable):
    raw(filled, "PRAGMA user_version = 99")
    before = filled.read_bytes()
    with pytest.raises(LedgerError, match=r"newer neo-console \(schema 99; this one knows \d+\).*Upgrade"):
        Ledger(filled, writable=writable)
    assert filled.read_bytes() == before


@BOTH
@pytest.mark.parametrize(
    "statement", ["CREATE TABLE mine (a)", "PRAGMA application_id = 42", "PRAGMA user_version = 1"]
)
def test_another_programs_database_is_left_alone(path, writable, statement):
    raw(path, statement)
    before = path.read_bytes()
    with pytest.raises(LedgerError, match=r"another program.*Move it away"):
        Ledger(path, writable=writable)
    assert path.read_bytes() == before


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def spoil_header(path):
    path.write_bytes(b"not a database at all" + path.read_bytes()[21:])


def flip_page(path):
    content = bytearray(path.read_bytes())
    for page in range(2, len(content) // 4096):
        content[page * 4096 : page * 4096 + 64] = bytes(byte ^ 0xFF for byte in content[page * 4096 : page * 4096 + 64])
    path.write_bytes(content)


def only_garbage(path):
    path.write_bytes(b"\x00\x01garbage")


def text(path):
    path.write_text("dear diary\n" * 500)


@BOTH
@pytest.mark.parametrize("spoil", [truncate, spoil_header, flip_page, only_garbage, text], ids=lambda one: one.__name__)
def test_a_damaged_ledger_is_an_error_and_is_not_touched(filled, spoil, writable):
    spoil(filled)
    before = filled.read_bytes()
    with pytest.raises(LedgerError, match="is damaged"):
        read_everything(filled, writable=writable)
    assert filled.read_bytes() == before


def test_a_row_of_unknown_words_is_an_error_and_not_another_word(filled, make_run):
    raw(filled, "UPDATE runs SET outcome = 'splendid' WHERE rowid = 7")
    with Ledger(filled) as ledger:
        for read in (ledger.runs.history, lambda: ledger.runs.find("run0007")):
            with pytest.raises(LedgerError, match=r"damaged \(a row is no Run: .*splendid"):
                read()
        assert ledger.runs.find("run0008")


def test_a_text_that_is_not_utf8_is_refused_and_nothing_is_recorded(ledger):
    with pytest.raises(LedgerError, match="not UTF-8"):
        ledger.controls.add(ControlKind.PAUSE, "", at=1.0, because="\udcff")
    assert ledger.controls.in_force(ControlKind.PAUSE, 1.0) == []


@pytest.mark.parametrize("statement", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_locked_for_longer_than_we_wait_is_an_error_for_writers_only(filled, make_run, statement):
    with closing(sqlite3.connect(filled, isolation_level=None)) as other:
        other.execute(statement)
        with Ledger(filled, writable=False, busy=0.1) as ledger:
            assert len(ledger.runs.history()) == 60
        with Ledger(filled, busy=0.1) as ledger, pytest.raises(LedgerError, match="locked by another process"):
            ledger.runs.insert(make_run())
        other.execute("ROLLBACK")
        with Ledger(filled, busy=0.1) as ledger:
            ledger.runs.insert(make_run())


def test_a_writer_that_comes_free_in_time_is_waited_for(filled, make_run, program):
    holder = program(
        "import sqlite3, sys, time\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('BEGIN IMMEDIATE')\n"
        "print('locked', flush=True); time.sleep(0.3); c.execute('ROLLBACK')",
        filled,
    )
    assert holder.stdout.readline() == "locked\n"
    with Ledger(filled, busy=20) as ledger:
        ledger.runs.insert(make_run())
    assert holder.wait() == 0


def fill_up(ledger, make_run):
    ledger.runs.insert(make_run("first"))
    for _ in range(100):
        ledger.runs.insert(make_run(command="y" * 5000))


def test_a_disk_that_is_full_is_said_and_what_was_committed_stays(filled, make_run):
    with Ledger(filled) as ledger:
        size = ledger.database.query("PRAGMA page_count")[0]["page_count"]
        ledger.database.query(f"PRAGMA max_page_count = {size}")
        with pytest.raises(LedgerError, match=r"the disk is full\. Free space"):
            fill_up(ledger, make_run)
        firsts = len(ledger.runs.history(task="first"))
        kept = len(ledger.runs.history())
        assert ledger.database.check() == "ok"
        with pytest.raises(LedgerError, match="full"), ledger.database.transaction():
            fill_up(ledger, make_run)
        assert len(ledger.runs.history(task="first")) == firsts
    with Ledger(filled) as ledger:
        assert len(ledger.runs.history()) == kept


def test_an_exception_inside_a_transaction_undoes_it(ledger, make_run):
    def interrupted():
        ledger.runs.insert(make_run())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), ledger.database.transaction():
        interrupted()
    assert ledger.runs.history() == []
    ledger.runs.insert(make_run())


@pytest.mark.parametrize(("make", "cause"), [("folder", "is a directory"), ("loop", "symbolic links")])
def test_what_is_no_file_is_an_error(path, make, cause):
    path.mkdir() if make == "folder" else path.symlink_to(path.name)
    with pytest.raises(LedgerError, match=f"{cause}|unable to open"):
        Ledger(path)
    assert path.is_symlink() or path.is_dir()


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(LedgerError, match="cannot be opened: no such file or directory"):
        Ledger(tmp_path / "none" / "ledger.sqlite3")
