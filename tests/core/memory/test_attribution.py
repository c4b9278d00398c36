"""Whose memory it is: trees, sessions, shared pages once, and growth instead of size."""

from __future__ import annotations

import subprocess
import sys

import pytest

from neo_core.memory.attribution import Costs, Root, TreeCost, attribute, baseline_of, rank
from neo_core.processes.source import ProcessInfo, ProcessMemory, system_source

MIB = 1024 * 1024


def info(pid, ppid=1, *, session=0, rss=0, zombie=False, faults=0, start=None):
    return ProcessInfo(pid, ppid, session, f"p{pid}", pid if start is None else start, rss, 0.0, zombie, faults)


def table(*infos):
    return {one.pid: one for one in infos}


def root(pid, owner="dream", kind="run", run_id="r1"):
    return Root(owner=owner, kind=kind, pid=pid, start_time=pid, run_id=run_id)


def by_owner(trees):
    return {tree.owner: tree for tree in trees}


def test_a_process_belongs_to_the_nearest_root_above_it():
    processes = table(
        info(10, rss=1, faults=1),
        info(11, 10, rss=2, faults=2),
        info(12, 11, rss=4),
        info(20, 11, rss=8),
        info(21, 20, rss=16),
    )
    trees = by_owner(attribute([root(10), root(20, "kbSync", run_id="r2")], processes, lambda one: one.rss))

    assert (trees["dream"].rss, trees["dream"].processes, trees["dream"].faults) == (7, 3, 3)
    assert (trees["kbSync"].rss, trees["kbSync"].processes) == (24, 2)


def test_what_is_not_ours_is_told_by_session_and_named_after_its_biggest():
    processes = table(info(30, session=30, rss=1), info(31, 30, session=30, rss=9), info(40, session=40, rss=3))
    trees = by_owner(attribute([], processes, lambda one: one.rss))

    assert (trees["p31"].kind, trees["p31"].pid, trees["p31"].rss) == ("other", 31, 10)
    assert trees["p31"].key == "other:30"
    assert trees["p40"].rss == 3


def test_the_dead_cost_nothing_and_a_later_process_of_the_same_pid_is_nobodys():
    processes = table(info(10, rss=5, start=99), info(11, 10, rss=5, zombie=True))
    trees = attribute([root(10)], processes, lambda one: one.rss)

    assert [(tree.kind, tree.rss) for tree in trees] == [("other", 5)]


def test_a_loop_of_parents_ends():
    processes = table(info(10, 11, rss=1), info(11, 10, rss=1))

    assert sum(tree.rss for tree in attribute([], processes, lambda one: one.rss)) == 2


class FakeSource:
    def __init__(self, memory):
        self.memory_of, self.asked = memory, []

    def memory(self, pid):
        self.asked.append(pid)
        return self.memory_of.get(pid)


def test_a_cost_is_measured_once_and_then_moves_with_resident_memory():
    source = FakeSource({10: ProcessMemory(40 * MIB, 0, 0, 10 * MIB)})
    costs = Costs(source)
    before = info(10, rss=100 * MIB)
    costs.refresh(table(before), budget=1.0)
    assert costs.of(before) == 50 * MIB

    grown = info(10, rss=103 * MIB)
    costs.refresh(table(grown), budget=1.0)
    assert costs.of(grown) == 53 * MIB
    assert source.asked == [10]

    costs.refresh(table(info(10, rss=120 * MIB)), budget=1.0)
    assert source.asked == [10, 10]


def test_what_cannot_be_measured_costs_its_resident_memory():
    costs = Costs(FakeSource({}))
    one = info(10, rss=100 * MIB)
    costs.refresh(table(one), budget=1.0)

    assert costs.of(one) == 100 * MIB


def test_a_later_process_of_the_same_pid_is_measured_anew():
    source = FakeSource({10: ProcessMemory(MIB, 0, 0, 0)})
    costs = Costs(source)
    costs.refresh(table(info(10, rss=100 * MIB)), budget=1.0)

    assert costs.of(info(10, rss=100 * MIB, start=77)) == 100 * MIB


def test_the_most_doubtful_are_measured_first_within_the_budget():
    ticks = iter(range(100))
    source = FakeSource({})
    costs = Costs(source, clock=lambda: float(next(ticks)))
    count = costs.refresh(table(*(info(pid, rss=pid * MIB) for pid in (10, 30, 20, 40))), budget=3.0)

    assert (count, source.asked) == (2, [40, 30])


def tree(owner, cost, **changes):
    return TreeCost(
        **{"owner": owner, "kind": "service", "pid": 1, "cost": cost, "rss": cost, "processes": 1, **changes}
    )


def test_growth_ranks_and_what_stands_still_is_not_named_however_big():
    before = [tree("model", 9000 * MIB), tree("leak", 100 * MIB), tree("calm", 50 * MIB)]
    now = [tree("model", 9001 * MIB), tree("leak", 400 * MIB), tree("calm", 40 * MIB), tree("new", 200 * MIB)]

    assert [(one.tree.owner, one.grown // MIB) for one in rank(baseline_of(before, complete=True), now)] == [
        ("leak", 300),
        ("new", 200),
    ]


def test_a_run_is_another_tree_than_an_earlier_run_of_its_task():
    before = [tree("dream", 500 * MIB, kind="run", run_id="a")]
    now = [tree("dream", 500 * MIB, kind="run", run_id="b")]

    assert [one.grown for one in rank(baseline_of(before, complete=True), now)] == [500 * MIB]


def test_a_tree_that_the_record_was_too_short_for_counts_from_the_smallest_that_was_kept():
    kept = [tree("big", 900 * MIB, kind="other", pid=1), tree("last", 300 * MIB, kind="other", pid=2)]
    now = [*kept, tree("old", 290 * MIB, kind="other", pid=3), tree("new", 400 * MIB, kind="other", pid=4)]

    assert [one.tree.owner for one in rank(baseline_of(kept, complete=False), now)] == ["new"]


MAP = """
import mmap, sys
file = open(sys.argv[1], "rb")
view = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
total = sum(view[at] for at in range(0, len(view), 4096))
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="PSS is Linux's")
def test_a_file_that_two_processes_map_counts_once(tmp_path, kill_later):
    model = tmp_path / "model"
    model.write_bytes(b"m" * (64 * MIB))
    started = [
        subprocess.Popen([sys.executable, "-c", MAP, str(model)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    try:
        for process in started:
            kill_later(process.pid)
            assert process.stdout.readline() == b"ready\n"
        source = system_source()
        processes = {process.pid: source.scan()[process.pid] for process in started}
        costs = Costs(source)
        costs.refresh(processes, budget=5.0)

        resident = sum(one.rss for one in processes.values())
        cost = sum(costs.of(one) for one in processes.values())
        assert resident > 128 * MIB
        assert 64 * MIB < cost < 64 * MIB + (resident - 128 * MIB) + MIB
    finally:
        for process in started:
            process.kill()
            process.communicate()
