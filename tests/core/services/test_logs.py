"""Rotation under the feet of a writer, and old logs of runs."""

from __future__ import annotations

import os
import sys
import time
from itertools import pairwise

import pytest

from neo_core.services import logs
from neo_core.services.logs import prune_run_logs, rotate, rotate_if_large, service_log

CHATTY = """
import sys, time
number = 0
while True:
    sys.stdout.write(f"line {number:09d}\\n")
    sys.stdout.flush()
    number += 1
    if number % 50 == 0:
        time.sleep(0.001)
"""


def numbers_of(folder, name="web"):
    """Return the numbers of all lines in every copy of a log, the oldest first; a torn line is none."""
    copies = sorted(folder.glob(f"{name}.log.*"), key=lambda path: -int(path.suffix[1:]))
    lines = b"".join(path.read_bytes() for path in [*copies, folder / f"{name}.log"]).split(b"\n")
    return [int(line[5:]) for line in lines if line.startswith(b"line ") and len(line) == 14]


def test_a_chatty_service_is_rotated_and_keeps_its_lines(keep, define, workspace):
    """No line is lost but those that are written between the end of the copy and the truncation (microseconds)."""
    service = define(command=(sys.executable, "-S", "-c", CHATTY), log_max=30_000, log_keep=1000)
    driver = keep(service)
    record = driver.until_state("web", "running")
    rounds = driver.keeper._kept["web"]._rounds

    rotations = 0
    deadline = time.monotonic() + 20
    while rotations < 10 and time.monotonic() < deadline:
        rounds._log_at = 0.0
        before = service_log(workspace, "web").with_name("web.log.1")
        inode = before.stat().st_ino if before.exists() else 0
        driver.turn()
        rotations += before.exists() and before.stat().st_ino != inode
    driver.command("service-stop", "web")
    driver.until_state("web", "stopped")

    assert rotations == 10
    numbers = numbers_of(workspace.service_logs)
    assert numbers == sorted(numbers)
    assert numbers[0] == 0
    gaps = [(before, after) for before, after in pairwise(numbers) if after != before + 1]
    assert len(gaps) <= rotations
    assert sum(after - before - 1 for before, after in gaps) <= 50 * rotations
    assert record.pid is not None


def test_copies_are_private_and_limited(tmp_path):
    log = tmp_path / "web.log"
    for number in range(6):
        log.write_text(f"{number}\n")
        rotate(log, 3)

    assert log.read_text() == ""
    assert [(tmp_path / f"web.log.{n}").read_text() for n in (1, 2, 3)] == ["5\n", "4\n", "3\n"]
    assert sorted(os.listdir(tmp_path)) == ["web.log", "web.log.1", "web.log.2", "web.log.3"]
    assert (tmp_path / "web.log.1").stat().st_mode & 0o777 == 0o600
    log.write_text("6\n")
    rotate(log, 1)
    assert sorted(os.listdir(tmp_path)) == ["web.log", "web.log.1"]
    log.write_text("7\n")
    rotate(log, 0)
    assert log.read_text() == ""


def test_of_a_giant_only_the_end_is_copied(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "_MOST_COPIED", 10)
    log = tmp_path / "web.log"
    log.write_text("0123456789abcdefghij")

    rotate(log, 1)

    assert (tmp_path / "web.log.1").read_text() == "abcdefghij"


def test_a_copy_that_fails_loses_nothing(tmp_path, monkeypatch):
    log = tmp_path / "web.log"
    log.write_text("old\n")
    rotate(log, 2)
    log.write_text("new\n")

    def fail(_source, _copy):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(logs, "_copy", fail)
    with pytest.raises(OSError, match="No space"):
        rotate(log, 2)

    assert log.read_text() == "new\n"
    assert sorted(os.listdir(tmp_path)) == ["web.log", "web.log.1"]


def test_a_log_is_rotated_only_beyond_its_limit(workspace, define):
    workspace.service_logs.mkdir(parents=True)
    service = define(log_max=10, log_keep=1)
    assert not rotate_if_large(workspace, service)
    service_log(workspace, "web").write_text("0123456789")
    assert not rotate_if_large(workspace, service)
    service_log(workspace, "web").write_text("0123456789a")
    assert rotate_if_large(workspace, service)


@pytest.fixture
def runs(tmp_path):
    now = time.time()
    for name, age in {
        "old.log": 100,
        "old.outcome.json": 100,
        "live.log": 100,
        "fresh.log": 10,
        "notes.txt": 100,
        ".log": 100,
    }.items():
        path = tmp_path / name
        path.write_text("x")
        os.utime(path, (now - age, now - age))
    (tmp_path / "folder.log").mkdir()
    return tmp_path, now


def test_old_logs_of_ended_runs_are_removed(runs):
    folder, now = runs

    assert prune_run_logs(folder, 50.0, now, {"live"}) == 2

    assert sorted(os.listdir(folder)) == [".log", "folder.log", "fresh.log", "live.log", "notes.txt"]
    assert prune_run_logs(folder / "nowhere", 50.0, now, set()) == 0


def test_only_some_are_removed_at_a_time(tmp_path):
    for number in range(350):
        (tmp_path / f"{number}.log").touch()

    assert prune_run_logs(tmp_path, -10.0, time.time(), set()) == 300
    assert prune_run_logs(tmp_path, -10.0, time.time(), set()) == 50
