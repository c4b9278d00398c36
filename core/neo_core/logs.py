"""Reading a log as it grows, a part at a time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from neo_core.errors import NeoError, describe_os_error

if TYPE_CHECKING:
    from pathlib import Path


class LogChunk(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a log from byte ``start`` to ``end``; ``missing`` when there is no log (yet)."""

    text: str
    start: int
    end: int
    missing: bool = False


def read_log(path: Path, *, after: int | None = None, limit: int = 65_536) -> LogChunk:
    """Return at most ``limit`` bytes of a log: its tail, or what follows byte ``after``. Raises ``NeoError``.

    A log that is shorter than ``after`` has been rotated, and is read from its beginning.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            start = max(0, size - limit) if after is None else after if after <= size else 0
            file.seek(start)
            raw = _whole_characters(file.read(limit))
    except FileNotFoundError:
        return LogChunk(text="", start=0, end=0, missing=True)
    except OSError as error:
        raise NeoError(f"log {path}", describe_os_error(error), "Make it readable for you.") from error
    return LogChunk(text=raw.decode("utf-8", "replace"), start=start, end=start + len(raw))


def _whole_characters(raw: bytes) -> bytes:
    """Return ``raw`` without a UTF-8 character that is cut off at its end; the next chunk begins with it."""
    for length in range(1, min(4, len(raw))):
        byte = raw[-length]
        if byte >= 0xC0:
            complete = (byte < 0xE0 and length == 2) or (0xE0 <= byte < 0xF0 and length == 3)
            return raw if complete else raw[:-length]
        if byte < 0x80:
            break
    return raw
