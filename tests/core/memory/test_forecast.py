"""Forecasts: the 95th percentile of past peaks, by nearest rank."""

from __future__ import annotations

import pytest

from neo_core.memory.forecast import Forecast, fits, forecast


def test_without_a_past_there_is_no_forecast():
    assert forecast([]) is None


@pytest.mark.parametrize(
    ("peaks", "peak"),
    [([7], 7), ([3, 1, 2], 3), (list(range(1, 21)), 19), (list(range(1, 101)), 95), ([5] * 9 + [90], 90)],
)
def test_it_is_what_95_of_100_runs_stayed_below(peaks, peak):
    assert forecast(peaks) == Forecast(peak=peak, samples=len(peaks))


def test_a_run_fits_when_it_leaves_the_reserve():
    told = Forecast(peak=400, samples=3)

    assert fits(told, available=500, reserve=100)
    assert not fits(told, available=499, reserve=100)
