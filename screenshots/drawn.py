"""When a console under test has done and drawn all that it was asked to, and keys pressed with no more waiting."""

from __future__ import annotations

import asyncio
import unicodedata
from typing import TYPE_CHECKING, Any

from textual import events
from textual.keys import REPLACED_KEYS, _character_to_key, _get_unicode_name_from_key

if TYPE_CHECKING:
    from textual.pilot import Pilot

_A_FRAME = 1 / 50
LOOK_EVERY = 1 / 200
_WITHIN = 20.0


async def drawn(pilot: Pilot[Any], *, collected: bool = True) -> None:
    """Wait until nothing is left to do, to lay out or to draw; ``TimeoutError`` after 20 s.

    Nothing is left when every message is handled, no task can go on and no timer ends within a frame; with
    ``collected`` the collector has also answered all that it was asked. Textual's own pause sleeps for a frame at
    least, and takes a process that waits for a core for one that has nothing to do.
    """
    app, loop = pilot.app, asyncio.get_running_loop()
    sure = False
    async with asyncio.timeout(_WITHIN):
        while True:
            await asyncio.sleep(0)
            if loop._ready:  # noqa: SLF001 - what else would be asked whether anything can go on
                continue
            app.screen._on_timer_update()  # noqa: SLF001 - draw now what would be drawn a frame later
            answered = not collected or app.resting  # looked at first: an answer comes before the rest
            if not answered or not _is_still(pilot) or _is_due(loop):
                sure = False
                await asyncio.sleep(LOOK_EVERY)
            elif sure:
                return
            else:
                sure = True
                await pilot.pause(0)  # a handler may wait for something that is neither a task nor a timer


async def press(pilot: Pilot[Any], *keys: str, collected: bool = True) -> None:
    """Press ``keys``, each when all that the one before it asked for is done and drawn, as ``drawn`` sees it."""
    for key in keys:
        pilot.app._driver.send_message(_event(key))  # noqa: SLF001 - where a terminal's keys come from
        await drawn(pilot, collected=collected)


def _event(key: str) -> events.Key:
    """Return the event of a key by its name or its character."""
    name = _character_to_key(key) if len(key) == 1 else key
    try:
        character = unicodedata.lookup(_get_unicode_name_from_key(REPLACED_KEYS.get(name, name)))
    except KeyError:
        character = name if len(name) == 1 else None
    return events.Key(name, character)


def _is_still(pilot: Pilot[Any]) -> bool:
    """Return whether every key and message is handled, no task can go on and the screen has nothing left to draw."""
    app, screen = pilot.app, pilot.app.screen
    if asyncio.get_running_loop()._ready or app._keys_behind:  # noqa: SLF001
        return False
    if screen._layout_required or screen._dirty_widgets or screen._callbacks:  # noqa: SLF001
        return False
    return not any(pump.message_queue_size for pump in (app, *app.screen_stack, *screen.walk_children()))


def _is_due(loop: asyncio.AbstractEventLoop) -> bool:
    """Return whether a timer ends within a frame: a step of an animation, a drawing that was put off."""
    soon = loop.time() + _A_FRAME
    return any(timer.when() < soon and not timer.cancelled() for timer in loop._scheduled)  # noqa: SLF001
