"""Follows one log through the engine, a piece at a time."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from neo_console.vocabulary import Seen
from neo_core.errors import NeoError

if TYPE_CHECKING:
    from neo_console.ports import Connect, EngineLike
    from neo_core.logs import LogChunk


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


class Piece(NamedTuple):
    """What a poll brought: ``restart`` says that what was shown before no longer belongs."""

    seen: Seen
    text: str = ""
    restart: bool = False
    error: str = ""


class LogFeed:
    """Remembers which log is followed and how far it was read."""

    def __init__(self) -> None:
        self.of = LogOf()
        self._end: int | None = None
        self._binary = False

    def aim(self, of: LogOf) -> bool:
        """Follow another log from its tail; return whether it is another."""
        if of == self.of:
            return False
        self.of = of
        self._end = None
        return True

    def poll(self, connect: Connect) -> Piece:
        """Return what came since the last poll; ``connect`` gives the engine."""
        if not self.of.known:
            return Piece(Seen.EMPTY, restart=True)
        try:
            chunk = _read(connect(), self.of, self._end)
        except NeoError as error:
            return Piece(Seen.UNREADABLE, error=str(error))
        if chunk.missing or not chunk.end:
            self._end = None
            return Piece(Seen.UNKNOWN, restart=True)
        restart = self._end is None or chunk.start != self._end
        self._end = chunk.end
        self._binary = "\x00" in chunk.text or (self._binary and not restart)
        return Piece(Seen.MALFORMED if self._binary else Seen.OK, chunk.text, restart=restart)


def _read(engine: EngineLike, of: LogOf, after: int | None) -> LogChunk:
    match of.kind:
        case LogKind.RUN:
            return engine.log(of.name, after=after)
        case LogKind.SERVICE:
            return engine.service_log(of.name, after=after)
        case LogKind.ORCHESTRATOR:
            return engine.orchestrator_log(after=after)
