"""Sleeping until something happens: a child ended, a signal came, or the time is up."""

from __future__ import annotations

import os
import select
import signal
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType


class SignalWaiter:
    """Turns signals into facts to look at, without handlers that interrupt anything.

    The latest of ``stops`` that came is ``stop_signal``; a child's end only wakes ``wait``.
    """

    def __init__(self, stops: tuple[signal.Signals, ...] = (signal.SIGTERM, signal.SIGINT)) -> None:
        self.stop_signal: int | None = None
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        os.set_blocking(self._reader, False)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in stops:
            signal.signal(number, self._stop)
        signal.signal(signal.SIGCHLD, _ignore)
        if signal.SIGHUP not in stops:
            signal.signal(signal.SIGHUP, _ignore)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, stops)

    def wait(self, seconds: float, also: Sequence[int] = ()) -> None:
        """Return after ``seconds``, as soon as a signal arrived, or when one of ``also`` can be read."""
        select.select([self._reader, *also], [], [], max(0.0, seconds))
        with suppress(BlockingIOError):
            os.read(self._reader, 4096)

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        self.stop_signal = number


class Reaper:
    """Collects ended children, also adopted ones, and keeps the exit code of the one that matters."""

    def __init__(self, child: int) -> None:
        self._child = child
        self.exit_code: int | None = None

    def collect(self) -> None:
        """Collect every child that has ended; never blocks."""
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                if pid == self._child:
                    self.exit_code = os.waitstatus_to_exitcode(status)


def _ignore(_number: int, _frame: FrameType | None) -> None:
    """Let the wake-up descriptor do its work."""
