"""Ending for sure: a terminal that nobody reads any more, or that is gone, must not keep the console alive.

Textual writes through a queue, which blocks the event loop when it is full, and reads in a thread that spins when its
terminal is gone before it was told to end. A signal that comes while the main thread begins to block is not seen by
Python, so a thread of its own waits for the terminal's end: it costs nothing until then.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import termios
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Callable
    from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGHUP)
_WITHIN = 2.0  # seconds, far more than an orderly end takes
_LEAVE = b"\x1b[?1000l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1049l\x1b[?25h"


class Ending:
    """Knows how the terminal was before, and puts that back should the orderly end not come."""

    def __init__(self) -> None:
        self._before: list[Any] | None = None
        self._told = 0  # the exit code of a signal that came while the console opened
        with suppress(termios.error, OSError, ValueError):
            self._before = termios.tcgetattr(sys.stdin.fileno())

    def heed_signals(self) -> None:
        """Keep a signal to end until ``follow_signals`` can leave in order, and end for sure soon after it came."""

        def told(number: int, _frame: FrameType | None) -> None:
            self._told = 128 + number
            self.end_for_sure(self._told)

        _at_signals(told)

    def follow_signals(self, loop: AbstractEventLoop, leave: Callable[[int], None]) -> None:
        """Call ``leave`` with the exit code of a signal to end, on the loop, and end for sure soon after."""

        def told(number: int, _frame: FrameType | None) -> None:
            code = 128 + number
            self.end_for_sure(code)
            loop.call_soon_threadsafe(leave, code)

        _at_signals(told)
        if self._told:
            loop.call_soon(leave, self._told)
        threading.Thread(target=_outlive_no_terminal, name="hang-up", daemon=True).start()

    def end_for_sure(self, code: int) -> None:
        """End the process with ``code`` in two seconds, unless it has ended by then; for the main thread."""
        signal.signal(signal.SIGALRM, lambda *_: self._end_now(code))
        signal.setitimer(signal.ITIMER_REAL, _WITHIN)

    def _end_now(self, code: int) -> None:
        if sys.__stderr__ is not None:  # what Textual draws on; it puts something else in place of sys.stdout
            with suppress(OSError, ValueError):
                os.set_blocking(sys.__stderr__.fileno(), False)
                os.write(sys.__stderr__.fileno(), _LEAVE)
        if self._before is not None:
            with suppress(termios.error, OSError, ValueError):
                termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, self._before)
        os._exit(code)


def _outlive_no_terminal() -> None:
    """Wait until the terminal is gone, then for an orderly end, then end the process."""
    try:
        waiting = select.poll()
        waiting.register(sys.stdin.fileno(), 0)  # a hang-up is told without being asked for
        waiting.poll()
    except (OSError, ValueError):
        return
    time.sleep(_WITHIN)
    os._exit(128 + signal.SIGHUP)


def _at_signals(told: Callable[[int, FrameType | None], None]) -> None:
    for number in _SIGNALS:
        signal.signal(number, told)
