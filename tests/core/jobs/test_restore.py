"""Restoring: exactly what was backed up, or one clear error and nothing at all."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from neo_core.config import BackupConfig, Config, JobsConfig
from neo_core.errors import JobError
from neo_core.jobs.backup import work
from neo_core.jobs.bundles import checking
from neo_core.jobs.bundles.meta import list_bundles
from neo_core.jobs.restore import restore
from neo_core.workspace import Workspace, resolve_workspace

DATABASE = ".neo-ai-data/memory.db"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "ws" / ".neo-ai-data").mkdir(parents=True)
    made = resolve_workspace(tmp_path / "ws")
    with closing(sqlite3.connect(made.data / "memory.db", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=wal")
        database.execute("CREATE TABLE memory (id INTEGER PRIMARY KEY, text TEXT)")
        database.executemany("INSERT INTO memory (text) VALUES (?)", [("x" * 1000,)] * 20)
    (made.root / "docs").mkdir()
    (made.root / "docs" / "note.txt").write_text("a note")
    (made.root / "docs" / "link").symlink_to("./note.txt")
    return made


@pytest.fixture
def bundle(workspace: Workspace) -> Path:
    config = Config(jobs=JobsConfig(backup=BackupConfig(include=("docs",))))
    return Path(work(workspace, config).details["bundle"])


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "restored"


def edit_meta(bundle: Path, edit) -> None:
    path = bundle / "bundle-meta.json"
    meta = json.loads(path.read_text())
    edit(meta)
    path.write_text(json.dumps(meta))


def entry(meta: dict, path: str) -> dict:
    return next(file for file in meta["files"] if file["path"] == path)


def assert_nothing_restored(target: Path) -> None:
    assert not target.exists()
    assert not list(target.parent.glob(".partial-restore-*"))


def test_restored_folder_is_what_was_backed_up(bundle, target):
    done = restore(bundle, target)
    assert (done.files, done.databases, done.rows, done.target) == (3, 1, 20, target)
    assert (target / "docs/note.txt").read_text() == "a note"
    assert os.readlink(target / "docs/link") == "./note.txt"
    assert sorted(str(path.relative_to(target)) for path in target.rglob("*") if not path.is_dir()) == sorted(
        [DATABASE, "docs/note.txt", "docs/link"]
    )
    with closing(sqlite3.connect(target / DATABASE)) as database:
        assert database.execute("SELECT count(*), min(length(text)) FROM memory").fetchone() == (20, 1000)
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert [path.name for path in target.parent.iterdir() if path.name.startswith(".partial")] == []


def test_restoring_leaves_the_bundle_as_it_was(bundle, target):
    before = {path: path.lstat().st_mtime_ns for path in bundle.rglob("*")}
    restore(bundle, target)
    assert {path: path.lstat().st_mtime_ns for path in bundle.rglob("*")} == before


def test_restoring_prints_nothing_and_tells_every_file(bundle, target, capsys):
    capsys.readouterr()
    told: list[str] = []
    restore(bundle, target, tell=told.append)
    assert [line.split()[1] for line in told] == [DATABASE, "docs/link", "docs/note.txt"]
    restore(bundle, target / "again")
    assert capsys.readouterr().out == ""


def test_empty_folder_is_an_accepted_target(bundle, target):
    target.mkdir()
    restore(bundle, target)
    assert (target / "docs/note.txt").exists()


def test_folders_above_the_target_are_made(bundle, target):
    restore(bundle, target / "deep" / "er")
    assert (target / "deep" / "er" / DATABASE).exists()


def test_target_with_content_is_never_touched(bundle, target):
    target.mkdir()
    (target / "thesis.txt").write_text("mine")
    with pytest.raises(JobError, match="is not empty"):
        restore(bundle, target)
    assert [path.name for path in target.iterdir()] == ["thesis.txt"]


def test_target_that_is_a_file_or_lies_in_the_bundle_is_refused(bundle, target):
    target.write_text("mine")
    with pytest.raises(JobError, match="is not a folder"):
        restore(bundle, target)
    assert target.read_text() == "mine"
    with pytest.raises(JobError, match="lies in the bundle itself"):
        restore(bundle, bundle / "files" / "new")
    assert not (bundle / "files" / "new").exists()


def flip(bundle: Path) -> None:
    path = bundle / "files/docs/note.txt"
    path.write_text("a nope")


def flip_database(bundle: Path) -> None:
    path = bundle / "files" / DATABASE
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def shorten(bundle: Path) -> None:
    (bundle / "files/docs/note.txt").write_text("a")


def lose(bundle: Path) -> None:
    (bundle / "files/docs/note.txt").unlink()


def redirect(bundle: Path) -> None:
    (bundle / "files/docs").rename(bundle / "moved")
    (bundle / "files/docs").symlink_to(bundle / "moved")


def swap_for_a_link(bundle: Path) -> None:
    path = bundle / "files/docs/note.txt"
    path.rename(bundle / "moved")
    path.symlink_to(bundle / "moved")


def point_elsewhere(bundle: Path) -> None:
    path = bundle / "files/docs/link"
    path.unlink()
    path.symlink_to("./nope.txt")


def forget_rows(bundle: Path) -> None:
    edit_meta(bundle, lambda meta: entry(meta, DATABASE)["tables"].update(memory=21))


def invent_a_table(bundle: Path) -> None:
    edit_meta(bundle, lambda meta: entry(meta, DATABASE)["tables"].update(dreams=1))


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (flip, "docs/note.txt has another content"),
        (flip_database, f"{DATABASE} has another content"),
        (shorten, "docs/note.txt has 1 bytes where 6 belong"),
        (lose, "docs/note.txt is missing"),
        (redirect, "is reached through a link"),
        (swap_for_a_link, "docs/note.txt is not a file any more"),
        (point_elsewhere, "docs/link has another content"),
        (forget_rows, "table memory has 20 rows where 21 belong"),
        (invent_a_table, "has other tables"),
    ],
)
def test_damaged_bundle_is_refused_naming_the_file(bundle, target, damage, told):
    damage(bundle)
    with pytest.raises(JobError) as raised:
        restore(bundle, target)
    assert raised.value.thing == f"bundle {bundle}"
    assert told in raised.value.cause
    assert_nothing_restored(target)


def test_database_with_the_right_hash_that_is_not_sound_is_refused(bundle, target):
    path = bundle / "files" / DATABASE
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * (path.stat().st_size - 4096))
    digest = checking.digest_file(path)
    edit_meta(bundle, lambda meta: entry(meta, DATABASE).update(sha256=digest.sha256))
    with pytest.raises(JobError, match="is damaged") as raised:
        restore(bundle, target)
    assert DATABASE in raised.value.thing
    assert_nothing_restored(target)


def rename_file(path: str):
    return lambda meta: entry(meta, "docs/note.txt").update(path=path)


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        (rename_file("../../escaped.txt"), "leads out of the bundle"),
        (rename_file("/tmp/escaped.txt"), "leads out of the bundle"),
        (rename_file("docs/../../escaped.txt"), "leads out of the bundle"),
        (rename_file("docs/link/escaped.txt"), "lies below another file"),
        (rename_file("docs/link"), "names a path twice"),
        (rename_file("."), "leads out of the bundle"),
        (lambda meta: meta.update(version=2), "is of version 2"),
        (lambda meta: meta.update(version="1"), "is damaged"),
        (lambda meta: meta.update(surprise=True), "is damaged"),
        (lambda meta: meta.update(createdAt="yesterday"), "is damaged"),
        (lambda meta: entry(meta, DATABASE).update(sha256="ABC"), "is damaged"),
        (lambda meta: entry(meta, DATABASE).update(bytes=-1), "is damaged"),
    ],
)
def test_meta_that_cannot_be_trusted_is_refused(bundle, target, edit, told):
    edit_meta(bundle, edit)
    with pytest.raises(JobError, match=told):
        restore(bundle, target)
    assert_nothing_restored(target)
    assert list_bundles(bundle.parent)[0].problem


@pytest.mark.parametrize(("content", "told"), [(None, "has no bundle-meta.json"), (b"{", "is damaged")])
def test_missing_or_broken_meta_is_told_apart(bundle, target, content, told):
    (bundle / "bundle-meta.json").unlink()
    if content is not None:
        (bundle / "bundle-meta.json").write_bytes(content)
    with pytest.raises(JobError, match=told):
        restore(bundle, target)


def test_copy_that_does_not_match_after_restoring_is_refused(bundle, target, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda to, data: real(to, bytes(data).replace(b"a note", b"a nope")))
    with pytest.raises(JobError, match=r"docs/note\.txt has another content") as raised:
        restore(bundle, target)
    assert raised.value.thing == f"copy in {target}"
    assert_nothing_restored(target)


def test_too_little_space_is_told_before_anything_is_copied(bundle, target, monkeypatch):
    monkeypatch.setattr(checking, "free_bytes", lambda folder: 1000)
    with pytest.raises(JobError, match="1000 bytes are free"):
        restore(bundle, target)
    assert_nothing_restored(target)


def test_killed_restore_does_not_look_complete_and_can_be_repeated(bundle, target):
    script = (
        "import sys, time, pathlib, neo_core.jobs.restore as job\n"
        "tell = lambda text: (print(text, flush=True), time.sleep(60))\n"
        "job.restore(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), tell=tell)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script, bundle, target], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline().startswith("restored ")
    partial = target.with_name(".partial-restore-restored")
    assert partial.is_dir()
    with pytest.raises(JobError, match="is in the way"):
        restore(bundle, target)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)
    assert not target.exists()
    restore(bundle, target)
    assert (target / DATABASE).exists()
    assert not partial.exists()
