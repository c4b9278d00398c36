"""A program on a terminal of its own: when something stands on it, what was typed, and how it went away."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from contextlib import suppress

SIZE = (120, 40)
RESTORED = b"\x1b[?1049l"
_CONTROL = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[ -/]*[0-~])")
_PARTS = 1 << 16


class NeverSeenError(Exception):
    """What was waited for never came; the message tells what stood there instead."""


def words(raw):
    """Return the text of what was written to a terminal, without what moves, colours or asks it."""
    return _CONTROL.sub(b"", raw).decode("utf-8", "replace")


class Terminal:
    """Starts ``command`` on a pty of ``SIZE``; every moment is of ``time.perf_counter``, ``began`` just before exec."""

    def __init__(self, command, cwd, **environment):
        size = dict(zip(("COLUMNS", "LINES"), map(str, SIZE), strict=True))
        wanted = {**os.environ, "TERM": "xterm-256color", **size, **environment}
        self.raw = b""
        self.began = time.perf_counter()
        self.pid, self._master = pty.fork()
        if self.pid == 0:
            try:
                fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
                os.chdir(cwd)
                os.execvpe(command[0], list(command), wanted)
            finally:
                os._exit(127)
        self.code = None

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
        return self._master

    def forget(self):
        """Read what is there now, and forget it; return how many bytes that were."""
        self.raw = b""
        if not self._read(0.0):
            raise NeverSeenError("the program went away")
        return len(self.raw)

    def type(self, keys):
        """Type; return when."""
        typed = time.perf_counter()
        os.write(self._master, keys)
        return typed

    def gone(self, timeout=30.0):
        """Read until the process has ended; return when the terminal was restored (``None``: never) and it was gone."""
        deadline, restored, rest = time.perf_counter() + timeout, None, b""
        while True:
            self.raw = b""
            more = self._read(0.01)
            rest = rest[-len(RESTORED) :] + self.raw
            if restored is None and RESTORED in rest:
                restored = self.read_at
            if self._ended() and not more:
                return restored, time.perf_counter()
            if time.perf_counter() > deadline:
                raise NeverSeenError("the program never ended")

    def kill(self):
        """End it, whatever it does; close the terminal."""
        if self.code is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        if self._master is not None:
            os.close(self._master)
            self._master = None

    def _ended(self):
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.code = os.waitstatus_to_exitcode(status)
        return self.code is not None

    def _read(self, seconds):
        """Read what is there within ``seconds``; return whether anybody can write any more."""
        if not select.select([self._master], [], [], max(0.0, seconds))[0]:
            return self.code is None
        try:
            part = os.read(self._master, _PARTS)
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
