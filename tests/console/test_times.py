"""Times as operators write them."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from neo_console.times import parse_moment


def utc(*parts):
    return datetime(*parts, tzinfo=UTC).timestamp()


NOW = utc(2026, 11, 21, 14, 10, 30)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("14:03", utc(2026, 11, 21, 14, 3)),
        ("14:03:20", utc(2026, 11, 21, 14, 3, 20)),
        ("9:05", utc(2026, 11, 21, 9, 5)),
        ("14:10:30", NOW),
        ("14:11", utc(2026, 11, 20, 14, 11)),
        ("00:00", utc(2026, 11, 21)),
        ("2026-11-20 14:03", utc(2026, 11, 20, 14, 3)),
        ("2026-11-20T14:03:20", utc(2026, 11, 20, 14, 3, 20)),
        ("2026-11-20T14:03+02:00", utc(2026, 11, 20, 12, 3)),
        ("2026-11-20T14:03:20.500Z", utc(2026, 11, 20, 14, 3, 20) + 0.5),
        ("5m", NOW - 300),
        ("-5m", NOW - 300),
        ("5m ago", NOW - 300),
        (" 1h30m ago ", NOW - 5400),
        ("0", NOW),
    ],
)
def test_a_time_and_how_long_ago_it_was(text, at):
    assert parse_moment(text, NOW) == pytest.approx(at)


@pytest.mark.parametrize(
    "text", ["", "24:00", "14:60", "14:3", "14:03:61", "noon", "ago", "-", "5 apples ago", "\u0663:\u0660\u0660"]
)
def test_what_is_no_time_is_named_with_what_is(text):
    with pytest.raises(ValueError, match="is no time; write it like 14:03, 14:03:20"):
        parse_moment(text, NOW)


@pytest.fixture
def berlin(monkeypatch):
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()


def test_a_time_that_came_twice_is_the_later_one_that_is_past(berlin):
    second = utc(2026, 10, 25, 1, 30)  # 02:30 CET; an hour before it was 02:30 CEST
    assert parse_moment("02:30", second + 60) == second
    assert parse_moment("02:30", second - 60) == second - 3600


def test_a_time_that_clocks_leapt_over_is_the_day_before(berlin):
    leapt = utc(2026, 3, 29, 1, 30)  # 03:30 CEST; there was no 02:30
    assert parse_moment("02:30", leapt) == utc(2026, 3, 28, 1, 30)
