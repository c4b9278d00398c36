"""When a scheduled start is due: counted from the last start, and only inside the window."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine

from neo_core.durations import parse_window
from neo_core.profiles import Task
from neo_core.schedule.due import Past, inside_window, next_due


def task(every: float = 600, *, configured: bool = True) -> Task:
    return Task(name="x", heavy=True, every=every, command=("true",) if configured else ())


def test_a_task_that_never_ran_is_due_at_once():
    assert next_due(task(), Past(), 5000.0) == 0


def test_the_interval_counts_from_the_last_start():
    assert next_due(task(), Past(last_started_at=1000.0), 5000.0) == 1600.0


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
