"""When a scheduled start is due: counted from the last start, and only inside the window."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine

from neo_core.durations import parse_window
from neo_core.profiles import Task
from neo_core.schedule.due import Past, due_for, inside_window, next_due, period, retry_at


def task(every: float = 600, *, configured: bool = True, **changes) -> Task:
    return Task(name="x", heavy=True, every=every, command=("true",) if configured else (), **changes)


def test_a_task_that_never_ran_is_due_at_once():
    assert next_due(task(), Past(), 5000.0) == 0


def test_the_interval_counts_from_the_last_start():
    assert next_due(task(), Past(last_started_at=1000.0), 5000.0) == 1600.0


@pytest.mark.parametrize("changes", [{"every": 600}, {"every": 0, "cron": "30 2 * * *"}])
def test_a_clock_that_was_set_back_by_a_day_delays_nothing_until_it_caught_up(changes):
    now = 1_790_000_000.0
    past = Past(last_started_at=now + 86400, put_off_at=now + 86400)
    assert next_due(task(**changes), past, now) == now


def test_a_small_step_back_of_the_clock_starts_nothing_early():
    assert next_due(task(600), Past(last_started_at=5030.0), 5000.0) == 5630.0


def test_a_task_that_is_only_started_by_hand_stays_so_when_the_clock_was_set_back():
    assert next_due(task(0), Past(last_started_at=99000.0), 5000.0) is None


def test_an_interval_of_zero_disables(workspace):
    assert next_due(task(0), Past(), 5000.0) is None
    assert next_due(task(0), Past(last_started_at=5.0), 5000.0) is None


def test_what_is_not_configured_is_never_due():
    assert next_due(task(configured=False), Past(), 5000.0) is None


@pytest.fixture
def berlin(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield ZoneInfo("Europe/Berlin")
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("local", "inside"),
    [
        ("2026-01-10T21:59", False),
        ("2026-01-10T22:00", True),
        ("2026-01-11T05:59", True),
        ("2026-01-11T06:00", False),
        ("2026-07-10T22:00", True),
        ("2026-07-10T21:59", False),
        ("2026-03-29T03:30", True),  # the night the clock springs forward
        ("2026-10-25T02:30", True),  # the hour that comes twice
    ],
)
def test_the_window_is_of_local_time_in_summer_and_winter(berlin, local, inside):
    at = datetime.fromisoformat(local).replace(tzinfo=berlin)
    assert inside_window(parse_window("22:00-06:00"), at.timestamp()) is inside


def test_no_window_is_always_open():
    assert inside_window(None, 0.0)


def test_the_machines_zone_decides_and_not_utc(berlin):
    with time_machine.travel(datetime(2026, 1, 10, 23, 30, tzinfo=UTC).timestamp(), tick=False):
        assert inside_window(parse_window("00:00-01:00"), time.time())
        assert not inside_window(parse_window("23:00-23:59"), time.time())


def test_an_interval_that_passed_many_times_is_due_once():
    past = Past(last_started_at=1000.0)
    assert next_due(task(), past, 1_000_000.0) == 1600.0
    assert next_due(task(), Past(last_started_at=1_000_000.0), 1_000_000.0) == 1_000_600.0


def test_jitter_is_the_same_for_who_asks_again_and_another_one_after_each_start():
    jittery = task(jitter=60.0)
    parts = []
    for started in range(1000, 51_000, 1000):
        past = Past(last_started_at=float(started))
        due = next_due(jittery, past, 50_000.0)
        assert due == next_due(jittery, past, 50_099.0)
        parts.append(due - started - 600)
    assert all(0 <= part < 60 for part in parts)
    assert len(set(parts)) > 40
    assert min(parts) < 15
    assert max(parts) > 45
    other = Task(name="y", heavy=True, every=600, command=("true",), jitter=60.0)
    assert next_due(other, Past(last_started_at=1000.0), 0.0) != next_due(jittery, Past(last_started_at=1000.0), 0.0)


def test_retries_are_spaced_twice_as_far_each_time_and_end():
    retried = task(every=86_400, retries=3, retry_after=60.0)
    spaced = [retry_at(retried, Past(last_started_at=1.0, last_ended_at=1000.0, tries=n)) for n in range(6)]
    assert spaced == [None, 1060.0, 1120.0, 1240.0, None, None]


def test_a_failed_run_is_due_at_its_retry_and_after_the_last_one_at_its_interval():
    retried = task(every=600, retries=1, retry_after=60.0)
    failed = Past(last_started_at=1000.0, last_ended_at=1010.0, tries=1)
    assert next_due(retried, failed, 1011.0) == 1070.0
    twice = Past(last_started_at=1070.0, last_ended_at=1080.0, tries=2)
    assert next_due(retried, twice, 1081.0) == 1670.0


@pytest.mark.parametrize("retries", [1000, 10**9])
def test_the_spacing_of_retries_stays_a_number(retries):
    assert retry_at(task(retries=retries), Past(last_ended_at=0.0, tries=1000)) == 60.0 * 2**20


def test_an_interval_shorter_than_a_retry_is_not_delayed_by_it():
    assert next_due(task(every=5, retries=3), Past(last_started_at=9.0, last_ended_at=10.0, tries=1), 11.0) == 14.0


def test_what_never_starts_by_itself_is_not_retried():
    assert next_due(task(0, retries=3), Past(last_started_at=9.0, last_ended_at=10.0, tries=1), 99.0) is None


def test_a_task_that_deferred_itself_is_not_repeated_at_every_poll():
    put_off = Past(last_started_at=1000.0, put_off_at=5000.0)
    assert next_due(task(every=600), put_off, 5001.0) == 5060.0
    assert next_due(task(every=10), put_off, 5001.0) == 5010.0
    assert next_due(task(every=6000), put_off, 5001.0) == 7000.0


def test_a_prompt_makes_a_task_due_ahead_of_its_interval():
    assert next_due(task(), Past(last_started_at=1000.0, prompted_at=1100.0), 1200.0) == 1100.0
    assert next_due(task(0), Past(last_started_at=1000.0, prompted_at=1100.0), 1200.0) == 1100.0


def test_lateness_counts_from_the_due_time_and_for_who_never_ran_from_when_it_was_seen():
    assert due_for(task(), Past(last_started_at=1000.0), 1599.0) == 0.0
    assert due_for(task(), Past(last_started_at=1000.0), 1700.0) == 100.0
    assert due_for(task(), Past(first_seen_at=1500.0), 1700.0) == 200.0
    assert due_for(task(), Past(), 1700.0) == 0.0


def test_a_period_is_never_zero():
    assert period(task(0), Past(), 0.0) == 3600.0
    assert period(task(7), Past(), 0.0) == 7.0
