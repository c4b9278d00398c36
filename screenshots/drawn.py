"""When a console under test has drawn all that it was asked to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from textual.pilot import Pilot

_A_FRAME = 1 / 50
_LOOKS = 2
_WITHIN = 20.0


async def drawn(pilot: Pilot[Any], *, collected: bool = True) -> None:
    """Wait until nothing is left to lay out or draw, at two looks a frame apart; ``TimeoutError`` after 20 s.

    With ``collected`` the collector has also answered all that it was asked. Textual's own pause takes a process that
    waits for a core for one that has nothing to do.
    """
    still = 0
    async with asyncio.timeout(_WITHIN):
        await pilot.pause()
        while still < _LOOKS:
            ready = _is_still(pilot) and (pilot.app.resting or not collected)
            still = still + 1 if ready else 0
            await asyncio.sleep(_A_FRAME)


def _is_still(pilot: Pilot[Any]) -> bool:
    """Return whether every widget has handled its messages and the screen has nothing to lay out or to draw."""
    screen = pilot.app.screen
    pumps = [pilot.app, *pilot.app.screen_stack, *screen.walk_children()]
    busy = screen._layout_required or screen._dirty_widgets or screen._callbacks  # noqa: SLF001
    return not busy and all(pump.message_queue_size == 0 for pump in pumps)
