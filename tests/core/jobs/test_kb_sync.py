"""kbSync: the index says what the files say, and the second run does only what changed."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from neo_core.config import Config, JobsConfig, KbSyncConfig
from neo_core.jobs.index.database import search
from neo_core.jobs.kb_sync import sync
from neo_core.workspace import Workspace, resolve_workspace

if TYPE_CHECKING:
    from collections.abc import Iterator


class ShiftedClock:
    """The machine's clock, some seconds off: later than two seconds after a write, a stamp counts as settled."""

    def __init__(self, shift: float) -> None:
        self.shift = shift

    def now(self) -> float:
        return time.time() + self.shift

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        raise AssertionError("kbSync has nothing to wait for")


SETTLED = ShiftedClock(10.0)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.delenv("NEO_AI_ORCHESTRATOR_DIR", raising=False)
    return resolve_workspace(tmp_path)


def write(workspace: Workspace, files: dict[str, str | bytes]) -> None:
    for name, content in files.items():
        path = workspace.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def counts(details: dict[str, object]) -> tuple[object, ...]:
    return tuple(details[name] for name in ("added", "updated", "removed", "unchanged", "skipped"))


def found(workspace: Workspace, words: str) -> list[str]:
    return [hit.path for hit in search(workspace, words, 50)]


def restamp(workspace: Workspace, name: str) -> None:
    """Give the index the file's present stamp, as a clock too coarse to tell two writes apart would have."""
    seen = (workspace.root / name).stat()
    with closing(sqlite3.connect(workspace.search_index)) as database, database:
        database.execute(
            "UPDATE files SET size = ?, mtime_ns = ?, ctime_ns = ?, inode = ? WHERE path = ?",
            (seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino, name.encode()),
        )


def test_first_run_adds_every_text_and_its_words_are_found(workspace: Workspace) -> None:
    write(workspace, {"notes/dream.md": "The dream graph\n", "src/main.py": "print('lease')\n"})
    result = sync(workspace, Config())
    assert result.outcome == "completed"
    assert counts(result.details) == (2, 0, 0, 0, 0)
    assert result.details["index"] == str(workspace.search_index)
    assert result.details["seconds"] >= 0
    assert found(workspace, "dream") == ["notes/dream.md"]
    assert found(workspace, "lease") == ["src/main.py"]


def test_second_run_changes_only_what_differs(workspace: Workspace) -> None:
    write(workspace, {"a.md": "alpha", "b.md": "beta", "c.md": "gamma"})
    sync(workspace, Config(), SETTLED)
    write(workspace, {"b.md": "delta", "d.md": "epsilon"})
    (workspace.root / "c.md").unlink()
    result = sync(workspace, Config(), SETTLED)
    assert counts(result.details) == (1, 1, 1, 1, 0)
    assert found(workspace, "delta") == ["b.md"]
    assert found(workspace, "epsilon") == ["d.md"]
    assert found(workspace, "beta") == []
    assert found(workspace, "gamma") == []


def test_touched_file_with_the_same_content_counts_as_unchanged_and_is_trusted_again(workspace: Workspace) -> None:
    write(workspace, {"a.md": "alpha"})
    sync(workspace, Config(), SETTLED)
    os.utime(workspace.root / "a.md", (1, 1))
    assert counts(sync(workspace, Config(), SETTLED).details) == (0, 0, 0, 1, 0)
    with closing(sqlite3.connect(workspace.search_index)) as database:
        assert database.execute("SELECT mtime_ns FROM files").fetchall() == [(1_000_000_000,)]


def test_change_within_the_clocks_grain_is_seen_because_a_fresh_stamp_is_not_trusted(workspace: Workspace) -> None:
    write(workspace, {"a.md": "alpha"})
    sync(workspace, Config())
    write(workspace, {"a.md": "omega"})
    restamp(workspace, "a.md")
    assert counts(sync(workspace, Config()).details) == (0, 1, 0, 0, 0)
    assert found(workspace, "omega") == ["a.md"]


def test_settled_stamp_spares_the_reading(workspace: Workspace) -> None:
    write(workspace, {"a.md": "alpha"})
    sync(workspace, Config(), SETTLED)
    write(workspace, {"a.md": "omega"})
    restamp(workspace, "a.md")
    assert counts(sync(workspace, Config(), SETTLED).details) == (0, 0, 0, 1, 0)


def test_same_size_and_restored_mtime_do_not_hide_a_change(workspace: Workspace) -> None:
    write(workspace, {"a.md": "alpha"})
    before = (workspace.root / "a.md").stat()
    sync(workspace, Config(), SETTLED)
    write(workspace, {"a.md": "omega"})
    os.utime(workspace.root / "a.md", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert counts(sync(workspace, Config(), SETTLED).details) == (0, 1, 0, 0, 0)


def test_binary_and_large_files_are_skipped_counted_and_leave_the_index(workspace: Workspace) -> None:
    config = Config(jobs=JobsConfig(kb_sync=KbSyncConfig(max_file_bytes=20_000)))
    write(workspace, {"a.txt": "alpha", "b.txt": "beta", "c.txt": "gamma"})
    sync(workspace, config)
    write(workspace, {"a.txt": b"alpha\0", "b.txt": b"beta \xff", "c.txt": b"gamma" * 4001, "d.txt": b"x" * 20_000})
    result = sync(workspace, config)
    assert counts(result.details) == (1, 0, 3, 0, 3)
    assert (result.details["skippedBinary"], result.details["skippedTooLarge"]) == (2, 1)
    assert found(workspace, "alpha") == found(workspace, "beta") == found(workspace, "gamma") == []


def test_lowered_size_limit_removes_an_unchanged_file(workspace: Workspace) -> None:
    write(workspace, {"a.txt": "alpha " * 100})
    sync(workspace, Config(), SETTLED)
    smaller = Config(jobs=JobsConfig(kb_sync=KbSyncConfig(max_file_bytes=100)))
    assert counts(sync(workspace, smaller, SETTLED).details) == (0, 0, 1, 0, 1)


def test_nul_after_the_head_is_text_and_hides_nothing_behind_it(workspace: Workspace) -> None:
    write(workspace, {"a.txt": b"x\n" * 4096 + b"before\0after"})
    sync(workspace, Config())
    (hit,) = search(workspace, "after", 5)
    assert (hit.line, hit.snippet) == (4097, "before after")


def test_file_name_that_is_not_utf8_is_indexed_and_removed_again(workspace: Workspace) -> None:
    name = os.fsencode(workspace.root) + b"/caf\xe9.md"
    try:
        Path(os.fsdecode(name)).write_text("espresso")
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    sync(workspace, Config())
    assert found(workspace, "espresso") == ["caf\N{REPLACEMENT CHARACTER}.md"]
    Path(os.fsdecode(name)).unlink()
    assert counts(sync(workspace, Config()).details) == (0, 0, 1, 0, 0)


def test_index_is_private_to_its_user(workspace: Workspace) -> None:
    write(workspace, {"a.md": "alpha"})
    before = os.umask(0)
    try:
        sync(workspace, Config())
    finally:
        os.umask(before)
    assert stat.S_IMODE(workspace.search_index.stat().st_mode) == 0o600
    assert stat.S_IMODE(workspace.data.stat().st_mode) == 0o700
    workspace.search_index.chmod(0o644)
    sync(workspace, Config())
    assert stat.S_IMODE(workspace.search_index.stat().st_mode) == 0o600


@pytest.fixture
def as_ordinary_user() -> Iterator[Path]:
    """A folder of a user whom file modes bind, whoever runs the tests."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if os.geteuid() != 0:
            yield folder
            return
        # What Python loads on first use must be loaded before: the ordinary user may not read where it lies.
        with tempfile.TemporaryDirectory() as warm:
            (Path(warm) / "a.md").write_text("alpha", encoding="utf-8-sig")
            sync(resolve_workspace(warm), Config())
        os.chown(folder, 65534, 65534)
        os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(0)


def test_unreadable_file_and_folder_are_named_and_not_fatal(as_ordinary_user: Path) -> None:
    workspace = resolve_workspace(as_ordinary_user)
    write(workspace, {"open.md": "alpha", "closed.md": "secret", "shut/in.md": "beta"})
    (workspace.root / "closed.md").chmod(0)
    (workspace.root / "shut").chmod(0)
    try:
        result = sync(workspace, Config())
    finally:
        (workspace.root / "shut").chmod(0o700)
    assert result.outcome == "completed"
    assert counts(result.details) == (1, 0, 0, 0, 2)
    assert result.details["unreadable"] == 2
    assert result.details["unreadablePaths"] == ["shut", "closed.md"]
    assert "2 cannot be read, such as shut" in result.summary


def test_job_ends_with_its_result_as_the_last_line(workspace: Workspace) -> None:
    write(workspace, {"a.md": "alpha"})
    command = [sys.executable, "-m", "neo_core.jobs.kb_sync", "--workspace", str(workspace.root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["outcome"], told["deferred"], told["details"]["added"]) == ("completed", False, 1)
