"""The job as an operator meets it: bundles, what goes in, what stays out, what stays."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from neo_core.clock import from_iso, to_iso
from neo_core.config import BackupConfig, Config, JobsConfig
from neo_core.durations import Duration
from neo_core.errors import JobError
from neo_core.jobs.backup import work
from neo_core.jobs.bundles.meta import BundleInfo, list_bundles, read_meta
from neo_core.jobs.bundles.retention import choose_dropped
from neo_core.workspace import Workspace, resolve_workspace

NOON = from_iso("2026-11-21T12:00:00.000Z")
DAY = 86400.0


class FrozenClock:
    def __init__(self, now: float = NOON) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "ws" / ".neo-ai-data").mkdir(parents=True)
    return resolve_workspace(tmp_path / "ws")


def make_database(path: Path, rows: int = 3, mode: str = "delete") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as made:
        made.execute(f"PRAGMA journal_mode={mode}")
        made.execute("CREATE TABLE memory (id INTEGER PRIMARY KEY, text TEXT)")
        made.executemany("INSERT INTO memory (text) VALUES (?)", [(f"row {number}",) for number in range(rows)])
    return path


def configured(**told) -> Config:
    return Config(jobs=JobsConfig(backup=BackupConfig(**told)))


def back_up(workspace: Workspace, clock: FrozenClock | None = None, **told):
    return work(workspace, configured(**told), clock=clock or FrozenClock())


def contents(bundle: str) -> dict[str, str]:
    return {file.path: file.kind for file in read_meta(Path(bundle)).files}


def test_program_ends_with_the_record_of_a_restorable_bundle(workspace):
    make_database(workspace.data / "memory.db", rows=5)
    done = subprocess.run(
        [sys.executable, "-m", "neo_core.jobs.backup", "--workspace", str(workspace.root)],
        capture_output=True,
        text=True,
        check=True,
    )
    record = json.loads(done.stdout.splitlines()[-1])
    bundle = Path(record["details"]["bundle"])
    copy = bundle / "files/.neo-ai-data/memory.db"
    assert record["outcome"] == "completed"
    assert record["deferred"] is False
    assert record["details"] == {
        "bundle": str(bundle),
        "databases": 1,
        "files": 0,
        "tables": 1,
        "rows": 5,
        "bytes": copy.stat().st_size,
        "removed": [],
    }
    with closing(sqlite3.connect(copy)) as copied:
        assert copied.execute("SELECT text FROM memory ORDER BY id").fetchall()[4] == ("row 4",)


def test_meta_describes_every_file_of_the_bundle(workspace):
    make_database(workspace.data / "memory.db", rows=7)
    (workspace.root / "notes.txt").write_text("notes")
    (workspace.root / "link").symlink_to("./notes.txt")
    bundle = Path(back_up(workspace, include=("notes.txt", "link")).details["bundle"])
    assert bundle.name == "backup-2026-11-21T12-00-00.000Z"
    meta = json.loads((bundle / "bundle-meta.json").read_text())
    assert meta["version"] == 1
    assert meta["createdAt"] == "2026-11-21T12:00:00.000Z"
    assert meta["workspace"] == str(workspace.root)
    found = {file["path"]: file for file in meta["files"]}
    assert found["notes.txt"]["sha256"] == hashlib.sha256(b"notes").hexdigest()
    assert found["link"]["sha256"] == hashlib.sha256(b"./notes.txt").hexdigest()
    assert (found["link"]["kind"], found["link"]["bytes"]) == ("symlink", 11)
    database = found[".neo-ai-data/memory.db"]
    copied = (bundle / "files/.neo-ai-data/memory.db").read_bytes()
    assert database["tables"] == {"memory": 7}
    assert (database["bytes"], database["sha256"]) == (len(copied), hashlib.sha256(copied).hexdigest())


def test_bundle_is_private_to_its_user(workspace):
    make_database(workspace.data / "deep" / "memory.db")
    (workspace.root / "notes.txt").write_text("notes")
    old = os.umask(0)
    try:
        bundle = Path(back_up(workspace, include=("notes.txt",)).details["bundle"])
    finally:
        os.umask(old)
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in [bundle.parent, bundle, *bundle.rglob("*")]}
    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}


def test_databases_are_known_by_content_and_not_by_name(workspace):
    make_database(workspace.data / "chroma" / "deep" / "no-extension")
    (workspace.data / "looks-like.sqlite3").write_text("plain text")
    (workspace.data / "empty.db").touch()
    assert contents(back_up(workspace).details["bundle"]) == {".neo-ai-data/chroma/deep/no-extension": "sqlite"}


def test_links_pipes_and_earlier_bundles_in_the_data_folder_are_left_out(workspace, tmp_path):
    outside = make_database(tmp_path / "outside" / "other.db")
    make_database(workspace.data / "memory.db")
    (workspace.data / "link.db").symlink_to(outside)
    (workspace.data / "linked").symlink_to(outside.parent)
    os.mkfifo(workspace.data / "pipe")
    clock = FrozenClock()
    back_up(workspace, clock)
    clock.sleep(60)
    assert contents(back_up(workspace, clock).details["bundle"]) == {".neo-ai-data/memory.db": "sqlite"}


def test_data_folder_that_is_itself_a_link_is_backed_up(tmp_path):
    make_database(tmp_path / "disk" / "memory.db")
    (tmp_path / "ws").mkdir()
    (tmp_path / "ws" / ".neo-ai-data").symlink_to(tmp_path / "disk")
    done = back_up(resolve_workspace(tmp_path / "ws"), include=(".",))
    assert contents(done.details["bundle"]) == {".neo-ai-data/memory.db": "sqlite"}


def test_nothing_to_copy_is_skipped_with_its_reason(workspace):
    done = back_up(workspace)
    assert (done.outcome, done.reason_code) == ("skipped", "nothing-to-back-up")
    assert str(workspace.data) in done.summary
    assert list_bundles(workspace.data / "backups") == []


def test_included_folder_is_copied_without_leases_locks_and_companions(workspace):
    kept = workspace.data / "extra"
    database = make_database(kept / "inside.db", mode="wal")
    for name in (
        "heavy-maintenance-lease.json",
        "heavy-maintenance-lease.json.hold",
        "daemon.lock",
        "note.txt",
        "x-wal",
    ):
        (kept / name).write_text(name)
    (kept / "sub").mkdir()
    (kept / "sub" / "link").symlink_to("/etc")
    (workspace.root / "uv.lock").write_text("a file of the project, not a lock of the machine")
    with closing(sqlite3.connect(database)) as busy:
        busy.execute("INSERT INTO memory (text) VALUES ('kept in the -wal')")
        busy.commit()
        assert (kept / "inside.db-wal").stat().st_size > 0
        bundle = back_up(workspace, include=(".neo-ai-data/extra", "uv.lock")).details["bundle"]
    assert contents(bundle) == {
        ".neo-ai-data/extra/inside.db": "sqlite",
        ".neo-ai-data/extra/note.txt": "file",
        ".neo-ai-data/extra/sub/link": "symlink",
        ".neo-ai-data/extra/x-wal": "file",
        "uv.lock": "file",
    }
    assert str((Path(bundle) / "files/.neo-ai-data/extra/sub/link").readlink()) == "/etc"


@pytest.mark.parametrize("told", ["missing.txt", "../outside", "/etc/hostname", "", "door/hostname", "a.lock/../x"])
def test_include_that_cannot_be_meant_names_its_key(workspace, told):
    (workspace.root / "door").symlink_to("/etc")
    with pytest.raises(JobError) as raised:
        back_up(workspace, include=(told,))
    assert raised.value.thing == "jobs.backup.include"
    assert repr(told) in raised.value.cause


@pytest.mark.parametrize("told", [".neo-ai-data/held.lock", ".neo-ai-data/backups/mine"])
def test_include_of_what_is_always_left_out_is_refused_aloud(workspace, told):
    (workspace.root / told).parent.mkdir(exist_ok=True)
    (workspace.root / told).write_text("x")
    with pytest.raises(JobError, match=r"jobs\.backup\.include"):
        back_up(workspace, include=(told,))


@pytest.mark.parametrize("folder", [".neo-ai-data", "."])
def test_backup_folder_must_not_hold_the_data(workspace, folder):
    make_database(workspace.data / "memory.db")
    with pytest.raises(JobError, match=r"jobs\.backup\.folder"):
        back_up(workspace, folder=folder)


def test_absolute_backup_folder_is_used(workspace, tmp_path):
    make_database(workspace.data / "memory.db")
    done = back_up(workspace, folder=str(tmp_path / "elsewhere"))
    assert Path(done.details["bundle"]).parent == tmp_path / "elsewhere"


def test_two_bundles_of_the_same_millisecond_have_two_names(workspace):
    make_database(workspace.data / "memory.db")
    names = {Path(back_up(workspace).details["bundle"]).name for _ in range(2)}
    assert names == {"backup-2026-11-21T12-00-00.000Z", "backup-2026-11-21T12-00-00.001Z"}


def test_only_the_newest_bundles_are_kept(workspace):
    make_database(workspace.data / "memory.db")
    clock = FrozenClock()
    done = []
    for _ in range(5):
        done.append(back_up(workspace, clock, keep=3))
        clock.sleep(3600)
    made = [Path(result.details["bundle"]).name for result in done]
    assert [result.details["removed"] for result in done] == [[], [], [], [made[0]], [made[1]]]
    assert sorted(path.name for path in (workspace.data / "backups").iterdir()) == made[2:]


def test_foreign_incomplete_and_other_workspaces_bundles_outlive_retention(workspace, tmp_path):
    folder = tmp_path / "shared"
    old = folder / "backup-2020-01-01T00-00-00.000Z"
    old.mkdir(parents=True)
    (folder / "photos").mkdir()
    other = resolve_workspace(tmp_path)
    make_database(other.data / "memory.db")
    back_up(other, FrozenClock(NOON - 90 * DAY), folder=str(folder))
    make_database(workspace.data / "memory.db")
    first = Path(back_up(workspace, FrozenClock(NOON - DAY), folder=str(folder), keep=1).details["bundle"])
    (first / "files/.neo-ai-data/memory.db").unlink()
    done = back_up(workspace, folder=str(folder), keep=1)
    assert done.details["removed"] == []
    assert len(list(folder.iterdir())) == 5


def info(name: str, days_old: float, problem: str = "") -> BundleInfo:
    return BundleInfo(name=name, path=Path(name), created_at=NOON - days_old * DAY, problem=problem)


@pytest.mark.parametrize(
    ("bundles", "keep", "max_age", "dropped"),
    [
        ([info("new", 0), info("a", 1), info("b", 2)], 3, 7 * DAY, []),
        ([info("new", 0), info("a", 1), info("b", 2)], 2, 7 * DAY, ["b"]),
        ([info("new", 0), info("a", 6.9), info("b", 7.1)], 3, 7 * DAY, ["b"]),
        ([info("new", 0), info("a", 400)], 3, 0, []),
        ([info("new", 8)], 1, 7 * DAY, []),
        ([info("new", 0), info("future", -3)], 1, 7 * DAY, []),
        ([info("new", 0), info("broken", 1, "damaged"), info("a", 2)], 2, 7 * DAY, []),
    ],
    ids=["few", "count", "age", "no-age-limit", "last-one-however-old", "clock-went-back", "damaged-count-for-nothing"],
)
def test_retention_drops_by_count_or_age_but_never_the_last_good_one(bundles, keep, max_age, dropped):
    chosen = choose_dropped(bundles, keep=keep, max_age=max_age, now=NOON, newest="new")
    assert [bundle.name for bundle in chosen] == dropped


def test_age_is_that_in_the_meta_and_not_of_the_folder(workspace):
    make_database(workspace.data / "memory.db")
    old = Path(back_up(workspace, FrozenClock(NOON - 8 * DAY)).details["bundle"])
    os.utime(old, (NOON, NOON))
    done = back_up(workspace, max_age=Duration(7 * DAY))
    assert done.details["removed"] == [old.name]
    assert to_iso(NOON) == read_meta(Path(done.details["bundle"])).created_at


def test_databases_beside_the_data_folder_are_counted_until_they_are_included(workspace):
    make_database(workspace.data / "memory.db")
    make_database(workspace.root / "notes.db")
    make_database(workspace.root / "deep" / "far.db")
    (workspace.root / "letter.txt").write_text("no database")
    assert back_up(workspace).summary.endswith("; 1 database beside .neo-ai-data is not in jobs.backup.include")
    make_database(workspace.root / "more.sqlite")
    assert "; 2 databases beside .neo-ai-data are not in" in back_up(workspace).summary
    told = back_up(workspace, include=("notes.db", "more.sqlite")).summary
    assert told.startswith("3 databases and 0 files, ")
    assert "jobs.backup.include" not in told
