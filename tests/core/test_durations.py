"""Durations and daily windows: what an operator writes is what is meant, and what is shown can be written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neo_core.durations import Window, format_duration, parse_duration, parse_window

DAY = 86_400


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("250ms", 0.25),
        ("30s", 30),
        ("10m", 600),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("7d", 7 * DAY),
        ("2w", 14 * DAY),
        (" 90s ", 90),
        ("1d2h3m4s", DAY + 7384),
    ],
)
def test_a_duration_means_its_seconds(text, seconds):
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", " ", "5", "-5s", "5x", "s", "1h 30m", "1h30", "1,5h", "1e3s", "5S", "٣s", "0x5s", "nans", "1h-30m"]
)
def test_what_is_no_duration_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="write it like 30s, 10m, 1h30m or 7d"):
        parse_duration(text)


def test_more_than_ten_years_is_refused():
    with pytest.raises(ValueError, match="longer than ten years"):
        parse_duration("521w7d")
    with pytest.raises(ValueError, match="longer than ten years"):
        parse_duration("9" * 400 + "d")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.25, "250ms"),
        (0.9994, "999ms"),
        (0.9996, "1s"),
        (1, "1s"),
        (59.4, "59s"),
        (59.6, "1m00s"),
        (192, "3m12s"),
        (3600, "1h00m"),
        (3661, "1h01m"),
        (DAY, "1d00h"),
        (9 * DAY + 3600 * 5, "9d05h"),
        (-192, "-3m12s"),
    ],
)
def test_a_duration_is_shown_in_at_most_two_units(seconds, text):
    assert format_duration(seconds) == text


@given(st.integers(0, 9 * 365 * DAY))
def test_what_is_shown_can_be_written_and_loses_less_than_its_smaller_unit(seconds):
    again = parse_duration(format_duration(seconds))
    unit = 1 if seconds < 3600 else 60 if seconds < DAY else 3600
    assert 0 <= seconds - again < unit


@given(st.integers(1, 999))
def test_milliseconds_survive_being_shown(milliseconds):
    assert parse_duration(format_duration(milliseconds / 1000)) == pytest.approx(milliseconds / 1000)


@given(st.integers(0, 1439), st.integers(0, 1439))
def test_a_window_survives_being_shown(start, end):
    window = Window(start, end)
    assert parse_window(str(window)) == window
    assert hash(parse_window(str(window))) == hash(window)


@given(st.integers(0, 1439), st.integers(0, 1439))
def test_a_window_contains_exactly_as_many_minutes_as_it_is_long(start, end):
    window = Window(start, end)
    assert sum(window.contains(minute) for minute in range(1440)) * 60 == window.length


@pytest.mark.parametrize(
    ("window", "inside", "outside"),
    [
        ("09:00-17:30", (540, 1049), (539, 1050)),
        ("22:00-06:30", (1320, 1439, 0, 389), (390, 1319)),
        ("00:00-23:59", (0, 1438), (1439,)),
    ],
)
def test_a_window_is_open_from_its_start_until_its_end(window, inside, outside):
    parsed = parse_window(window)
    assert all(parsed.contains(minute) for minute in inside)
    assert not any(parsed.contains(minute) for minute in outside)


@pytest.mark.parametrize("text", ["", "9-17", "09:00", "24:00-06:00", "09:60-10:00", "09:00–17:00", "٠٩:00-10:00"])
def test_what_is_no_window_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="write it like 22:00-06:30"):
        parse_window(text)


def test_a_window_equals_only_a_window():
    assert Window(0, 60) != (0, 60)
    assert Window(0, 60) != Window(0, 61)
