"""Makes a line of a log readable: a JSON object becomes time, level and message; colours and overwritten parts go."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from neo_console.format import plain

_TIME = ("time", "timestamp", "ts", "at")
_LEVEL = ("level", "severity", "levelname", "outcome")
_MESSAGE = ("message", "msg", "summary", "text", "reason", "event")
_CLOCK = re.compile(r"\d{4}-\d\d-\d\d[T ](\d\d:\d\d:\d\d)(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?")
_HEAD = re.compile(rf"(?:\[({_CLOCK.pattern})\]|({_CLOCK.pattern}))(?: \[PID:\d+\])?(?: \[INFO\])?(?= |$)")
_TIME_LENGTH = len("HH:MM:SS")
_LONGEST = 20_000
_MOST_WIDE = 4_000
_ESCAPES = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]"  # colours, cursor movements
    r"|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles, links, strings for the terminal
    r"|[ -/]*[0-~])"
)
_REWRITTEN = re.compile(rb"[{\t\r\x1b]")


def readable(line: str) -> str:
    """Return the line as an operator reads it; never fails."""
    found = _object(line)
    message = _first(found, _MESSAGE)
    if not message:
        return line
    level = _first(found, _LEVEL)
    when = _first(found, _TIME)
    time = _time_of_day(when) if _CLOCK.match(when) else ""
    prefix = " ".join(part for part in (time, f"{level.upper()}:" if level else "") if part)
    return f"{prefix} {message}".strip()


def shown(raw: bytes) -> str:
    """Return a line as it is shown: on one line, without colours, every other control character made visible.

    Of a line that was overwritten by carriage returns only the last state is shown, of a very long one its beginning.
    """
    text = raw.decode("utf-8", "replace").rstrip("\r")
    if "\x1b" in text:
        text = _ESCAPES.sub("", text)
    if "\r" in text:
        text = text.rsplit("\r", 1)[1] or text
    text = readable(text).expandtabs(4)
    if len(text) > _MOST_WIDE:
        return f"{plain(text[:_MOST_WIDE])} … and {len(text) - _MOST_WIDE:,} more characters"
    return plain(text)


class Brief(NamedTuple):
    """A line for little room: its first ``cut`` characters became a time of day of ``short``, both 0 for none."""

    text: str
    cut: int = 0
    short: int = 0

    def place(self, begin: int, end: int) -> tuple[int, int]:
        """Return where a stretch of the whole line stands in it; one in what became the time is all of the time."""
        moved = self.short - self.cut
        return (begin + moved if begin >= self.cut else 0, end + moved if end > self.cut else self.short)


def brief(line: str) -> Brief:
    """Return the line with the local time of day in place of what it begins with: date, time, pid, that it informs."""
    head = _HEAD.match(line)
    if head is None:
        return Brief(line)
    time = _time_of_day(head[1] or head[3])
    return Brief(time + line[head.end() :], head.end(), len(time))


def brief_length(line: str) -> int:
    """Return how many characters ``brief`` leaves, which is told without reading the time."""
    head = _HEAD.match(line)
    return len(line) if head is None else len(line) - head.end() + _TIME_LENGTH


def _time_of_day(stamp: str) -> str:
    """Return the local time of day of a stamp with a zone, else the time as it stands there."""
    found = _CLOCK.match(stamp)
    try:
        at = datetime.fromisoformat(found[0] if found else stamp)
    except ValueError:
        return found[1] if found else stamp
    return (at.astimezone() if at.tzinfo is not None else at).strftime("%H:%M:%S")


def rewritten(raw: bytes) -> bool:
    """Return whether something in it may be shown otherwise than it stands there."""
    return _REWRITTEN.search(raw) is not None


def _object(line: str) -> dict[str, Any]:
    """Return the object that the line is; empty when it is none."""
    text = line.strip()
    if not (text.startswith("{") and text.endswith("}")) or len(text) > _LONGEST:
        return {}
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _first(found: dict[str, Any], names: tuple[str, ...]) -> str:
    return next((value for name in names if isinstance(value := found.get(name), str) and value), "")
