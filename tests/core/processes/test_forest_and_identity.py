"""Trees out of one pass, and identities that survive the reuse of a pid."""

import sys
from types import SimpleNamespace

from neo_core.processes.forest import Forest
from neo_core.processes.procfs import ProcFs
from neo_core.processes.psutil_source import PsutilSource
from neo_core.processes.source import ProcessIdentity, ProcessInfo, identity_of, is_alive, system_source


def info(pid, ppid, *, session=1, rss=10, zombie=False):
    return ProcessInfo(pid, ppid, session, f"p{pid}", pid * 100, rss, 0.0, zombie)


def forest(*infos):
    return Forest({one.pid: one for one in infos})


def test_a_tree_is_walked_parents_first_with_depths():
    woods = forest(info(1, 0), info(5, 1), info(3, 1), info(9, 3), info(7, 2))

    assert [(depth, one.pid) for depth, one in woods.walk(1)] == [(0, 1), (1, 3), (2, 9), (1, 5)]
    assert [one.pid for one in woods.descendants(1)] == [3, 9, 5]


def test_zombies_and_the_unknown_are_left_out():
    woods = forest(info(1, 0), info(2, 1, zombie=True), info(3, 1, session=8), info(4, 1, session=8, zombie=True))

    assert [one.pid for one in woods.descendants(1)] == [3]
    assert woods.walk(99) == []
    assert [one.pid for one in woods.in_session(8)] == [3]


def test_a_circle_of_parents_ends():
    woods = forest(info(1, 2), info(2, 1), info(3, 3))

    assert [one.pid for _, one in woods.walk(1)] == [1, 2]
    assert [one.pid for _, one in woods.walk(3)] == [3]


def test_memory_is_the_sum_over_those_still_there():
    assert forest(info(1, 0, rss=5), info(2, 1, rss=7)).memory([1, 2, 99]) == 12


def machine(boot="b", started=None, hidden=False):
    def start_time(pid):
        if hidden:
            raise PermissionError(13, "hidden")
        return started

    return SimpleNamespace(boot_id=lambda: boot, start_time=start_time)


def test_an_identity_is_alive_only_with_its_own_start_time_and_boot():
    mine = ProcessIdentity(10, 500, "b")

    assert is_alive(mine, machine(started=500))
    assert not is_alive(mine, machine(started=501))
    assert not is_alive(mine, machine(started=None))
    assert not is_alive(mine, machine(boot="other", started=500))
    assert is_alive(mine, machine(boot="", started=500))


def test_a_process_that_became_unreadable_is_another_users():
    assert not is_alive(ProcessIdentity(10, 500, "b"), machine(hidden=True))
    assert identity_of(10, machine(hidden=True)) is None


def test_the_dead_have_no_identity():
    assert identity_of(10, machine(started=None)) is None
    assert identity_of(10, machine(started=4)) == ProcessIdentity(10, 4, "b")


def test_this_platform_gets_its_source():
    expected = ProcFs if sys.platform.startswith("linux") else PsutilSource
    assert isinstance(system_source(), expected)
