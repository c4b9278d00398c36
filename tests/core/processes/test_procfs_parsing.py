"""Reading a made-up /proc: odd names, the dead, the vanished, the unreadable."""

import os

import pytest

from neo_core.processes.procfs import ProcFs


@pytest.fixture
def source(proc):
    return ProcFs(str(proc.root))


@pytest.mark.parametrize(
    "name", ["node", "a b", "(sd-pam)", ") S 1 2 3 (", "tmux: server", "x)", "", "\udcff\udcfe", "名前"]
)
def test_a_process_name_may_hold_spaces_and_parentheses(proc, source, name):
    proc.process(4242, name=name, ppid=17, session=4000, start=987654)

    assert source.start_time(4242) == 987654
    info = source.scan()[4242]
    assert (info.pid, info.ppid, info.session, info.start_time) == (4242, 17, 4000, 987654)
    assert info.name == name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def test_memory_and_processor_time_come_in_bytes_and_seconds(proc, source):
    proc.process(10, rss=3, ticks=(150, 50))

    info = source.scan()[10]

    assert info.rss == 3 * os.sysconf("SC_PAGE_SIZE")
    assert info.cpu == 200 / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("state", ["Z", "X", "x"])
def test_a_zombie_is_no_living_process(proc, source, state):
    proc.process(10, state=state)

    assert source.start_time(10) is None
    assert source.scan()[10].zombie


@pytest.mark.parametrize("state", ["R", "S", "D", "T", "t", "I"])
def test_every_other_state_is_alive(proc, source, state):
    proc.process(10, state=state, start=77)

    assert source.start_time(10) == 77
    assert not source.scan()[10].zombie


def test_a_process_whose_first_thread_ended_is_alive_while_others_work(proc, source):
    proc.process(10, state="Z", threads=2, start=77)

    assert source.start_time(10) == 77


@pytest.mark.parametrize("content", [b"", b"10", b"10 (node", b"10 (node) S 1 2", b"\0\0\0"])
def test_a_torn_stat_line_is_no_process(proc, source, content):
    proc.write("10/stat", content)

    assert source.start_time(10) is None
    assert 10 not in source.scan()


@pytest.mark.parametrize("pid", [0, -1])
def test_no_process_has_a_pid_below_one(source, pid):
    assert source.start_time(pid) is None


def test_only_numbers_are_processes(proc, source):
    proc.process(10)
    proc.write("meminfo", b"MemTotal: 1 kB\n")
    proc.write("1x/stat", b"")

    assert list(source.scan()) == [10]
    assert source.own_pids() == [10]


def test_processes_of_other_users_are_not_ours(proc, source, monkeypatch):
    proc.process(10)
    monkeypatch.setattr(os, "geteuid", lambda: 987_654)

    assert source.own_pids() == []


def test_an_environment_is_returned_as_it_is(proc, source):
    proc.process(10)
    proc.write("10/environ", b"A=1\0B=\xff\0")

    assert source.environ(10) == b"A=1\0B=\xff\0"


def test_a_process_in_the_middle_of_its_exec_is_waited_for(proc, source, monkeypatch):
    proc.process(10, **{"environment ends": 0})
    proc.write("10/environ", b"")
    naps = []

    def nap(seconds):
        naps.append(seconds)
        if len(naps) == 3:
            proc.write("10/environ", b"A=1\0")

    monkeypatch.setattr("time.sleep", nap)

    assert (source.environ(10), len(naps)) == (b"A=1\0", 3)
    proc.write("10/environ", b"")
    assert source.environ(10) is None
    assert sum(naps) < 1


def test_an_empty_environment_is_believed_after_a_few_looks(proc, source, monkeypatch):
    proc.process(10)
    proc.write("10/environ", b"")
    naps = []
    monkeypatch.setattr("time.sleep", naps.append)

    assert source.environ(10) == b""
    assert 0 < sum(naps) < 0.02


@pytest.mark.parametrize(
    "told",
    [{"environment ends": 0, "flags": 0x600040}, {"environment ends": 0, "state": "Z"}],
    ids=["kernel thread", "zombie"],
)
def test_who_never_has_an_environment_is_not_waited_for(proc, source, monkeypatch, told):
    proc.process(10, **told)
    proc.write("10/environ", b"")
    monkeypatch.setattr("time.sleep", None)

    assert source.environ(10) == b""


def test_the_environment_of_a_vanished_process_is_a_lookup_error(source):
    with pytest.raises(ProcessLookupError):
        source.environ(10)


def test_an_unreadable_environment_is_unknown(proc, source, monkeypatch):
    proc.process(10)
    (proc.root / "10" / "environ").unlink()
    (proc.root / "10" / "environ").mkdir()

    assert source.environ(10) is None


def test_a_flock_is_seen_under_the_descriptor_of_its_file(proc, source, tmp_path):
    file = tmp_path / "hold"
    file.touch()
    status = file.stat()
    proc.process(10)
    proc.descriptor(10, 3, "/dev/null", b"pos:\t0\n")
    proc.descriptor(10, 4, file, b"pos:\t0\nlock:\t1: FLOCK  ADVISORY  WRITE 10 fe:00:1 0 EOF\n")

    assert source.keeps_lock(10, status.st_dev, status.st_ino) is True
    assert source.keeps_lock(10, status.st_dev, status.st_ino + 1) is False


def test_a_merely_open_file_keeps_no_lock(proc, source, tmp_path):
    file = tmp_path / "hold"
    file.touch()
    proc.process(10)
    proc.descriptor(10, 4, file, b"pos:\t0\n")

    assert source.keeps_lock(10, file.stat().st_dev, file.stat().st_ino) is False


def test_a_vanished_process_keeps_no_lock(source):
    assert source.keeps_lock(10, 1, 2) is False


def test_descriptors_that_cannot_be_listed_are_unknown(proc, source):
    proc.process(10)
    (proc.root / "10" / "fd").rmdir()
    (proc.root / "10" / "fd").touch()

    assert source.keeps_lock(10, 1, 2) is None


def test_a_command_line_is_joined_by_spaces(proc, source):
    proc.write("10/cmdline", b"node\0ai/run.mjs\0--all\0")

    assert source.command_line(10) == "node ai/run.mjs --all"
    assert source.command_line(11) == ""


def test_the_proportional_set_size_is_read_from_the_rollup(proc, source):
    proc.write("10/smaps_rollup", b"55 [rollup]\nRss:  900 kB\nPss:   300 kB\nPss_Dirty: 1 kB\n")
    proc.write("11/smaps_rollup", b"")

    assert source.pss(10) == 300 * 1024
    assert source.pss(11) is None
    assert source.pss(12) is None


def test_the_age_counts_from_boot(proc, source):
    hertz = os.sysconf("SC_CLK_TCK")

    assert source.age(400 * hertz) == pytest.approx(600.0)
    assert source.age(2000 * hertz) == 0.0
    proc.write("uptime", b"soon\n")
    assert source.age(400 * hertz) is None


def test_the_boot_and_the_namespace_are_named(source):
    assert source.boot_id() == "11111111-2222-3333-4444-555555555555"
    assert source.pid_namespace() == "pid:[4026531836]"


def test_without_proc_boot_and_namespace_are_unknown(tmp_path):
    source = ProcFs(str(tmp_path / "nowhere"))

    assert (source.boot_id(), source.pid_namespace()) == ("", "")
    with pytest.raises(FileNotFoundError):
        source.own_pids()
