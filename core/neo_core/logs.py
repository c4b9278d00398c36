"""Reading a log as it grows, a part at a time."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from neo_core.errors import NeoError, describe_os_error

if TYPE_CHECKING:
    from pathlib import Path


class LogChunk(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a log from byte ``start`` to ``end`` of ``size``; ``missing`` when there is no log (yet).

    ``file`` tells one file from another that took its name; 0 when that is not known.
    """

    raw: bytes
    start: int
    end: int
    size: int
    file: int = 0
    missing: bool = False

    @property
    def text(self) -> str:
        """The part as text; what is not UTF-8 is replaced."""
        return self.raw.decode("utf-8", "replace")


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
            number = os.fstat(file.fileno()).st_ino
    except FileNotFoundError:
        return LogChunk(raw=b"", start=0, end=0, size=0, missing=True)
    except OSError as error:
        raise NeoError(f"log {path}", describe_os_error(error), "Make it readable for you.") from error
    return LogChunk(raw=raw, start=start, end=start + len(raw), size=size, file=number)


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
