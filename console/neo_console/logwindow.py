"""The part of a log that is at hand: its lines as they are shown, and at which byte each begins."""

from __future__ import annotations

from bisect import bisect_left

from neo_console.panels.logline import shown

MOST_LINES = 20_000
_MOST_BYTES = 8 * 1024 * 1024
_LONGEST_OPEN = 65_536


class LogWindow:
    """Lines from byte ``start`` to byte ``end``. ``attached`` says whether it ends where the log does."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.offsets: list[int] = []
        self.start = 0
        self.end = 0
        self.attached = True
        self._open = b""

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def full(self) -> bool:
        """Whether it holds as much as it may."""
        return len(self.lines) >= MOST_LINES or self.end - self.start >= _MOST_BYTES

    def replace(self, start: int, raw: bytes, *, attached: bool) -> None:
        """Hold ``raw`` alone, which begins at byte ``start``."""
        self.lines, self.offsets, self._open = [], [], b""
        self.start = self.end = start
        self.attached = attached
        self.append(raw)

    def append(self, raw: bytes) -> int:
        """Add what follows; return how many lines were dropped above for it."""
        if not raw:
            return 0
        at = self.end - len(self._open)
        if self._open:
            at = self.offsets.pop()
            self.lines.pop()
        self._add(at, self._open + raw)
        self.end += len(raw)
        return self._trim_above()

    def prepend(self, start: int, raw: bytes) -> int:
        """Add whole lines that end where this begins; return how many. What is too much is dropped below."""
        above = LogWindow()
        above.replace(start, raw, attached=False)
        self.lines[0:0], self.offsets[0:0] = above.lines, above.offsets
        self.start = start
        self._trim_below()
        return len(above)

    def index_of(self, offset: int) -> int | None:
        """Return which line begins at that byte; ``None`` when it is not at hand."""
        index = bisect_left(self.offsets, offset)
        return index if index < len(self.offsets) and self.offsets[index] == offset else None

    def _add(self, at: int, raw: bytes) -> None:
        *complete, rest = raw.split(b"\n")
        for line in complete:
            self._line(at, line)
            at += len(line) + 1
        self._open = rest[:_LONGEST_OPEN]
        if rest:
            self._line(at, self._open)

    def _line(self, at: int, line: bytes) -> None:
        self.offsets.append(at)
        self.lines.append(shown(line))

    def _trim_above(self) -> int:
        more = max(0, len(self.lines) - MOST_LINES)
        if self.end - self.start > _MOST_BYTES:
            more = max(more, bisect_left(self.offsets, self.end - _MOST_BYTES))
        more = min(more, len(self.lines) - 1)
        if more > 0:
            del self.lines[:more], self.offsets[:more]
            self.start = self.offsets[0]
        return max(0, more)

    def _trim_below(self) -> None:
        keep = min(len(self.lines), MOST_LINES)
        if self.end - self.start > _MOST_BYTES:
            keep = min(keep, max(1, bisect_left(self.offsets, self.start + _MOST_BYTES)))
        if keep < len(self.lines):
            self.end, self.attached, self._open = self.offsets[keep], False, b""
            del self.lines[keep:], self.offsets[keep:]
