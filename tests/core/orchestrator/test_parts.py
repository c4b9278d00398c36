"""The orchestrator's small parts: its lock, its log, and what it says only once."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys

import pytest
from filelock import FileLock, Timeout

from neo_core.clock import SystemClock
from neo_core.errors import NeoError
from neo_core.incumbent import read_incumbent
from neo_core.orchestrator.instance import IncumbentError, identity_here, take_instance_lock
from neo_core.orchestrator.log import ChangeLog, OrchestratorLog
from neo_core.orchestrator.reload import ConfigWatch, in_force, load_settings
from neo_core.processes.source import system_source
from neo_core.workspace import ensure_state

LINE = re.compile(r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] \[PID:\d+\] \[[A-Z]+\] .+")


@pytest.fixture
def ready(workspace):
    ensure_state(workspace)
    return workspace


@pytest.fixture
def lock(ready):
    taken = take_instance_lock(ready, system_source())
    yield taken
    taken.release()


@pytest.fixture
def log(tmp_path):
    made = OrchestratorLog(tmp_path / "o.log", SystemClock(), max_bytes=1000, keep=2)
    yield made
    made.close()


def test_nobody_else_gets_the_lock_not_even_a_library(ready, lock):
    with pytest.raises(IncumbentError, match="just starting") as caught:
        take_instance_lock(ready, system_source())
    assert caught.value.exit_code == 3
    with pytest.raises(Timeout):
        FileLock(ready.orchestrator_lock).acquire(timeout=0)
    lock.release()
    again = take_instance_lock(ready, system_source())
    again.release()


def test_we_get_no_lock_that_a_library_has(ready):
    with FileLock(ready.orchestrator_lock), pytest.raises(IncumbentError):
        take_instance_lock(ready, system_source())


def test_who_has_it_is_read_back_and_an_emptied_file_is_written_again(ready, lock):
    myself = identity_here(system_source(), SystemClock())
    lock.announce(myself, 1_800_000_000.5)
    told = read_incumbent(ready, system_source())
    assert (told.pid, told.start_time, told.since, told.alive) == (
        os.getpid(),
        myself.start_time,
        1_800_000_000.5,
        True,
    )
    os.truncate(ready.orchestrator_lock, 0)
    assert read_incumbent(ready, system_source()) is None
    assert lock.beat()
    assert read_incumbent(ready, system_source()).pid == os.getpid()
    with pytest.raises(IncumbentError, match=f"pid {os.getpid()} since 2027-01-15"):
        take_instance_lock(ready, system_source())


def test_a_lock_whose_file_was_removed_or_replaced_is_worth_nothing(ready, lock):
    lock.announce(identity_here(system_source(), SystemClock()), 1.0)
    ready.orchestrator_lock.unlink()
    assert not lock.beat()
    ready.orchestrator_lock.touch()
    assert not lock.beat()


def test_no_program_that_we_start_keeps_the_lock(ready, lock):
    held = lock._descriptor
    assert not os.get_inheritable(held)
    script = f"import os\ntry: os.fstat({held})\nexcept OSError: print('closed')"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, close_fds=False)
    assert told.stdout == "closed\n"


def test_a_lock_that_is_no_file_of_ours_is_said(ready, tmp_path):
    ready.orchestrator_lock.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NeoError, match="cannot be used"):
        take_instance_lock(ready, system_source())
    assert not (tmp_path / "elsewhere").exists()


def test_every_message_is_one_line_in_upstreams_shape(log):
    log.say("INFO", "two\nlines\x1b[31m and\ta tab")
    log.say_lines("ERROR", "Crashed", "Traceback\n  line")
    lines = log.path.read_text().splitlines()
    assert [bool(LINE.fullmatch(line)) for line in lines] == [True, True, False, False]
    assert lines[0].endswith("] [INFO] two lines [31m and a tab")
    assert log.path.stat().st_mode & 0o777 == 0o600


def test_the_log_is_rotated_by_renaming_and_old_ones_go(log):
    for number in range(80):
        log.say("INFO", f"number {number} of many")
    there = sorted(path.name for path in log.path.parent.glob("o.log*"))
    assert there == ["o.log", "o.log.1", "o.log.2"]
    assert all(path.stat().st_size <= 1000 for path in log.path.parent.glob("o.log*"))
    kept = "".join((log.path.parent / name).read_text() for name in reversed(there))
    said = [int(number) for number in re.findall(r"number (\d+) of", kept)]
    assert said == list(range(said[0], 80))


def test_without_any_to_keep_a_full_log_begins_anew(log):
    log.limit(200, 0)
    for number in range(20):
        log.say("INFO", f"number {number}")
    assert [path.name for path in log.path.parent.glob("o.log*")] == ["o.log"]


def test_a_log_that_somebody_moves_or_removes_is_begun_anew(log):
    log.say("INFO", "first")
    log.path.rename(log.path.with_name("moved"))
    log.say("INFO", "second")
    assert log.path.read_text().endswith("[INFO] second\n")
    log.path.unlink()
    log.say("INFO", "third")
    assert log.path.read_text().count("\n") == 1
    assert log.path.with_name("moved").read_text().endswith("[INFO] first\n")


def test_a_disk_that_takes_nothing_loses_only_the_line(tmp_path):
    log = OrchestratorLog(tmp_path / "no" / "folder" / "o.log", SystemClock(), max_bytes=1000, keep=1)
    log.say("INFO", "lost")
    (tmp_path / "no" / "folder").mkdir(parents=True)
    log.say("INFO", "kept")
    log.close()
    assert log.path.read_text().count("\n") == 1


def test_a_change_is_said_once_and_again_when_it_is_another():
    said = []
    changes = ChangeLog(lambda level, message: said.append(message))
    for state in ("x", "x", "y", "y", "x"):
        changes.tell("defer", "a", state, "INFO", f"a by {state}")
    assert said == ["a by x", "a by y", "a by x"]
    changes.tell("defer", "b", "x", "INFO", "b by x")
    changes.over_but("defer", {"a"}, lambda name: f"{name} is over")
    changes.over("defer", "b", "never said")
    assert said[3:] == ["b by x", "b is over"]
    changes.over("defer", "a")
    changes.tell("defer", "a", "x", "INFO", "a again")
    assert said[5:] == ["a again"]


def test_a_configuration_that_changes_is_noticed_and_kept_as_it_was(ready):
    watch = ConfigWatch(ready)
    assert not watch.changed()
    ready.config.write_text('[tasks.a]\ncommand = ["true"]\n')
    assert watch.changed()
    assert not watch.changed()
    settings, error = watch.load()
    assert ("a" in settings.tasks, error) == (True, "")
    assert in_force(ready).read_text() == ready.config.read_text()
    ready.config.write_text("[tasks.a]\n")
    assert watch.changed()
    settings, error = watch.load()
    assert settings is None
    assert "tasks.a" in error
    assert in_force(ready).read_text() == '[tasks.a]\ncommand = ["true"]\n'
    ready.config.unlink()
    assert watch.changed()
    assert "a" not in load_settings(ready).tasks
    assert in_force(ready).read_text() == ""


def test_the_lock_is_a_plain_flock(ready, lock):
    with ready.orchestrator_lock.open("rb") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
