"""The index file: killed, damaged, foreign, newer or out of disk, it is whole or says clearly what to do."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from neo_core.config import Config
from neo_core.errors import JobError
from neo_core.jobs import kb_sync
from neo_core.jobs.index.changes import Put
from neo_core.jobs.index.database import APPLICATION_ID, open_index, search
from neo_core.jobs.index.text import Text, read_text
from neo_core.workspace import Workspace, resolve_workspace

if TYPE_CHECKING:
    from pathlib import Path

FILES = 2400
LONG = 250


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.delenv("NEO_AI_ORCHESTRATOR_DIR", raising=False)
    return resolve_workspace(tmp_path)


def fill(workspace: Workspace, number: int, repeated: int = 60) -> None:
    for name in range(number):
        folder = workspace.root / f"d{name % 40}"
        folder.mkdir(exist_ok=True)
        (folder / f"n{name}.md").write_text(f"needle n{name} " + f"filler{name} words and more " * repeated)


def start(workspace: Workspace, *wrapped_in: str) -> subprocess.Popen[bytes]:
    command = [*wrapped_in, sys.executable, "-m", "neo_core.jobs.kb_sync", "--workspace", str(workspace.root)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def rows(workspace: Workspace) -> int:
    try:
        with closing(sqlite3.connect(f"{workspace.search_index.as_uri()}?mode=ro", uri=True, timeout=30)) as database:
            count: int = database.execute("SELECT count(*) FROM files").fetchone()[0]
            return count
    except sqlite3.OperationalError:
        return 0


def wait_for_rows(workspace: Workspace, job: subprocess.Popen[bytes], least: int) -> None:
    deadline = time.monotonic() + 30
    while rows(workspace) < least:
        assert job.poll() is None, "the job ended before it could be disturbed"
        assert time.monotonic() < deadline


def check(workspace: Workspace) -> int:
    """Prove that the index is whole and its two halves agree; return how many files it holds."""
    with closing(sqlite3.connect(workspace.search_index)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        database.execute("INSERT INTO text(text, rank) VALUES ('integrity-check', 1)")
        files = database.execute("SELECT id FROM files ORDER BY id").fetchall()
        assert database.execute("SELECT rowid FROM text ORDER BY rowid").fetchall() == files
        return len(files)


def test_killed_half_way_it_leaves_a_whole_index_that_the_next_run_completes(workspace: Workspace) -> None:
    fill(workspace, FILES, LONG)
    held = 0
    for least in (1, FILES // 4, FILES // 2):
        job = start(workspace)
        wait_for_rows(workspace, job, least)
        job.kill()
        job.communicate()
        assert job.returncode == -signal.SIGKILL
        assert held <= check(workspace) < FILES
        held = check(workspace)
        assert held >= least
    result = kb_sync.sync(workspace, Config())
    assert (result.details["added"], result.details["unchanged"]) == (FILES - held, held)
    assert check(workspace) == FILES


def test_terminated_half_way_it_leaves_a_whole_index(workspace: Workspace) -> None:
    fill(workspace, FILES, LONG)
    job = start(workspace)
    wait_for_rows(workspace, job, 1)
    job.terminate()
    job.communicate()
    assert job.returncode == 128 + signal.SIGTERM
    assert 0 < check(workspace) < FILES


def test_readers_search_while_a_run_writes(workspace: Workspace) -> None:
    fill(workspace, FILES, LONG)
    job = start(workspace)
    wait_for_rows(workspace, job, 1)
    answered = 0
    while job.poll() is None:
        assert len(search(workspace, "needle", 3)) == 3
        answered += 1
    job.communicate()
    assert job.returncode == 0
    assert answered > 0
    assert check(workspace) == FILES


def test_two_runs_at_once_end_with_one_whole_index(workspace: Workspace) -> None:
    fill(workspace, 300)
    jobs = [start(workspace), start(workspace)]
    outputs = [job.communicate() for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0], outputs
    assert check(workspace) == 300


def test_an_index_that_another_run_makes_in_this_moment_is_not_taken_for_a_strangers(workspace, monkeypatch):
    path, others = workspace.search_index, []

    def make():
        with open_index(path):
            pass

    class Looking(sqlite3.Connection):
        def execute(self, statement, *values):
            if "sqlite_master" in statement and not others:
                others.append(threading.Thread(target=make))
                others[0].start()
                others[0].join(0.3)  # it makes the index now, or waits for the one who looks
            return super().execute(statement, *values)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *given, **more: connect(*given, factory=Looking, **more))
    with open_index(path):
        pass
    others[0].join()
    assert check(workspace) == 0


def test_full_disk_is_told_and_leaves_the_last_whole_batch(workspace: Workspace) -> None:
    fill(workspace, 40)
    kb_sync.sync(workspace, Config())
    more = read_text(os.fsencode(workspace.root / "d1" / "n1.md"), 1 << 20)
    assert isinstance(more, Text)
    with open_index(workspace.search_index) as index:
        index._database.execute("PRAGMA max_page_count = 1")
        with pytest.raises(JobError, match=r"the disk is full\. Free some space"):
            index.apply([Put(b"new%d.md" % number, more, 0) for number in range(2000)])
    assert check(workspace) == 40


def test_write_that_fails_in_mid_run_exits_1_and_the_next_run_completes(workspace: Workspace) -> None:
    fill(workspace, 800)
    job = start(workspace, "sh", "-c", 'ulimit -f 2000 && exec "$@"', "sh")
    _, err = job.communicate()
    assert job.returncode == 1
    assert err.decode().startswith(f"kb_sync: index {workspace.search_index}: ")
    assert b"Traceback" not in err
    assert check(workspace) < 800
    assert kb_sync.sync(workspace, Config()).outcome == "completed"
    assert check(workspace) == 800


def damage(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(size - 8192))


def test_damaged_index_of_ours_is_built_anew_beside_and_swapped(workspace: Workspace) -> None:
    fill(workspace, 50)
    kb_sync.sync(workspace, Config())
    damage(workspace.search_index)
    with pytest.raises(JobError, match="is damaged"):
        search(workspace, "needle", 5)
    result = kb_sync.sync(workspace, Config())
    assert (result.details["rebuilt"], result.details["added"]) == (True, 50)
    assert "built anew" in result.summary
    assert [path.name for path in workspace.data.iterdir()] == [workspace.search_index.name]
    assert check(workspace) == 50
    assert len(search(workspace, "needle", 5)) == 5


def test_truncated_index_of_ours_is_built_anew(workspace: Workspace) -> None:
    fill(workspace, 50)
    kb_sync.sync(workspace, Config())
    os.truncate(workspace.search_index, 8192)
    assert kb_sync.sync(workspace, Config()).details["rebuilt"] is True
    assert check(workspace) == 50


def test_rebuild_that_fails_leaves_the_old_file_and_no_remains(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(workspace, 20)
    kb_sync.sync(workspace, Config())
    damage(workspace.search_index)
    before = workspace.search_index.read_bytes()

    def fail(*_: object) -> None:
        raise JobError("index", "cannot be put in place", "Mend it.")

    monkeypatch.setattr(kb_sync, "put_in_place", fail)
    with pytest.raises(JobError, match="put in place"):
        kb_sync.sync(workspace, Config())
    assert workspace.search_index.read_bytes() == before
    assert not list(workspace.data.glob("*.rebuild*"))


def test_file_that_is_not_provably_ours_is_never_touched(workspace: Workspace) -> None:
    workspace.data.mkdir()
    workspace.search_index.write_bytes(b"my diary\n" * 1000)
    with pytest.raises(JobError, match=r"is no index of this program .* remove it \(rm "):
        kb_sync.sync(workspace, Config())
    assert workspace.search_index.read_bytes() == b"my diary\n" * 1000


def test_database_of_another_program_is_never_touched(workspace: Workspace) -> None:
    workspace.data.mkdir()
    with closing(sqlite3.connect(workspace.search_index)) as database:
        database.execute("CREATE TABLE files (id)")
    workspace.search_index.chmod(0o640)
    before = workspace.search_index.read_bytes()
    for attempt in (lambda: kb_sync.sync(workspace, Config()), lambda: search(workspace, "needle", 5)):
        with pytest.raises(JobError, match="is a database of another program"):
            attempt()
    assert workspace.search_index.read_bytes() == before
    assert workspace.search_index.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("attempt", ["sync", "search"])
def test_index_of_a_newer_version_is_refused(workspace: Workspace, attempt: str) -> None:
    fill(workspace, 3)
    kb_sync.sync(workspace, Config())
    with closing(sqlite3.connect(workspace.search_index)) as database:
        database.execute("PRAGMA user_version = 2")
    with pytest.raises(JobError, match="made by a newer neo-console"):
        kb_sync.sync(workspace, Config()) if attempt == "sync" else search(workspace, "needle", 5)
    with closing(sqlite3.connect(workspace.search_index)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (2,)


def test_making_that_was_cut_off_at_any_step_is_taken_up(workspace: Workspace) -> None:
    fill(workspace, 3)
    workspace.data.mkdir()
    workspace.search_index.touch()
    assert kb_sync.sync(workspace, Config()).details["rebuilt"] is False
    assert check(workspace) == 3


def test_identity_is_in_the_file_itself_as_soon_as_there_is_a_table(workspace: Workspace) -> None:
    with open_index(workspace.search_index):
        head = workspace.search_index.read_bytes()[:100]
        assert head[68:72] == APPLICATION_ID.to_bytes(4)


def test_data_folder_that_cannot_be_made_is_told(workspace: Workspace) -> None:
    workspace.data.write_text("a file")
    done = start(workspace)
    out, err = done.communicate()
    assert done.returncode == 1
    assert b"cannot be made" in err
    assert not any(line.startswith(b"{") for line in out.splitlines())


def test_result_counts_are_json(workspace: Workspace) -> None:
    fill(workspace, 2)
    out, _ = start(workspace).communicate()
    assert json.loads(out.splitlines()[-1])["details"]["unreadablePaths"] == []
