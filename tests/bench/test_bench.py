"""The bench's own arithmetic, and that a missing peer is said; how fast anything is, no test asserts."""

import pytest

from tests.bench import contention, locks, schedule
from tests.bench.figures import fairness, machine, percentile, spread


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 1), (1, 1), (50, 50), (50.5, 51), (99, 99), (99.1, 100), (100, 100)]
)
def test_a_percentile_is_a_measured_value_by_nearest_rank(percent, expected):
    assert percentile(range(100, 0, -1), percent) == expected


def test_a_percentile_of_one_is_that_one_and_of_nothing_an_error():
    assert percentile([7], 99) == 7
    with pytest.raises(ValueError, match="nothing"):
        percentile([], 50)


def test_a_spread_names_median_tail_ends_and_count():
    assert spread([3, 1, 2, 100.06]) == {"median": 2, "p99": 100.1, "min": 1, "max": 100.1, "count": 4}


@pytest.mark.parametrize(
    ("counts", "expected"), [([5, 5, 5], 1.0), ([1, 4], 0.25), ([0, 9], 0.0), ([0, 0], 0.0), ([], 0.0)]
)
def test_fairness_is_the_least_over_the_most(counts, expected):
    assert fairness(counts) == expected


def test_the_machine_is_named():
    assert machine()["processor"]
    assert machine()["cores"] >= 1


def test_a_go_is_summed_up_over_its_contenders():
    goes = [[{"turns": 3, "waits": [1000, 2000]}, {"turns": 6, "waits": [50_000]}]]

    assert contention._summary(goes, 3.0) == {
        "turns_per_second": 3,
        "fairness": 0.5,
        "fairness_worst_go": 0.5,
        "wait_median_ms": 2.0,
        "wait_p99_ms": 50.0,
        "wait_worst_ms": 50.0,
    }


def test_a_peer_that_is_not_there_is_missing_and_not_dropped(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "PYTHON", {})
    monkeypatch.setattr(contention, "PYTHON", {})
    monkeypatch.setattr(contention.shutil, "which", lambda name: None)

    told = contention.uncontended(tmp_path, 1, ".")

    assert len(told) == 3
    assert told == dict.fromkeys(locks.NODE, "missing (node)")


def test_our_lease_is_taken_left_and_taken_again(tmp_path):
    lock = locks.ours(str(tmp_path / "lease.json"))
    for take in (lock.try_take, lock.take):
        take()
        assert (tmp_path / "lease.json").exists()
        lock.leave()
        assert not (tmp_path / "lease.json").exists()


def test_a_plan_is_timed_for_every_number_of_tasks():
    told = schedule.planning((3, 5), 1)

    assert list(told) == ["3", "5"]
    assert all(one["count"] == schedule.POLLS and one["starts"] >= 3 for one in told.values())
