"""Copying databases that are in use: one moment, verified, the source as it was."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from neo_core.errors import JobError
from neo_core.jobs.bundles import sqlite_copy
from neo_core.jobs.bundles.sqlite_copy import check_database, copy_database

WRITER = """
import sqlite3, sys
writer = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
number = 0
while True:
    number += 1
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO debit (text) VALUES (?)", ("d" * 400,))
    writer.execute("INSERT INTO credit (text) VALUES (?)", ("c" * 400,))
    writer.execute("COMMIT")
    print(number, flush=True)
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "source.db"


def fill(path: Path, mode: str, pairs: int = 400) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as made:
        made.execute(f"PRAGMA journal_mode={mode}")
        for table in ("debit", "credit"):
            made.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, text TEXT)")
        made.execute("BEGIN")
        for table in ("debit", "credit"):
            made.executemany(f"INSERT INTO {table} (text) VALUES (?)", [("x" * 400,)] * pairs)
        made.execute("COMMIT")


def copy(source: Path) -> tuple[dict[str, int | None], Path]:
    target = source.with_name("copy.db")
    return copy_database(source, target, source.parent), target


def commit_pair(path: Path, timeout: float = 0) -> bool:
    with closing(sqlite3.connect(path, timeout=timeout, isolation_level=None)) as writer:
        try:
            writer.execute("BEGIN IMMEDIATE")
            writer.execute("INSERT INTO debit (text) VALUES ('d')")
            writer.execute("INSERT INTO credit (text) VALUES ('c')")
            writer.execute("COMMIT")
        except sqlite3.OperationalError:
            return False
    return True


@pytest.fixture
def at_each_step(monkeypatch):
    """Return a function that lets a test act between the steps of a copy, which are one page small."""

    def install(act) -> None:
        original = sqlite_copy._Watch.__call__
        steps = [0]

        def watch(self, status, remaining, total):
            original(self, status, remaining, total)
            steps[0] += 1
            act(steps[0], remaining)

        monkeypatch.setattr(sqlite_copy, "_PAGES_PER_STEP", 8)
        monkeypatch.setattr(sqlite_copy._Watch, "__call__", watch)

    return install


def tree(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith("copy")}


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_resting_database_is_copied_and_its_folder_stays_as_it_was(source, mode):
    fill(source, mode)
    before = tree(source.parent)
    counted, target = copy(source)
    assert counted == {"credit": 400, "debit": 400}
    assert tree(source.parent) == before
    assert check_database(target, "copy") == counted


def test_rows_that_a_killed_writer_left_in_the_wal_are_copied_and_stay_there(source):
    fill(source, "wal", pairs=1)
    script = (
        "import sqlite3, sys, os\n"
        "writer = sqlite3.connect(sys.argv[1])\n"
        "writer.execute(\"INSERT INTO debit (text) VALUES ('in the wal')\")\n"
        "writer.commit()\n"
        "os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", script, str(source)], check=True)
    before = (source.read_bytes(), Path(f"{source}-wal").read_bytes())
    counted, _ = copy(source)
    assert counted == {"credit": 1, "debit": 2}
    assert (source.read_bytes(), Path(f"{source}-wal").read_bytes()) == before


@pytest.mark.parametrize("mode", ["delete", "wal"])
def test_copy_beside_a_busy_writer_shows_one_moment_and_fails_no_commit(source, mode):
    fill(source, mode, pairs=4000)
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(source)], stdout=subprocess.PIPE, text=True)
    try:
        first = int(writer.stdout.readline())
        counted, target = copy(source)
        assert int(writer.stdout.readline()) > first
        assert writer.poll() is None
    finally:
        writer.kill()
        writer.communicate()
    assert counted["debit"] == counted["credit"] > 4000
    assert check_database(target, "copy") == counted


def test_wal_writer_is_never_held_up_and_the_copy_is_of_the_beginning(source, at_each_step):
    fill(source, "wal")
    committed = []
    at_each_step(lambda step, remaining: committed.append(commit_pair(source)))
    counted, _ = copy(source)
    assert counted == {"credit": 400, "debit": 400}
    assert len(committed) > 5
    assert all(committed)


def test_commit_during_the_copy_of_a_journal_database_is_let_through_and_copied(source, at_each_step):
    fill(source, "delete")
    committed = []
    at_each_step(lambda step, remaining: committed.append(commit_pair(source)) if step == 5 else None)
    counted, _ = copy(source)
    assert committed == [True]
    assert counted == {"credit": 401, "debit": 401}


def test_commit_between_copying_and_counting_is_noticed(source, at_each_step):
    fill(source, "delete")
    committed = []

    def act(step, remaining):
        if remaining == 0 and not committed:
            committed.append(commit_pair(source))

    at_each_step(act)
    counted, target = copy(source)
    assert committed == [True]
    assert counted == check_database(target, "copy") == {"credit": 401, "debit": 401}


def test_journal_database_that_never_rests_is_copied_all_the_same(source, at_each_step):
    fill(source, "delete")
    committed = []
    at_each_step(lambda step, remaining: committed.append(commit_pair(source)))
    counted, target = copy(source)
    assert counted == check_database(target, "copy")
    assert counted["debit"] == counted["credit"] == 400 + sum(committed)
    assert committed[0] is True
    assert committed[-1] is False


def test_tables_that_cannot_be_counted_are_recorded_as_such(source):
    with closing(sqlite3.connect(source, isolation_level=None)) as made:
        made.execute("CREATE VIRTUAL TABLE known USING fts5(text)")
        made.execute("INSERT INTO known VALUES ('some words')")
        made.execute("CREATE VIRTUAL TABLE vectors USING fts5(text)")
        made.execute('CREATE TABLE "odd ""name" (x)')
        made.execute("PRAGMA writable_schema=ON")
        made.execute("UPDATE sqlite_master SET sql='CREATE VIRTUAL TABLE vectors USING vec0(x)' WHERE name='vectors'")
    counted, _ = copy(source)
    assert counted["vectors"] is None
    assert (counted["known"], counted["known_content"], counted['odd "name']) == (1, 1, 0)


def test_locked_database_is_named_after_the_patience_is_over(source, monkeypatch):
    fill(source, "delete")
    monkeypatch.setattr(sqlite_copy, "_BUSY_SECONDS", 0.2)
    with closing(sqlite3.connect(source, isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(JobError, match="was locked by another program") as raised:
            copy(source)
    assert str(source) in raised.value.thing


def test_database_with_an_unfinished_change_is_named_and_left_alone(source):
    fill(source, "delete")
    script = (
        "import sqlite3, sys, os\n"
        "writer = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "writer.execute('PRAGMA cache_size=5')\n"
        "writer.execute('BEGIN')\n"
        "writer.execute(\"UPDATE debit SET text = text || '!'\")\n"
        "os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", script, str(source)], check=True)
    before = tree(source.parent)
    assert before["source.db-journal"]
    with pytest.raises(JobError, match="not rolled back yet"):
        copy(source)
    assert tree(source.parent) == before


def test_copy_with_another_row_count_than_its_source_is_refused(source, monkeypatch):
    fill(source, "delete")
    real = sqlite_copy.check_database
    monkeypatch.setattr(sqlite_copy, "check_database", lambda path, thing: {**real(path, thing), "debit": 399})
    with pytest.raises(JobError, match="does not have the same rows"):
        copy(source)


def damage_tree(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096 * 4 : 4096 * 8] = b"\xff" * (4096 * 4)
    path.write_bytes(content)


def damage_index(path: Path) -> None:
    """Leave every row countable, and the index without a word that the table has."""
    with closing(sqlite3.connect(path, isolation_level=None)) as made:
        made.execute("INSERT INTO debit (text) VALUES ('needle')")
        made.execute("CREATE INDEX by_text ON debit (text)")
        made.execute("VACUUM")
    content = path.read_bytes()
    where = content.index(b"needle")
    path.write_bytes(content[:where] + b"noodle" + content[where + 6 :])


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:10_000])


def keep_only_the_header(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:16] + b"\0" * 5000)


@pytest.mark.parametrize("damage", [damage_tree, damage_index, truncate, keep_only_the_header])
def test_damaged_source_is_named(source, damage):
    fill(source, "delete")
    damage(source)
    with pytest.raises(JobError, match="is damaged") as raised:
        copy(source)
    assert raised.value.thing == f"database {source}"
