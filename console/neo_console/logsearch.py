"""Searching a log: what matches a line, and where in the whole log the lines are that match, from its end backwards."""

from __future__ import annotations

import re
import time
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from neo_console.logfeed import part_before
from neo_console.panels.logline import rewritten, shown

if TYPE_CHECKING:
    from neo_console.logfeed import Reader

MOST_FOUND = 10_000
_STEP_BYTES = 1024 * 1024
_STEP_SECONDS = 0.25
_MOST_AT_ONCE = 4 * 1024 * 1024


class Matcher:
    """Finds a text in a line as it is shown; without a capital letter in the text, case is ignored."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._sensitive = text != text.lower()
        self._pattern = re.compile(re.escape(text), 0 if self._sensitive else re.IGNORECASE)
        self._needle = text.encode("utf-8", "replace") if text.isascii() else b""

    def matches(self, line: str) -> bool:
        """Return whether it stands in the line."""
        return self._pattern.search(line) is not None

    def spans(self, line: str) -> list[tuple[int, int]]:
        """Return from where to where it stands in the line, in characters."""
        return [found.span() for found in self._pattern.finditer(line)]

    def lines_of(self, at: int, raw: bytes) -> list[int]:
        """Return at which bytes the lines begin that match; ``raw`` begins a line at byte ``at``."""
        found: list[int] = []
        if self._needle and not rewritten(raw) and self._needle not in self._same_case(raw):
            return found
        for line in raw.split(b"\n"):
            likely = not self._needle or self._needle in self._same_case(line) or rewritten(line)
            if likely and self.matches(shown(line)):
                found.append(at)
            at += len(line) + 1
        return found

    def _same_case(self, raw: bytes) -> bytes:
        return raw if self._sensitive else raw.lower()


class Scan(NamedTuple):
    """What one step of the search found, down to byte ``low``; ``broken`` when the log is no longer what it was."""

    low: int
    found: list[int]
    broken: bool = False


def scan_back(read: Reader, high: int, matcher: Matcher, *, seconds: float = _STEP_SECONDS) -> Scan:
    """Search backwards from byte ``high`` for about so many seconds. Raises ``NeoError``."""
    found: list[int] = []
    deadline = time.monotonic() + seconds
    low = high
    while low > 0 and len(found) < MOST_FOUND:
        part = part_before(read, low, _STEP_BYTES)
        if part is None:
            return Scan(low, found, broken=True)
        found[0:0] = matcher.lines_of(part.start, part.raw)
        low = part.start
        if time.monotonic() > deadline:
            break
    return Scan(low, found)


class Search(msgspec.Struct):
    """How far a search came: ``found`` are the bytes at which matching lines begin, from ``low`` on.

    From ``high``, the beginning of a line, on it looks again: that line may have been unfinished.
    """

    matcher: Matcher
    low: int
    high: int
    found: list[int] = []
    current: int | None = None
    wanted: int = 0
    said: str = ""
    broken: bool = False

    @property
    def done(self) -> bool:
        """Whether all that was asked for was looked at."""
        return self.low <= 0 or self.broken or len(self.found) >= MOST_FOUND

    def take(self, scan: Scan) -> None:
        """Add what a step backwards found."""
        self.found[0:0] = scan.found
        self.low, self.broken = scan.low, scan.broken

    def catch_up(self, read: Reader, end: int, line_start: int) -> None:
        """Look at what was written since, up to byte ``end``; the unfinished line begins at ``line_start``."""
        chunk = read(self.high, min(end - self.high, _MOST_AT_ONCE))
        if chunk.missing or chunk.start != self.high or end - self.high > _MOST_AT_ONCE:
            self.broken = True
            return
        del self.found[bisect_left(self.found, self.high) :]
        if len(self.found) < MOST_FOUND:
            self.found += self.matcher.lines_of(self.high, chunk.raw)
        self.high = line_start

    def nearest(self, anchor: int) -> int | None:
        """Return the last match that begins at or before byte ``anchor``, else the first after it."""
        index = bisect_right(self.found, anchor)
        return self.found[max(0, index - 1)] if self.found else None

    def step(self, by: int) -> int | None:
        """Go to the next match, or for -1 to the previous; at the end begin at the other. ``None`` when not yet known.

        What is not known yet is remembered as ``wanted``.
        """
        self.said, self.wanted = "", 0
        if not self.found:
            self.wanted = 0 if self.done else by
            return None
        if self.current is None:
            self.current = self.found[-1]
            return self.current
        index = bisect_right(self.found, self.current) if by > 0 else bisect_left(self.found, self.current) - 1
        if 0 <= index < len(self.found):
            self.current = self.found[index]
        elif not self.done:
            self.wanted = by
            return None
        else:
            self.current = self.found[0] if by > 0 else self.found[-1]
            self.said = "wrapped to the first" if by > 0 else "wrapped to the last"
        return self.current

    def count(self) -> str:
        """Return how many there are, and which is the current: ``3 of 17``."""
        if not self.found:
            return "no match" if self.done else f"searching, {self._left()}"
        index = bisect_right(self.found, self.current) if self.current is not None else 0
        many = len(self.found)
        if many >= MOST_FOUND:
            return f"the last {many:,} matches"
        if not self.done:
            return f"{many} so far, {self._left()}"
        return f"{index} of {many}" if index else f"{many} found"

    def _left(self) -> str:
        return f"{100 * (self.high - self.low) // max(1, self.high)} % read"
