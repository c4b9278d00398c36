"""Follows one log through the engine, a piece at a time, and reads earlier parts of it when they are asked for."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from neo_console.vocabulary import Seen
from neo_core.errors import NeoError

if TYPE_CHECKING:
    from neo_console.ports import Connect, EngineLike
    from neo_core.logs import LogChunk

Reader = Callable[[int, int], "LogChunk"]
PART = 65_536  # bytes that are read at once on the UI thread
_PARTS_AT_ONCE = 8


class LogKind(StrEnum):
    """Whose log it is."""

    RUN = "run"
    SERVICE = "service"
    ORCHESTRATOR = "orchestrator"


class LogOf(NamedTuple):
    """Names one log; ``name`` is a run id or a service, empty for the orchestrator or for no run at all."""

    kind: LogKind = LogKind.RUN
    name: str = ""

    @property
    def known(self) -> bool:
        """Whether there is something to read."""
        return bool(self.name) or self.kind is LogKind.ORCHESTRATOR

    def label(self, task: str = "") -> str:
        """Return what the log is called."""
        match self.kind:
            case LogKind.RUN:
                return f"{task} · run {self.name[:8]}" if task else f"run {self.name[:8]}"
            case LogKind.SERVICE:
                return f"service {self.name}"
            case LogKind.ORCHESTRATOR:
                return "the orchestrator"


class Part(NamedTuple):
    """Whole lines of a log from byte ``start`` on; the last may be unfinished at the end of the log."""

    start: int
    raw: bytes


class Piece(NamedTuple):
    """What a poll brought, from byte ``start`` on.

    ``restart`` says that what was shown before no longer belongs, ``cut`` that the file was cut or replaced, and
    ``gone`` that it was removed after something of it had been read. A log that is there and empty is ``silent``.
    """

    seen: Seen
    raw: bytes = b""
    start: int = 0
    restart: bool = False
    error: str = ""
    cut: bool = False
    gone: bool = False
    silent: bool = False


class LogFeed:
    """Remembers which log is followed and how far it was read; ``line_start`` is where its unfinished line begins."""

    def __init__(self) -> None:
        self.of = LogOf()
        self._end: int | None = None
        self._binary = False
        self._file = 0
        self.line_start = 0

    @property
    def end(self) -> int:
        """How far the log was read, in bytes."""
        return self._end or 0

    def aim(self, of: LogOf) -> bool:
        """Follow another log from its tail; return whether it is another."""
        if of == self.of:
            return False
        self.of = of
        self._end = None
        return True

    def again(self) -> None:
        """Begin anew at the tail at the next poll."""
        self._end = None

    def reader(self, engine: EngineLike) -> Reader:
        """Return what reads this log from a byte on, at most so many bytes."""
        of = self.of
        return lambda after, limit: read_chunk(engine, of, after, limit)

    def poll(self, connect: Connect) -> Piece:
        """Return what came since the last poll; ``connect`` gives the engine."""
        if not self.of.known:
            return Piece(Seen.EMPTY, restart=True)
        try:
            return self._poll(connect())
        except NeoError as error:
            return Piece(Seen.UNREADABLE, error=str(error))

    def _poll(self, engine: EngineLike) -> Piece:
        end, file = self._end, self._file
        chunk = read_chunk(engine, self.of, end)
        if chunk.missing and end is not None:
            return Piece(Seen.STALE, gone=True)
        cut = end is not None and (chunk.start != end or (chunk.file != file and not chunk.missing))
        if chunk.missing or not chunk.size:
            self._end = None
            silent = not chunk.missing
            return Piece(Seen.EMPTY if silent else Seen.UNKNOWN, restart=True, cut=cut, silent=silent)
        if end is None or cut:
            return self._tail(engine, cut=cut)
        raw, more = chunk.raw, _PARTS_AT_ONCE
        while chunk.end < chunk.size and chunk.raw:
            more -= 1
            if not more:  # it grows faster than anybody reads
                return self._tail(engine, cut=False)
            chunk = read_chunk(engine, self.of, chunk.end)
            raw += chunk.raw
        self._read_to(end, raw)
        return Piece(self._trust(raw, anew=False), raw, end)

    def _tail(self, engine: EngineLike, *, cut: bool) -> Piece:
        chunk = read_chunk(engine, self.of, None)
        part = whole_lines(chunk.start, chunk.raw)
        self._file, self.line_start = chunk.file, part.start
        self._read_to(part.start, part.raw)
        return Piece(self._trust(part.raw, anew=True), part.raw, part.start, restart=True, cut=cut)

    def _trust(self, raw: bytes, *, anew: bool) -> Seen:
        """Return how far what was read is text; a null byte is in none."""
        self._binary = b"\x00" in raw or (self._binary and not anew)
        return Seen.MALFORMED if self._binary else Seen.OK

    def _read_to(self, start: int, raw: bytes) -> None:
        self._end = start + len(raw)
        self.line_start = start + raw.rfind(b"\n") + 1 if b"\n" in raw else self.line_start


def read_chunk(engine: EngineLike, of: LogOf, after: int | None, limit: int = PART) -> LogChunk:
    """Read a part of that log. Raises ``NeoError``."""
    match of.kind:
        case LogKind.RUN:
            return engine.log(of.name, after=after, limit=limit)
        case LogKind.SERVICE:
            return engine.service_log(of.name, after=after, limit=limit)
        case LogKind.ORCHESTRATOR:
            return engine.orchestrator_log(after=after, limit=limit)


def whole_lines(start: int, raw: bytes) -> Part:
    """Leave out the rest of a line with which ``raw`` begins, unless it is all there is."""
    cut = raw.find(b"\n") + 1 if start else 0
    return Part(start + cut, raw[cut:]) if 0 < cut < len(raw) else Part(start, raw)


def part_before(read: Reader, end: int, limit: int = PART) -> Part | None:
    """Return the lines of at most ``limit`` bytes that end at byte ``end``; ``None`` when the log is no longer so long.

    A line longer than ``limit`` is broken.
    """
    start = max(0, end - limit)
    chunk = read(start, end - start)
    if chunk.missing or chunk.size < end or chunk.start != start:
        return None
    return whole_lines(start, chunk.raw)
