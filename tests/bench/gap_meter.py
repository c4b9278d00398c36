"""Runs the console with its event loop watched: ``gap_meter.py OUT``. Nothing of the console itself is changed.

A gap is the time between two looks of the loop for events: until the next look no key is read and nothing is drawn.
When it comes back later from a look than it asked for, as when another thread held the interpreter, the delay counts.
``OUT`` gets a line ``moment seconds cpu queued`` for each, by the monotonic clock: ``cpu`` is what the loop itself
worked, ``queued`` how long it was ready to and the machine's processors had others to run.
"""

from __future__ import annotations

import os
import selectors
import sys
import threading
import time


class GapMeter:
    """Measures a selector's owner, and nobody else's."""

    def __init__(self, clock=time.monotonic, cpu=time.thread_time, queued=None):
        self.gaps = []
        self._clock, self._cpu, self._queued = clock, cpu, queued or queue_clock()
        self._back = None
        self._asleep = 0.0

    def watch(self, kind):
        """Measure every selector of that class on this thread from now on."""
        looked, owner = kind.select, threading.get_ident()

        def select(selector, timeout=None):
            if threading.get_ident() != owner:
                return looked(selector, timeout)
            asked = self.leave()
            found = looked(selector, timeout)
            self.come_back(asked, timeout if not found else None)
            return found

        kind.select = select

    def leave(self):
        """Note that the loop looks for events: what it did since it came back is a gap. Return when."""
        now, self._asleep = self._clock(), self._queued()
        if self._back is not None:
            since, late, worked, queued = self._back
            self.gaps.append((since - late, now - since + late, self._cpu() - worked, self._asleep - queued))
        return now

    def come_back(self, asked, timeout):
        """Note that the loop goes on; later than ``timeout`` after it asked is late."""
        now = self._clock()
        late = max(0.0, now - asked - timeout) if timeout is not None and timeout > 0 else 0.0
        self._back = (now, late, self._cpu(), self._asleep if late else self._queued())


def queue_clock():
    """Return what tells for how many seconds this thread has waited for a processor; 0 where the kernel does not."""
    try:
        file = os.open("/proc/thread-self/schedstat", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return lambda: 0.0
    return lambda: int(os.pread(file, 64, 0).split()[1]) / 1e9


def main():
    out = sys.argv.pop()
    meter = GapMeter()
    meter.watch(selectors.DefaultSelector)
    try:
        from neo_console.cli.main import main as console

        code = console([])
    finally:
        with open(out, "w") as file:
            file.writelines(" ".join(f"{value:.6f}" for value in one) + "\n" for one in meter.gaps)
    sys.exit(code)


if __name__ == "__main__":
    sys.path.pop(0)
    main()
