"""One key at a time: the next one is looked at when everything that the key before it does is done.

Textual hands every key to what has the focus when it comes, and that hands back what it does not take itself. A key
that comes in between overtakes: of ``/``, ``ctrl+u`` and ``b`` typed at once, ``ctrl+u`` would delete the ``b``.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from textual import events
from textual.app import App
from textual.message import Message

if TYPE_CHECKING:
    from textual.message_pump import MessagePump
    from textual.timer import Timer

_LOOK_EVERY = 0.25  # seconds
_AT_MOST = 5.0  # seconds that a key waits for the one before it, however long that takes


class KeyTaken(Message):
    """Goes the way of the key before it, and arrives when that has."""


class KeysInTurn(App[int]):
    """An app whose keys keep their order."""

    def __init__(self) -> None:
        super().__init__()
        self._keys_behind: deque[events.Key] = deque()
        self._taker: MessagePump | None = None  # of the key that is under way
        self._waits_since = 0.0
        self._patience: Timer | None = None

    async def on_event(self, event: events.Event) -> None:
        """Hand on a key when its turn has come, and everything else at once."""
        if not isinstance(event, events.Key) or event.is_forwarded:
            await super().on_event(event)
            return
        if self._taker is not None:
            self._keys_behind.append(event)
            self._wait_no_longer_than()
            return
        taker = self.focused or self.screen
        self._taker = taker
        await super().on_event(event)
        if not taker.post_message(KeyTaken()):
            self._taker = None

    async def on_key_taken(self) -> None:
        """Go on with the keys behind it."""
        self._taker = None
        if self._patience is not None:
            self._patience.stop()
            self._patience = None
        while self._keys_behind and self._taker is None:
            await self.on_event(self._keys_behind.popleft())
        if self._keys_behind:
            self._wait_no_longer_than()

    def _wait_no_longer_than(self) -> None:
        if self._patience is None:
            self._waits_since = time.monotonic()
            self._patience = self.set_interval(_LOOK_EVERY, self._look_after_it)

    async def _look_after_it(self) -> None:
        """Go on where the key's way was lost with its widget: nobody waits for ever, but for what is only slow."""
        lost = self._taker is None or not self._taker.is_attached
        if lost or time.monotonic() - self._waits_since > _AT_MOST:
            await self.on_key_taken()
