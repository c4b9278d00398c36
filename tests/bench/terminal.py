"""A program on a terminal of its own: when something stands on it, what was typed, and how it went away."""

from __future__ import annotations

import os
import re
import select
import time
from contextlib import suppress

from tests.pseudoterminal import LEFT, TYPE, PseudoTerminal, words

SIZE = (120, 40)
_PARTS = 1 << 16


class NeverSeenError(Exception):
    """What was waited for never came; the message tells what stood there instead."""


class Terminal:
    """Starts ``command`` on a pty of ``SIZE``; every moment is of ``time.perf_counter``, ``began`` just before exec."""

    def __init__(self, command, cwd, **environment):
        size = dict(zip(("COLUMNS", "LINES"), map(str, SIZE), strict=True))
        wanted = {**os.environ, "TERM": TYPE, **size, **environment}
        self.raw = b""
        self.began = time.perf_counter()
        self._pty = PseudoTerminal(command, size=SIZE, environment=wanted, cwd=cwd)

    @property
    def pid(self):
        """The process."""
        return self._pty.pid

    @property
    def code(self):
        """The exit code as far as it was asked for; ``None`` before."""
        return self._pty.code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def until(self, wanted, timeout=30.0):
        """Read until the regular expression ``wanted`` stands in the text; return the moment when it did."""
        deadline = time.perf_counter() + timeout
        while not re.search(wanted, words(self.raw)):
            if not self._read(0.05) or time.perf_counter() > deadline:
                raise NeverSeenError(f"{wanted!r} was never seen: {words(self.raw)[-300:]!r}")
        return self.read_at

    def cpu(self):
        """Return the seconds of CPU that the threads it has now have used so far, to the nanosecond."""
        used = 0
        for thread in os.listdir(f"/proc/{self.pid}/task"):
            with suppress(OSError), open(f"/proc/{self.pid}/task/{thread}/schedstat") as file:
                used += int(file.read().split()[0])
        return used / 1e9

    def fileno(self):
        """Return what is read from."""
        return self._pty.master

    def forget(self):
        """Read what is there now, and forget it; return how many bytes that were."""
        self.raw = b""
        if not self._read(0.0):
            raise NeverSeenError("the program went away")
        return len(self.raw)

    def type(self, keys):
        """Type; return when."""
        typed = time.perf_counter()
        os.write(self._pty.master, keys)
        return typed

    def gone(self, timeout=30.0):
        """Read until the process has ended; return when the terminal was restored (``None``: never) and it was gone."""
        deadline, restored, rest = time.perf_counter() + timeout, None, b""
        while True:
            self.raw = b""
            more = self._read(0.01)
            rest = rest[-len(LEFT) :] + self.raw
            if restored is None and LEFT in rest:
                restored = self.read_at
            if self._pty.exit_code() is not None and not more:
                return restored, time.perf_counter()
            if time.perf_counter() > deadline:
                raise NeverSeenError("the program never ended")

    def kill(self):
        """End it, whatever it does; close the terminal."""
        self._pty.kill()
        self._pty.hang_up()

    def _read(self, seconds):
        """Read what is there within ``seconds``; return whether anybody can write any more."""
        if not select.select([self._pty.master], [], [], max(0.0, seconds))[0]:
            return self.code is None
        try:
            part = os.read(self._pty.master, _PARTS)
        except OSError:  # the other side is closed
            return False
        self.read_at = time.perf_counter()
        self.raw += part
        return bool(part)


def drain_all(terminals, seconds):
    """Read, and forget, what comes from all of them for so long; return how many bytes came from each."""
    counts = dict.fromkeys(terminals, 0)
    deadline = time.perf_counter() + seconds
    while (left := deadline - time.perf_counter()) > 0:
        for one in select.select(list(counts), [], [], left)[0]:
            counts[one] += one.forget()
    return list(counts.values())
