"""Ending the whole tree of a service, a look at a time: the stop signal first, and KILL when its grace is over."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from neo_core.processes.source import ProcessIdentity

_FIRST_LOOK, _LONGEST_PAUSE = 0.02, 0.5
_KILL_PAUSE = 0.05
_STUCK_AFTER = 5.0


class Mortal(Protocol):
    """A process tree that can be ended."""

    def members(self) -> list[ProcessIdentity]:
        """Return who lives of it."""
        ...

    def signal(self, number: signal.Signals, members: list[ProcessIdentity] | None = None) -> int:
        """Send a signal to every member; return how many got it."""
        ...


class Stopping:
    """One tree on its way out. ``deadline`` is the monotonic time of KILL; ``killed`` says that it has come.

    ``stuck`` is true once processes have survived KILL for some seconds (they wait in the kernel).
    """

    def __init__(self, tree: Mortal, stop_signal: signal.Signals, deadline: float, now: float) -> None:
        self.tree = tree
        self.killed = False
        self.stuck = False
        self.deadline = deadline
        self._signal = stop_signal
        self._asked = False
        self._pause = _FIRST_LOOK
        self.next_look = now

    def hurry(self, now: float) -> None:
        """Kill at the next look."""
        self.deadline = min(self.deadline, now)
        self.next_look = now

    def look(self, now: float) -> bool:
        """Return whether nobody is left; ask or kill who is."""
        if now < self.next_look:
            return False
        members = self.tree.members()
        if not members:
            return True
        if now >= self.deadline:
            self.killed = True
            self.stuck = now >= self.deadline + _STUCK_AFTER
            self.tree.signal(signal.SIGKILL, members)
            self._pause = _LONGEST_PAUSE if self.stuck else _KILL_PAUSE
        else:
            if not self._asked:
                self._asked = True
                self.tree.signal(self._signal, members)
            self._pause = min(_LONGEST_PAUSE, self._pause * 1.6, max(_KILL_PAUSE, self.deadline - now))
        self.next_look = now + self._pause
        return False
