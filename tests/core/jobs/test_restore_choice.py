"""Which bundle is meant, what is listed, and restoring as a program."""

from __future__ import annotations

import json
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
from neo_core.jobs.bundles.meta import list_bundles, resolve_bundle
from neo_core.jobs.restore import main
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
    return made


@pytest.fixture
def bundle(workspace: Workspace) -> Path:
    config = Config(jobs=JobsConfig(backup=BackupConfig(include=("docs",))))
    return Path(work(workspace, config).details["bundle"])


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "restored"


def test_bundle_is_found_by_path_name_or_as_the_latest(workspace, bundle, monkeypatch):
    newer = Path(work(workspace, Config()).details["bundle"])
    folder = bundle.parent
    monkeypatch.chdir(folder.parent)
    assert resolve_bundle(str(bundle), folder) == bundle
    assert resolve_bundle(f"backups/{bundle.name}", folder) == bundle
    assert resolve_bundle(bundle.name, folder) == bundle
    assert resolve_bundle("latest", folder) == newer
    (newer / "files" / DATABASE).unlink()
    assert resolve_bundle("latest", folder) == bundle
    assert resolve_bundle("latest", folder, workspace.root) == bundle
    with pytest.raises(JobError, match="holds no complete bundle"):
        resolve_bundle("latest", folder, workspace.root / "another")
    with pytest.raises(JobError, match=f"Known here: {bundle.name}"):
        resolve_bundle("backup-2001-01-01T00-00-00.000Z", folder)
    with pytest.raises(JobError, match="There is no bundle in"):
        resolve_bundle("", folder / "nowhere")


def test_list_shows_the_newest_first_and_says_what_is_wrong(workspace, bundle):
    newer = Path(work(workspace, Config()).details["bundle"])
    (bundle / "files/docs/note.txt").unlink()
    (bundle.parent / "backup-2001-01-01T00-00-00.000Z").mkdir()
    (bundle.parent / "photos").mkdir()
    first, second, third = list_bundles(bundle.parent)
    assert (first.path, first.problem, first.databases, first.files, first.rows) == (newer, "", 1, 1, 20)
    assert first.bytes == (newer / "files" / DATABASE).stat().st_size
    assert first.workspace == str(workspace.root)
    assert (second.path, second.problem) == (bundle, "docs/note.txt: no such file or directory")
    assert "has no bundle-meta.json" in third.problem
    assert third.created_at is None


def test_program_restores_the_latest_and_ends_with_its_record(workspace, bundle, target):
    command = [sys.executable, "-m", "neo_core.jobs.restore", "latest", "--to", target, "--workspace", workspace.root]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    record = json.loads(done.stdout.splitlines()[-1])
    assert record["outcome"] == "completed"
    assert record["details"]["bundle"] == str(bundle)
    assert (record["details"]["target"], record["details"]["rows"]) == (str(target), 20)
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 1
    assert f"target {target}: is not empty" in again.stderr


def test_program_explains_a_bundle_that_is_not_there(workspace, target, capsys, monkeypatch):
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)
    assert main(["nowhere", "--to", str(target), "--workspace", str(workspace.root)]) == 1
    assert "bundle nowhere: does not exist" in capsys.readouterr().err
