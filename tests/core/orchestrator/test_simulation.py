"""Two hours of schedule in a moment: the orchestrator's own planning, with an injected clock, on a simulated machine.

The fair bound. A task that was deferred for longer than ``starved_after`` is *starved*. From then on tasks take turns
by how long they have waited, so it starts after at most those that wait for longer and one ``backup``: no other heavy
task, ``backup`` included, starts twice between a task's becoming starved and its own start.
"""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from tests.bench.schedule_world import BEGIN, World, random_tasks

HOURS = 2 * 3600.0
POLL = 3.0
DOWN = (40 * 60.0, 70 * 60.0)


def replay(world, *, down=None, until=HOURS, every=POLL):
    """Poll through the time, but not while the orchestrator is down."""
    passed = 0.0
    while passed < until:
        if down and down[0] <= passed < down[1]:
            world.leave_running(BEGIN + passed)
        else:
            world.poll(BEGIN + passed)
        passed += every
    return world


def heavy_overlaps(world):
    heavy = sorted((start.at, start.ends) for start in world.starts if start.heavy)
    return [(one, two) for one, two in itertools.pairwise(heavy) if two[0] < one[1]]


def too_early(world):
    """Return the starts that came before their interval was over, other than spaced retries of a failure."""
    found = []
    tasks = {task.name: task for task in world.tasks}
    by_task = {}
    for start in world.starts:
        by_task.setdefault(start.task, []).append(start)
    for name, starts in by_task.items():
        for one, two in itertools.pairwise(starts):
            least = tasks[name].every if not one.failed else min(tasks[name].every, tasks[name].retry_after)
            if two.at - one.at < least:
                found.append((one, two))
    return found


@pytest.fixture(scope="module", params=[1, 2])
def busy(request):
    """Two hundred tasks, a third of them heavy and failing at times, with half an hour of downtime."""
    tasks = random_tasks(200, seed=request.param, heavy=0.3, every=(120.0, 3600.0))
    world = World(tasks, seed=request.param, starved_after=900.0, durations=(1.0, 20.0), failing=0.1)
    return replay(world, down=DOWN)


def test_two_heavy_runs_never_overlap(busy):
    assert heavy_overlaps(busy) == []
    assert sum(start.heavy for start in busy.starts) > 200


def test_light_runs_go_on_beside_heavy_ones(busy):
    heavy = [start for start in busy.starts if start.heavy]
    beside = [light for light in busy.starts if not light.heavy and any(one.at <= light.at < one.ends for one in heavy)]
    assert len(beside) > 100


def test_every_task_ran_and_every_start_that_did_not_happen_had_its_reason(busy):
    assert {start.task for start in busy.starts} == {task.name for task in busy.tasks}
    assert busy.prevented > 1000
    assert busy.without_reason == []


def test_missed_intervals_are_made_up_for_once(busy):
    assert too_early(busy) == []
    up_again = BEGIN + DOWN[1]
    assert not [start for start in busy.starts if BEGIN + DOWN[0] <= start.at < up_again]
    shortest = min(busy.tasks, key=lambda task: task.every)
    soon = [one for one in busy.starts if one.task == shortest.name and up_again <= one.at < up_again + shortest.every]
    assert len(soon) <= 1 + shortest.retries


def test_failures_are_retried_a_bounded_number_of_times(busy):
    tasks = {task.name: task for task in busy.tasks}
    again = Counter()
    for name, task in tasks.items():
        starts = [start for start in busy.starts if start.task == name]
        row = 0
        for one, two in itertools.pairwise(starts):
            early = two.at - one.at < task.every
            row = row + 1 if early else 0
            again[name] = max(again[name], row)
    assert 0 < max(again.values()) <= 2


@pytest.mark.parametrize("seed", [3, 4])
def test_no_starved_task_sees_another_one_start_twice(seed):
    """Far more heavy work than the time has: everybody starves, and still everybody takes turns."""
    tasks = random_tasks(40, seed=seed, heavy=1.0, every=(60.0, 1800.0))
    world = replay(
        World(tasks, seed=seed, starved_after=300.0, durations=(10.0, 60.0)), down=(1800.0, 2400.0), every=6.0
    )
    assert heavy_overlaps(world) == []
    assert len(world.starving) > 40
    unfair = [(name, at, twice) for name, at, others in world.starving if (twice := _more_than_once(others))]
    assert unfair == []
    counts = Counter(start.task for start in world.starts)
    assert set(counts) == {task.name for task in tasks}


def test_a_backup_that_is_always_due_starves_nobody():
    tasks = random_tasks(6, seed=5, heavy=1.0, every=(60.0, 90.0))
    tasks[0] = type(tasks[0])(name="backup", heavy=True, every=3.0, command=("true",))
    world = replay(World(tasks, seed=5, starved_after=120.0, durations=(20.0, 20.0)))
    counts = Counter(start.task for start in world.starts)
    assert min(counts.values()) >= 10
    assert counts["backup"] == max(counts.values())
    assert not [others for _, _, others in world.starving if _more_than_once(others)]


def test_without_the_order_of_turns_the_bound_does_not_hold(monkeypatch):
    """The checker can fail: first come, first served by name starves the last names."""
    monkeypatch.setattr(
        "neo_core.orchestrator.planning.in_turn", lambda candidates: (sorted(one.name for one in candidates), [])
    )
    tasks = random_tasks(40, seed=3, heavy=1.0, every=(60.0, 1800.0))
    world = replay(World(tasks, seed=3, starved_after=300.0, durations=(10.0, 60.0)), every=6.0)
    assert any(_more_than_once(others) for _, _, others in world.starving)


def _more_than_once(others):
    return {name: count for name, count in others.items() if count > 1}
