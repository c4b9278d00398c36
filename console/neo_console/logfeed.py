"""Follows the log of one run through the engine, a piece at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from neo_console.vocabulary import Seen
from neo_core.errors import NeoError

if TYPE_CHECKING:
    from neo_console.ports import Connect


class Piece(NamedTuple):
    """What a poll brought: ``restart`` says that what was shown before no longer belongs."""

    seen: Seen
    text: str = ""
    restart: bool = False
    error: str = ""


class LogFeed:
    """Remembers which run is followed and how far it was read."""

    def __init__(self) -> None:
        self.run_id = ""
        self._end: int | None = None

    def aim(self, run_id: str) -> bool:
        """Follow another run from its tail; return whether it is another."""
        if run_id == self.run_id:
            return False
        self.run_id = run_id
        self._end = None
        return True

    def poll(self, connect: Connect) -> Piece:
        """Return what came since the last poll; ``connect`` gives the engine."""
        if not self.run_id:
            return Piece(Seen.EMPTY, restart=True)
        try:
            chunk = connect().log(self.run_id, after=self._end)
        except NeoError as error:
            return Piece(Seen.UNREADABLE, error=str(error))
        if chunk.missing:
            self._end = None
            return Piece(Seen.UNKNOWN, restart=True)
        restart = self._end is None or chunk.start != self._end
        self._end = chunk.end
        return Piece(Seen.OK, chunk.text, restart=restart)
