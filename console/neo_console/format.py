"""Ages, countdowns, bytes and clock times as an operator reads them; neither textual nor rich is imported."""

from __future__ import annotations

import re
from datetime import datetime

from neo_core.clock import from_iso, local_time
from neo_core.durations import format_duration

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]")
_ISO = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_UNITS = ("B", "K", "M", "G", "T", "P")
DAY = 86_400.0
NOTHING = "–"


def plain(text: str) -> str:
    """Return ``text`` on one line with every control character, and every change of direction, made visible."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text.replace("\n", " ").replace("\t", " "))


def age(seconds: float | None) -> str:
    """Return an age like ``3m12s``; from ten minutes on the seconds no longer tick: ``12m``, ``3h04m``, ``2d``."""
    if seconds is None:
        return NOTHING
    left = max(0.0, seconds)
    if left < 600:
        return format_duration(int(left))
    if left < 3600:
        return f"{int(left // 60)}m"
    if left < DAY:
        return f"{int(left // 3600)}h{int(left % 3600 // 60):02d}m"
    return f"{int(left // DAY)}d"


def brief(seconds: float) -> str:
    """Return an age in its largest unit alone: ``42s``, ``12m``, ``3h``, ``2d``."""
    left = max(0.0, seconds)
    for length, unit in ((DAY, "d"), (3600.0, "h"), (60.0, "m")):
        if left >= length:
            return f"{int(left // length)}{unit}"
    return f"{int(left)}s"


def took(seconds: float | None) -> str:
    """Return how long something took, like ``3m12s`` or ``420ms``."""
    return NOTHING if seconds is None else format_duration(seconds)


def every(seconds: float) -> str:
    """Return an interval like ``10m`` or ``1h30m``; zero means never."""
    if not seconds:
        return "never"
    return re.sub(r"(?<=[dhm])0+[hms]$", "", format_duration(seconds))


def size(amount: int | None) -> str:
    """Return a number of bytes in at most five characters, like ``1.2G`` or ``640K``."""
    if amount is None:
        return NOTHING
    value = float(amount)
    for unit in _UNITS[:-1]:
        if value < 999.5:
            return f"{value:.1f}{unit}" if value < 9.95 and unit != "B" else f"{value:.0f}{unit}"
        value /= 1024
    return f"{value:.0f}{_UNITS[-1]}"


def clock_time(at: float) -> str:
    """Return the local time of day with seconds."""
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S")


def midnight(now: float) -> float:
    """Return when the local day of ``now`` began."""
    return datetime.fromtimestamp(now).astimezone().replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def moment(at: float | None, now: float, *, seconds: bool = False) -> str:
    """Return the local time of day, with the weekday unless it is today's; only the date when it is far away."""
    if at is None:
        return NOTHING
    there, here = datetime.fromtimestamp(at).astimezone(), datetime.fromtimestamp(now).astimezone()
    if there.date() == here.date():
        return there.strftime("%H:%M:%S" if seconds else "%H:%M")
    if abs(at - now) < 6 * DAY:
        return there.strftime("%a %H:%M")
    return there.strftime("%d %b" if there.year == here.year else "%Y-%m")


def exactly(at: float, now: float) -> str:
    """Return the local time with seconds, with the date unless it is today's: ``14:03:20``, ``20 Nov 14:03:20``."""
    there, here = datetime.fromtimestamp(at).astimezone(), datetime.fromtimestamp(now).astimezone()
    if there.date() == here.date():
        return there.strftime("%H:%M:%S")
    return there.strftime("%d %b %H:%M:%S" if there.year == here.year else "%Y-%m-%d %H:%M:%S")


def in_local_time(text: str, now: float) -> str:
    """Return ``text`` of the engine with its times in UTC as an operator's clock shows them."""
    return _ISO.sub(lambda found: local_time(from_iso(found[0]), now), text)


def countdown(at: float, now: float) -> str:
    """Return when ``at`` will be, relative and absolute: ``in 4m · 14:07``."""
    left = at - now
    ahead = f"in {age(left)}" if left < 60 or left >= 600 else f"in {int(left // 60)}m"
    return f"{ahead} · {moment(at, now)}"


def countdown_brief(at: float, now: float) -> str:
    """Return ``countdown`` in its largest unit, at most 18 cells: ``in 23h · Sun 06:30``."""
    return f"in {brief(at - now)} · {moment(at, now)}"


def cron_brief(expression: str) -> str:
    """Return a cron expression in few cells where it has a plain meaning: ``03:00``, ``15m``, ``1h``; else as it is."""
    if daily := re.fullmatch(r"(\d{1,2}) (\d{1,2}) \* \* \*", expression):
        return f"{int(daily[2]):02d}:{int(daily[1]):02d}"
    if minutes := re.fullmatch(r"\*/(\d{1,2}) \* \* \* \*", expression):
        return f"{minutes[1]}m"
    if hours := re.fullmatch(r"\d{1,2} \*(?:/(\d{1,2}))? \* \* \*", expression):
        return f"{hours[1] or 1}h"
    return expression


def ago(at: float | None, now: float) -> str:
    """Return how long ago ``at`` was, relative and absolute: ``12m ago · 13:51``."""
    if at is None:
        return "never"
    return f"{age(now - at)} ago · {moment(at, now, seconds=now - at < DAY)}"


def percent(value: float | None) -> str:
    """Return a percentage; unknown stays unknown."""
    return "?" if value is None else f"{value:.0f}%"


def plural(count: int, one: str, many: str = "") -> str:
    """Return a counted noun: ``1 row``, ``2 rows``."""
    return f"{count} {one if count == 1 else many or one + 's'}"
