"""The source for macOS, asked here about this machine's processes; what only macOS has is made up."""

import ctypes
import os
import sys
import time
from types import SimpleNamespace

import psutil
import pytest

from neo_core.processes import psutil_source
from neo_core.processes.psutil_source import PsutilSource


@pytest.fixture
def source():
    return PsutilSource()


@pytest.fixture
def darwin(monkeypatch):
    monkeypatch.setattr(psutil_source.sys, "platform", "darwin")


def test_it_finds_a_child_with_its_parent_and_memory(source, start):
    process = start("sleep", "120", start_new_session=True)

    info = source.scan()[process.pid]

    assert (info.ppid, info.session, info.zombie) == (os.getpid(), process.pid, False)
    assert info.start_time == source.start_time(process.pid)
    assert info.rss > 0
    assert info.name == "sleep"
    assert process.pid in source.own_pids()
    assert 0 <= source.age(info.start_time) < 60


def test_start_times_are_microseconds_since_the_epoch(source, start):
    process = start()

    assert abs(source.start_time(process.pid) / 1e6 - time.time()) < 60


def test_it_reads_environment_and_command_line_of_a_child(source, start):
    process = start("sleep", "120", env={"MARK": "4711"})

    assert b"MARK=4711" in source.environ(process.pid).split(b"\0")
    assert source.command_line(process.pid) == "sleep 120"
    assert source.pss(process.pid) > 0


def test_a_zombie_is_dead(source, zombie):
    assert source.start_time(zombie) is None
    assert source.scan()[zombie].zombie


def test_what_is_gone_is_gone(source, start):
    process = start("true")
    process.wait()

    assert source.start_time(process.pid) is None
    assert source.keeps_lock(process.pid, 1, 1) is False
    assert source.locked_names(process.pid, "any") is None
    assert source.command_line(process.pid) == ""
    assert source.pss(process.pid) is None
    with pytest.raises(ProcessLookupError):
        source.environ(process.pid)


@pytest.mark.parametrize("pid", [0, -1])
def test_no_process_has_a_pid_below_one(source, pid):
    assert source.start_time(pid) is None


def test_an_open_hold_file_is_found(source, start, tmp_path):
    path = tmp_path / "hold"
    with path.open("w") as file:
        status = os.fstat(file.fileno())
        heir = start("sleep", "120", pass_fds=[file.fileno()])
    stranger = start()

    assert source.keeps_lock(heir.pid, status.st_dev, status.st_ino) is True
    assert source.keeps_lock(stranger.pid, status.st_dev, status.st_ino) is False


def test_denied_access_is_unknown_and_never_dead(source, start, monkeypatch):
    def deny(*_args, **_kwargs):
        raise psutil.AccessDenied(4242)

    pid = start().pid
    for name in ("status", "environ", "open_files", "memory_full_info", "cmdline"):
        monkeypatch.setattr(psutil.Process, name, deny)

    with pytest.raises(PermissionError):
        source.start_time(pid)
    assert source.environ(pid) is None
    assert source.keeps_lock(pid, 1, 1) is None
    assert source.pss(pid) is None
    assert source.command_line(pid) == ""


def test_on_macos_a_later_change_of_the_clock_does_not_change_a_start_time(source, start, monkeypatch, darwin):
    pid = start().pid
    process = psutil.Process(pid)
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: 1_000.0)
    monkeypatch.setattr(type(process._proc), "create_time", lambda self, monotonic=False: 500.25 if monotonic else 1e3)

    assert source.start_time(pid) == 500_250_000


def test_on_macos_an_older_psutil_is_asked_its_own_way(darwin):
    def create_time():
        return 7.0

    process = SimpleNamespace(_proc=SimpleNamespace(create_time=create_time), create_time=lambda: 1_000.5)

    assert psutil_source._started(process) == 1_000_500_000


class _Libc:
    def __init__(self, answer):
        self.answer = answer

    def sysctlbyname(self, name, value, size, new, length):
        assert name == b"kern.bootsessionuuid"
        value.value = b"6A5C2B0E-0000-1111-2222-333344445555"
        return self.answer


def test_on_macos_the_boot_session_is_asked_of_the_kernel(source, monkeypatch, darwin):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: _Libc(0))
    assert source.boot_id() == "6A5C2B0E-0000-1111-2222-333344445555"

    monkeypatch.setattr(ctypes, "CDLL", lambda name: _Libc(-1))
    assert source.boot_id() == ""


def test_a_system_without_that_call_has_no_boot_id(source, monkeypatch, darwin):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())

    assert source.boot_id() == ""


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has a boot session")
def test_elsewhere_the_boot_is_unknown(source):
    assert (source.boot_id(), source.pid_namespace()) == ("", "")
