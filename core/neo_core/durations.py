"""Durations and daily windows as an operator writes them."""

from __future__ import annotations

import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])", re.ASCII)
_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_LONGEST = 10 * 365 * 86400.0


class Duration(float):
    """Seconds; written like ``90s``, ``10m``, ``1h30m``, ``7d``."""


class Window:
    """A daily window in local time, in minutes after midnight; ``end`` before ``start`` spans midnight."""

    __slots__ = ("end", "start")

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Window) and (self.start, self.end) == (other.start, other.end)

    def __hash__(self) -> int:
        return hash((self.start, self.end))

    @property
    def length(self) -> float:
        """How long the window is open each day, in seconds."""
        return ((self.end - self.start) % 1440) * 60.0

    def contains(self, minute: int) -> bool:
        """Return whether that minute after midnight lies inside."""
        return (minute - self.start) % 1440 < (self.end - self.start) % 1440

    def __str__(self) -> str:
        return f"{self.start // 60:02d}:{self.start % 60:02d}-{self.end // 60:02d}:{self.end % 60:02d}"


def parse_duration(text: str) -> Duration:
    """Return the seconds that ``text`` means; ``0`` needs no unit. Raises ``ValueError``."""
    stripped = text.strip()
    if stripped == "0":
        return Duration(0)
    parts = _PART.findall(stripped)
    if not parts or "".join(number + unit for number, unit in parts) != stripped:
        raise ValueError(f"{text!r} is not a duration; write it like 30s, 10m, 1h30m or 7d")
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if seconds > _LONGEST:
        raise ValueError(f"{text!r} is longer than ten years")
    return Duration(seconds)


def parse_window(text: str) -> Window:
    """Return the daily window that ``text`` (``22:00-06:30``) means. Raises ``ValueError``."""
    match = _WINDOW.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a daily window; write it like 22:00-06:30")
    hours = [int(part) for part in match.groups()]
    return Window(hours[0] * 60 + hours[1], hours[2] * 60 + hours[3])


def format_duration(seconds: float) -> str:
    """Return ``seconds`` in at most two units, like ``3m12s``; under a second in milliseconds."""
    if seconds < 0:
        return f"-{format_duration(-seconds)}"
    if seconds < 0.9995:
        return f"{round(seconds * 1000)}ms" if seconds else "0s"
    left = round(seconds)
    shown: list[str] = []
    for unit in ("d", "h", "m", "s"):
        size = int(_UNITS[unit])
        count, left = divmod(left, size)
        if count or shown:
            shown.append(f"{count:02d}{unit}" if shown else f"{count}{unit}")
        if len(shown) == 2:
            break
    return "".join(shown)
