"""What actions did: a line on the main screen and on the page over it, and an entry of this session's list."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from neo_console.vocabulary import Tone

if TYPE_CHECKING:
    from collections.abc import Callable

_BADGES = {Tone.OK: "✓", Tone.RUN: "●", Tone.WAIT: "‖", Tone.FAIL: "✗", Tone.CALM: "◐"}
_MOST = 50
STAYS = 12.0  # seconds
_REFUSAL_STAYS = 60.0


class Result(NamedTuple):
    """One result. With ``still`` it is a refusal, which is shown only for as long as that says that it holds."""

    at: float
    text: str
    tone: Tone
    still: Callable[[], bool] | None = None

    @property
    def badge(self) -> str:
        """Its mark in monochrome."""
        return _BADGES.get(self.tone, "·")

    @property
    def stays(self) -> float:
        """For how many seconds it stands on the main screen: longer where what was asked for did not happen."""
        return _REFUSAL_STAYS if self.tone in (Tone.FAIL, Tone.WAIT) else STAYS

    def past(self, now: float) -> bool:
        """Return whether it has stood long enough, or says what is no longer so."""
        return now >= self.at + self.stays or (self.still is not None and not self.still())


class Journal:
    """The results of this session, newest first."""

    def __init__(self) -> None:
        self._results: deque[Result] = deque(maxlen=_MOST)

    def add(self, result: Result) -> None:
        """Keep a result."""
        self._results.appendleft(result)

    def results(self) -> tuple[Result, ...]:
        """Return them."""
        return tuple(self._results)
