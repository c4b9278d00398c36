"""Moments as an operator writes them. Pure: what "now" is, is told."""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta

from neo_core.durations import parse_duration

EXAMPLES = "14:03, 14:03:20, 2026-11-20T14:03, 2h, or 5m ago"
_CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?", re.ASCII)


def parse_moment(text: str, now: float) -> float:
    """Return seconds since the epoch for a time or for how long ago it was.

    ``14:03`` and ``14:03:20`` mean the latest such local time that is not ahead of ``now``; an ISO 8601 text is local
    without a zone; ``2h``, ``-2h`` and ``2h ago`` are two hours before ``now``. Raises ``ValueError`` for all else.
    """
    told = text.strip()
    try:
        return now - parse_duration(told.removesuffix("ago").removeprefix("-"))
    except ValueError:
        pass
    try:
        if clock := _CLOCK.fullmatch(told):
            hour, minute, second = (int(part or 0) for part in clock.groups())
            return _latest(time(hour, minute, second), now)
        return datetime.fromisoformat(told).astimezone().timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"{text!r} is no time; write it like {EXAMPLES}") from error


def _latest(clock: time, now: float) -> float:
    """Return the latest moment up to ``now`` at which local clocks showed this; a day that leapt over it has none."""
    today = datetime.fromtimestamp(now).astimezone().date()
    for days in range(3):
        day = datetime.combine(today - timedelta(days=days), clock)
        found = (day.replace(fold=fold).astimezone() for fold in (1, 0))
        past = [one.timestamp() for one in found if one.timestamp() <= now and one.time() == clock]
        if past:
            return max(past)
    raise ValueError(f"{clock} was no local time lately")
