"""The same questions to the real /proc."""

import fcntl
import os
import subprocess
import sys

import pytest

from neo_core.processes.procfs import ProcFs

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")


@pytest.fixture
def source():
    return ProcFs()


def test_it_finds_a_child_with_its_parent_session_and_memory(source, start):
    process = start("sleep", "120", start_new_session=True)

    info = source.scan()[process.pid]

    assert (info.ppid, info.session, info.zombie) == (os.getpid(), process.pid, False)
    assert info.start_time == source.start_time(process.pid)
    assert info.rss > 0
    assert process.pid in source.own_pids()
    assert 0 <= source.age(info.start_time) < 60


def test_it_reads_environment_and_command_line_of_a_child(source, start):
    process = start("sleep", "120", env={"MARK": "4711"})

    assert b"MARK=4711" in source.environ(process.pid).split(b"\0")
    assert source.command_line(process.pid) == "sleep 120"


def test_a_process_shows_its_environment_from_its_first_moment(source):
    for number in range(200):
        process = subprocess.Popen(["sleep", "120"], env={"MARK": str(number)})
        try:
            assert source.environ(process.pid) == b"MARK=%d\0" % number
        finally:
            process.kill()
            process.wait()


def test_a_zombie_is_dead(source, zombie):
    assert source.start_time(zombie) is None
    assert source.scan()[zombie].zombie


def test_a_collected_process_is_gone(source, start):
    process = start("true")
    process.wait()

    assert source.start_time(process.pid) is None
    assert source.keeps_lock(process.pid, 1, 1) is False
    with pytest.raises(ProcessLookupError):
        source.environ(process.pid)


def test_a_lock_is_seen_in_the_child_that_inherited_its_descriptor(source, start, tmp_path):
    descriptor = os.open(tmp_path / "hold", os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    status = os.fstat(descriptor)
    heir = start("sleep", "120", pass_fds=[descriptor])
    stranger = start("sleep", "120")
    os.close(descriptor)

    assert source.keeps_lock(heir.pid, status.st_dev, status.st_ino) is True
    assert source.keeps_lock(stranger.pid, status.st_dev, status.st_ino) is False


def test_an_open_that_failed_to_lock_is_not_taken_for_the_keeper(source, start, tmp_path):
    descriptor = os.open(tmp_path / "hold", os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    status = os.fstat(descriptor)
    with (tmp_path / "hold").open() as other:
        contender = start("sleep", "120", pass_fds=[other.fileno()])

    assert source.keeps_lock(contender.pid, status.st_dev, status.st_ino) is False
    assert source.keeps_lock(os.getpid(), status.st_dev, status.st_ino) is True
    os.close(descriptor)


def test_a_hidden_process_is_not_proven_dead(source, monkeypatch):
    monkeypatch.setattr(source, "_stat", lambda pid: None)

    def refuse(pid, number):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "kill", refuse)
    with pytest.raises(PermissionError):
        source.start_time(4242)


def test_a_living_process_without_an_entry_is_not_proven_dead(source, start, monkeypatch):
    process = start()
    monkeypatch.setattr(source, "_stat", lambda pid: None)

    with pytest.raises(PermissionError):
        source.start_time(process.pid)


def test_the_boot_id_stays_the_same(source):
    assert source.boot_id() == ProcFs().boot_id() != ""
    assert source.pid_namespace().startswith("pid:[")
