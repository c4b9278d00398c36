"""A backup that goes wrong: one clear error, nothing that looks complete, older bundles untouched."""

from __future__ import annotations

import fcntl
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from neo_core.config import BackupConfig, Config, JobsConfig
from neo_core.errors import JobError
from neo_core.jobs.backup import work
from neo_core.jobs.bundles import checking
from neo_core.jobs.bundles.meta import list_bundles
from neo_core.jobs.bundles.scratch import MARKER, Scratch
from neo_core.workspace import Workspace, resolve_workspace

if TYPE_CHECKING:
    from pathlib import Path

PARTIAL = ".partial-backup-2026-11-20T00-00-00.000Z"
LIMIT = 300_000


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "ws" / ".neo-ai-data").mkdir(parents=True)
    return resolve_workspace(tmp_path / "ws")


@pytest.fixture
def older(workspace) -> dict[str, bytes]:
    """One good bundle of before, as it has to be afterwards."""
    make_database(workspace.data / "a.db")
    work(workspace, Config())
    return bundles(workspace)


def make_database(path: Path, rows: int = 3) -> Path:
    with closing(sqlite3.connect(path, isolation_level=None)) as made:
        made.execute("CREATE TABLE memory (id INTEGER PRIMARY KEY, text TEXT)")
        made.execute("BEGIN")
        made.executemany("INSERT INTO memory (text) VALUES (?)", [("x" * 1000,)] * rows)
        made.execute("COMMIT")
    return path


def bundles(workspace: Workspace) -> dict[str, bytes]:
    """Everything in the backup folder, partial folders included."""
    folder = workspace.data / "backups"
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def start(workspace: Workspace, before: str = "") -> subprocess.Popen[str]:
    """Start the job as a process, after the statements ``before`` in the same process."""
    command = [sys.executable, "-m", "neo_core.jobs.backup", "--workspace", str(workspace.root)]
    if before:
        command = [sys.executable, "-c", f"{before}\nimport os\nos.execv({command[0]!r}, {command!r})"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end_half_way(workspace: Workspace, number: signal.Signals) -> int:
    """Let a backup copy its first database, hold it at the second, and send it a signal there."""
    with closing(sqlite3.connect(make_database(workspace.data / "b.db"), isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        job = start(workspace)
        assert job.stdout.readline().startswith("copied .neo-ai-data/a.db")
        assert [path.name for path in (workspace.data / "backups").glob(".partial-*/payload/files/.neo-ai-data/a.db")]
        job.send_signal(number)
        job.communicate(timeout=20)
    return job.returncode


def test_killed_backup_leaves_nothing_that_looks_complete_and_the_next_one_cleans_up(workspace, older):
    assert end_half_way(workspace, signal.SIGKILL) == -signal.SIGKILL
    folder = workspace.data / "backups"
    assert len(list(folder.glob(".partial-backup-*"))) == 1
    assert len(list_bundles(folder)) == 1
    assert not list(folder.glob(".partial-*/bundle-meta.json"))
    done = work(workspace, Config())
    assert done.details["databases"] == 2
    assert not list(folder.glob(".partial-*"))
    assert [info.problem for info in list_bundles(folder)] == ["", ""]


def test_terminated_backup_cleans_up_itself(workspace, older):
    assert end_half_way(workspace, signal.SIGTERM) == 128 + signal.SIGTERM
    assert bundles(workspace) == older
    assert not list((workspace.data / "backups").glob(".partial-*"))


SMALL_FILES_ONLY = f"""
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, ({LIMIT}, {LIMIT}))
"""


def test_disk_that_fills_up_while_a_database_is_copied_is_one_clear_error(workspace, older):
    make_database(workspace.data / "big.db", rows=1000)
    job = start(workspace, SMALL_FILES_ONLY)
    _, told = job.communicate(timeout=20)
    assert job.returncode == 1
    assert told.count("\n") == 1
    assert f"folder {workspace.data / 'backups'}: has no room left" in told
    assert bundles(workspace) == older


def test_disk_that_fills_up_while_a_file_is_copied_is_one_clear_error(workspace, older):
    (workspace.root / "big.bin").write_bytes(b"x" * (LIMIT + 1))
    workspace.config.write_text('[jobs.backup]\ninclude = ["big.bin"]\n')
    job = start(workspace, SMALL_FILES_ONLY)
    _, told = job.communicate(timeout=20)
    assert job.returncode == 1
    assert f"folder {workspace.data / 'backups'}: has no room left (file too large)" in told
    assert bundles(workspace) == older


def test_too_little_free_space_is_told_before_anything_is_copied(workspace, older, monkeypatch):
    make_database(workspace.data / "big.db", rows=1000)
    (workspace.data / "again.db").write_bytes((workspace.data / "big.db").read_bytes())
    monkeypatch.setattr(checking, "free_bytes", lambda folder: 2_000_000)
    with pytest.raises(JobError, match=r"has no room: .* are needed and 1\.9 MiB are free"):
        work(workspace, Config())
    assert bundles(workspace) == older


@pytest.fixture
def small_disk(tmp_path: Path):
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(place)]
    if os.geteuid() or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("no right to mount a small disk here; the file size limit covers the same path")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_disk_that_is_really_full_is_one_clear_error(workspace, small_disk, monkeypatch):
    make_database(workspace.data / "big.db", rows=2000)
    config = Config(jobs=JobsConfig(backup=BackupConfig(folder=str(small_disk))))
    with pytest.raises(JobError, match="has no room: "):
        work(workspace, config)
    monkeypatch.setattr(checking, "free_bytes", lambda folder: 1 << 40)
    with pytest.raises(JobError, match=r"has no room left \(database or disk is full\)"):
        work(workspace, config)
    assert list(small_disk.iterdir()) == []


# Root reads files of mode 000; a program started without these two capabilities does not.
AS_AN_ORDINARY_USER = """
import ctypes, os, sys
if sys.platform == "linux" and os.geteuid() == 0:
    for capability in (1, 2):
        assert ctypes.CDLL(None).prctl(24, capability, 0, 0, 0) == 0
"""


@pytest.mark.parametrize("unreadable", ["b.db", "deep"])
def test_unreadable_source_is_named(workspace, older, unreadable):
    (workspace.data / "deep").mkdir()
    make_database(workspace.data / "deep" / "c.db")
    make_database(workspace.data / "b.db")
    (workspace.data / unreadable).chmod(0)
    try:
        job = start(workspace, AS_AN_ORDINARY_USER)
        _, told = job.communicate(timeout=20)
    finally:
        (workspace.data / unreadable).chmod(0o700)
    assert job.returncode == 1
    assert f"{workspace.data / unreadable}: cannot be read: permission denied" in told
    assert bundles(workspace) == older


def test_damaged_database_fails_the_whole_backup_by_its_name(workspace, older):
    path = make_database(workspace.data / "b.db", rows=100)
    content = path.read_bytes()
    path.write_bytes(content[:8192] + b"\xff" * 8192 + content[16384:])
    with pytest.raises(JobError, match="is damaged") as raised:
        work(workspace, Config())
    assert raised.value.thing == f"database {path}"
    assert bundles(workspace) == older


def test_backup_folder_that_is_a_file_is_named(workspace):
    make_database(workspace.data / "a.db")
    (workspace.data / "backups").write_text("in the way")
    with pytest.raises(JobError, match="cannot be written") as raised:
        work(workspace, Config())
    assert str(workspace.data / "backups") in raised.value.thing


def test_file_that_never_rests_is_named(workspace, monkeypatch):
    log = workspace.root / "busy.log"
    log.write_text("line\n")
    read = os.read

    def read_and_grow(descriptor: int, size: int) -> bytes:
        with log.open("a") as writer:
            writer.write("line\n")
        return b"" if log.stat().st_size > 100 else read(descriptor, size)

    config = Config(jobs=JobsConfig(backup=BackupConfig(include=("busy.log",))))
    monkeypatch.setattr(os, "read", read_and_grow)
    with pytest.raises(JobError, match="keeps changing while it is copied"):
        work(workspace, config)
    monkeypatch.undo()
    assert work(workspace, config).details["files"] == 1


def foreign_name(folder: Path) -> None:
    (folder / ".partial-backup-mine").mkdir()
    (folder / ".partial-backup-mine" / MARKER).touch()


def without_marker(folder: Path) -> None:
    (folder / PARTIAL).mkdir()
    (folder / PARTIAL / "payload").mkdir()


def with_something_of_the_user(folder: Path) -> None:
    (folder / PARTIAL / "payload").mkdir(parents=True)
    (folder / PARTIAL / MARKER).touch()
    (folder / PARTIAL / "thesis.txt").write_text("mine")


def link_to_elsewhere(folder: Path) -> None:
    (folder.parent / "elsewhere" / "payload").mkdir(parents=True)
    (folder.parent / "elsewhere" / MARKER).touch()
    (folder / PARTIAL).symlink_to(folder.parent / "elsewhere")


@pytest.mark.parametrize("put", [foreign_name, without_marker, with_something_of_the_user, link_to_elsewhere])
def test_leftover_that_is_not_ours_is_never_removed(workspace, older, put):
    folder = workspace.data / "backups"
    put(folder)
    before = sorted(folder.parent.rglob("*"))
    work(workspace, Config())
    assert set(before) <= set(folder.parent.rglob("*"))


def test_partial_folder_of_a_backup_at_work_is_left_alone(workspace, older):
    folder = workspace.data / "backups"
    with Scratch(folder / PARTIAL) as living:
        (living.payload / "half").write_text("half")
        work(workspace, Config())
        assert (living.payload / "half").read_text() == "half"


@pytest.mark.parametrize("content", [(), (MARKER,), (MARKER, "payload")])
def test_leftover_of_every_stage_is_removed(workspace, older, content):
    partial = workspace.data / "backups" / PARTIAL
    partial.mkdir()
    for name in content:
        (partial / name).mkdir() if name == "payload" else (partial / name).touch()
    work(workspace, Config())
    assert not partial.exists()


def test_removing_an_old_bundle_that_fails_does_not_fail_the_backup(workspace, older, monkeypatch, capsys):
    folder = workspace.data / "backups"
    (old,) = [info.name for info in list_bundles(folder)]
    (folder / f".partial-{old}").mkdir()
    (folder / f".partial-{old}" / "thesis.txt").write_text("mine")
    done = work(workspace, Config(jobs=JobsConfig(backup=BackupConfig(keep=1))))
    assert done.details["removed"] == []
    assert f"could not remove the old bundle {old}" in capsys.readouterr().out
    assert (folder / old / "bundle-meta.json").exists()


def test_marker_lock_dies_with_its_maker(tmp_path):
    with Scratch(tmp_path / PARTIAL), (tmp_path / PARTIAL / MARKER).open() as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert list(tmp_path.iterdir()) == []
