"""Who starts: data safety first, then the starved, then the most overdue; one heavy task, every light one."""

from __future__ import annotations

import random

import pytest

from neo_core.schedule.picker import Candidate, in_turn, pick


def heavy(name: str, overdue: float = 1.0, **changes) -> Candidate:
    return Candidate(name=name, heavy=True, overdue=overdue, **changes)


def light(name: str, overdue: float = 1.0) -> Candidate:
    return Candidate(name=name, heavy=False, overdue=overdue)


def test_nothing_to_pick_is_nothing():
    assert pick([]) == []


def test_one_heavy_task_and_every_light_one_start():
    assert pick([heavy("a", 1), light("x", 1), heavy("b", 2), light("y", 2)]) == ["b", "y", "x"]


@pytest.mark.parametrize(
    ("candidates", "order"),
    [
        ([heavy("a", 9), heavy("backup", 0.1)], "backup a"),
        ([heavy("a", 9, starved=True, waiting=1e6, idle=2e6), heavy("backup", 0.1)], "backup a"),
        ([heavy("a", 1, starved=True, waiting=50), heavy("b", 99)], "a b"),
        ([heavy("a", 99, starved=True, waiting=50), heavy("b", 1, starved=True, waiting=60)], "b a"),
        ([heavy("a", 1), heavy("b", 2), heavy("c", 3)], "c b a"),
        ([heavy("a", 1, waiting=9), heavy("b", 2, waiting=1)], "b a"),
        ([heavy("a", 1, streak=1), heavy("b", 1, streak=5)], "b a"),
        ([heavy("b", 1), heavy("a", 1)], "a b"),
    ],
    ids=[
        "backup",
        "backup-before-starved",
        "starved",
        "longest-wait",
        "overdue",
        "waiting-is-no-rank",
        "streak",
        "name",
    ],
)
def test_heavy_tasks_take_turns_in_this_order(candidates, order):
    for shuffled in (candidates, candidates[::-1]):
        assert " ".join(in_turn(shuffled)[0]) == order


def test_a_task_that_starved_through_a_turn_of_backup_goes_before_the_next_one():
    starved = heavy("a", starved=True, waiting=4000.0)
    assert pick([starved, heavy("backup", idle=3000.0)]) == ["a"]
    assert pick([starved, heavy("backup", idle=5000.0)]) == ["backup"]
    assert pick([heavy("a", waiting=4000.0), heavy("backup", idle=3000.0)]) == ["backup"]


def test_the_choice_never_depends_on_the_order_of_reading():
    chance = random.Random(3)
    names = ["backup", *"abcdefgh"]
    for _ in range(200):
        candidates = [
            Candidate(
                name=name,
                heavy=chance.random() < 0.7,
                overdue=chance.choice([0.5, 1.0, 2.0]),
                waiting=chance.choice([0.0, 5.0]),
                starved=chance.random() < 0.3,
                streak=chance.randrange(3),
            )
            for name in names
        ]
        expected = in_turn(candidates)
        chance.shuffle(candidates)
        assert in_turn(candidates) == expected
        assert sorted(expected[0] + expected[1]) == sorted(names)
