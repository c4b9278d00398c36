"""Cron expressions: what never comes is refused, missed fires are one, and the clock may be changed."""

from __future__ import annotations

import time
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from neo_core.cron import check_cron, next_fire
from neo_core.profiles import Task
from neo_core.schedule.due import Past, next_due, period


@pytest.fixture
def berlin(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    next_fire.cache_clear()
    yield ZoneInfo("Europe/Berlin")
    monkeypatch.undo()
    time.tzset()
    next_fire.cache_clear()


def at(text: str, zone: ZoneInfo, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()


def task(cron: str, **changes) -> Task:
    return Task(name="x", heavy=True, every=0.0, command=("true",), cron=cron, **changes)


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("", "five fields"),
        ("* * * *", "five fields"),
        ("0 * * * * *", "five fields"),
        ("60 * * * *", "bad minute"),
        ("* 24 * * *", "bad hour"),
        ("0 0 30 2 *", "bad day"),
        ("often * * * *", "bad minute"),
    ],
)
def test_what_is_no_expression_is_said(expression, complaint):
    assert complaint in check_cron(expression)


@pytest.mark.parametrize("expression", ["* * * * *", "*/5 9-17 * * MON-FRI", "0 3 29 2 *", "0 0 L * *"])
def test_an_expression_is_accepted(expression):
    assert check_cron(expression) == ""


def test_fires_missed_for_a_week_are_one(berlin):
    nightly = task("30 3 * * *")
    now = at("2026-05-08T12:00", berlin)
    missed = Past(last_started_at=at("2026-05-01T03:30", berlin))
    assert next_due(nightly, missed, now) == at("2026-05-02T03:30", berlin)
    assert next_due(nightly, Past(last_started_at=now), now) == at("2026-05-09T03:30", berlin)


def test_a_task_that_never_ran_waits_for_its_first_fire_since_it_was_seen(berlin):
    nightly, seen = task("30 3 * * *"), at("2026-05-01T12:00", berlin)
    for now in (seen, seen + 3600):
        assert next_due(nightly, Past(first_seen_at=seen), now) == at("2026-05-02T03:30", berlin)


@pytest.mark.parametrize(
    ("after", "fires"),
    [
        ("2026-03-28T12:00", "2026-03-29T03:30"),  # 02:30 is skipped: it comes an hour later
        ("2026-03-29T03:30", "2026-03-30T02:30"),
        ("2026-10-24T12:00", "2026-10-25T02:30"),  # 02:30 comes twice: the first one counts
        ("2026-10-25T02:30", "2026-10-26T02:30"),
    ],
)
def test_a_clock_that_is_changed_moves_no_fire_twice(berlin, after, fires):
    assert next_fire("30 2 * * *", at(after, berlin)) == at(fires, berlin)


def test_a_start_in_the_second_of_two_equal_hours_does_not_fire_at_once(berlin):
    after = at("2026-10-25T02:15", berlin, fold=1)
    assert next_fire("30 2 * * *", after) == at("2026-10-26T02:30", berlin)
    assert next_fire("30 * * * *", after) == at("2026-10-25T03:30", berlin)


def test_every_fire_is_later_than_the_one_before_through_both_changes(berlin):
    for month, day in ((3, 28), (10, 24)):
        moment = at(f"2026-{month:02d}-{day}T20:00", berlin)
        for _ in range(60):
            following = next_fire("*/20 * * * *", moment)
            assert 0 < following - moment <= 2 * 3600
            moment = following


def test_lateness_is_measured_against_the_distance_of_two_fires(berlin):
    hourly = Past(last_started_at=at("2026-05-01T03:00", berlin))
    assert period(task("0 * * * *"), hourly, hourly.last_started_at) == 3600
    assert period(task("0 3 * * *"), hourly, hourly.last_started_at) == 86_400
