"""Makes a line of a log readable: a JSON object becomes time, level and message; anything else stays as it is."""

from __future__ import annotations

import re
from typing import Any

import msgspec

_TIME = ("time", "timestamp", "ts", "at")
_LEVEL = ("level", "severity", "levelname", "outcome")
_MESSAGE = ("message", "msg", "summary", "text", "reason", "event")
_CLOCK = re.compile(r"\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d)")
_LONGEST = 20_000


def readable(line: str) -> str:
    """Return the line as an operator reads it; never fails."""
    found = _object(line)
    message = _first(found, _MESSAGE)
    if not message:
        return line
    level = _first(found, _LEVEL)
    when = _CLOCK.match(_first(found, _TIME))
    prefix = " ".join(part for part in (when[1] if when else "", f"{level.upper()}:" if level else "") if part)
    return f"{prefix} {message}".strip()


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
