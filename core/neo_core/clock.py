"""Time, injected: wall clock for records, monotonic clock for durations."""

from __future__ import annotations

import time
from typing import Protocol

_YEAR_10000 = 253_402_300_800


class Clock(Protocol):
    """What the engine may ask of time; tests give their own."""

    def now(self) -> float:
        """Return seconds since the epoch by the wall clock, which may jump."""
        ...

    def monotonic(self) -> float:
        """Return seconds by a clock that never goes back; only differences mean anything."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait ``seconds``."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        """Return seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Return monotonic seconds."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait ``seconds``."""
        time.sleep(seconds)


def to_iso(seconds: float) -> str:
    """Return ``seconds`` since the epoch as ISO 8601 in UTC with milliseconds and ``Z``, as JavaScript prints it.

    Raises ``ValueError`` outside the years 1 to 9999.
    """
    if 0 <= seconds < _YEAR_10000 - 1:
        whole = int(seconds)
        micro = round((seconds - whole) * 1e6)
        whole, micro = whole + micro // 1_000_000, micro % 1_000_000
        year, month, day, hour, minute, second = time.gmtime(whole)[:6]
        return f"{year}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}.{micro // 1000:03d}Z"
    from datetime import UTC, datetime

    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError) as error:
        raise ValueError(f"{seconds!r} is not a time between the years 1 and 9999") from error
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def local_time(seconds: float, now: float) -> str:
    """Return the local time of day as a sentence names it: ``10:32``, with the date on another day than ``now``'s."""
    there, here = time.localtime(seconds), time.localtime(now)
    if there[:3] == here[:3]:
        return time.strftime("%H:%M", there)
    return time.strftime("%d %b %H:%M" if there.tm_year == here.tm_year else "%Y-%m-%d %H:%M", there)


def from_iso(text: str) -> float:
    """Return seconds since the epoch for an ISO 8601 text; without a zone it is taken as UTC.

    Raises ``ValueError`` when the text is not such a time.
    """
    from datetime import UTC, datetime  # a millisecond that a fresh acquisition does not need

    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return moment.timestamp()
    except OverflowError as error:
        raise ValueError(f"{text!r} is out of range") from error
