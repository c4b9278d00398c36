"""What a task will probably need, learned from its past runs; without a past there is no forecast."""

from __future__ import annotations

import math

import msgspec


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """The memory in bytes that 95 of 100 past runs stayed below, and how many runs say so."""

    peak: int
    samples: int


def forecast(peaks: list[int]) -> Forecast | None:
    """Return the 95th percentile (nearest rank) of the peaks of past runs; ``None`` without any."""
    if not peaks:
        return None
    ordered = sorted(peaks)
    return Forecast(peak=ordered[math.ceil(0.95 * len(ordered)) - 1], samples=len(ordered))


def fits(told: Forecast, available: int, reserve: int) -> bool:
    """Return whether a run of that size leaves ``reserve`` bytes of what is available."""
    return available - reserve >= told.peak
