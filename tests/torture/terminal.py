"""The console on a pseudo-terminal of its own: what it draws, what it leaves behind, and how to be unkind to it."""

from __future__ import annotations

import os
import select
import termios
import threading
import time

import psutil

from tests.pseudoterminal import CONSOLE, LEFT, TYPE, PseudoTerminal, words

SHOWS_CURSOR = b"\x1b[?25h"
MOUSE_OFF = b"\x1b[?1000l"
PASTE_OFF = b"\x1b[?2004l"


class Terminal:
    """A running ``neo-console`` over ``root`` in a session of its own; everything that it writes is kept.

    ``started_by`` is a command that is given the console's and starts it.
    """

    def __init__(self, root, *arguments, size=(120, 40), environment=None, started_by=()):
        held = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
        held |= {"TERM": TYPE, **(environment or {})}
        self.began = time.monotonic()
        command = [*started_by, *CONSOLE, "--workspace", str(root), *arguments]
        self._pty = PseudoTerminal(command, size=size, environment=held, keep_slave=True)
        self.written = b""
        self.unread = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._pty.kill()
        self._pty.hang_up()

    @property
    def pid(self):
        """The console's process."""
        return self._pty.pid

    @property
    def status(self):
        """The exit code as far as it was waited for; ``None`` before."""
        return self._pty.code

    @property
    def text(self):
        """Everything that was written, without what moves and colours."""
        return words(self.written)

    def resize(self, width, height):
        """Change the size; the kernel tells the console."""
        self._pty.resize(width, height)

    def type(self, keys):
        """Press keys."""
        os.write(self._pty.master, keys.encode())

    def mark(self):
        """Return from where on to look for what is written next."""
        return len(self.written)

    def sees(self, text, *, since=0, within=20.0):
        """Return whether the text is written, waiting so many seconds for it."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if text in words(self.written[since:]):
                return True
            if self.status is not None or not self._reader.is_alive():
                return False
            time.sleep(0.02)
        return False

    def kill(self, number):
        """Send a signal."""
        os.kill(self.pid, number)

    def hang_up(self):
        """Close the terminal, as a window that is closed."""
        self._pty.hang_up()

    def wait(self, within=5.0):
        """Return the exit code, ``None`` when it has not ended in time; what it wrote is complete then."""
        deadline = time.monotonic() + within
        while self._pty.exit_code() is None:
            if time.monotonic() > deadline:
                return None
            time.sleep(0.01)
        time.sleep(0.05 if self._pty.master >= 0 else 0)
        return self.status

    def cpu(self, seconds):
        """Return the share of one processor that it uses, over so many seconds; 0 when it has ended."""
        try:
            process = psutil.Process(self.pid)
            before = sum(process.cpu_times()[:2])
            time.sleep(seconds)
            return (sum(process.cpu_times()[:2]) - before) / seconds
        except psutil.Error:
            return 0.0

    def left_behind(self):
        """Return what a shell would find wrong with its terminal afterwards, in words."""
        wrong = []
        if self._pty.master < 0:
            return wrong
        tail = self.written
        if b"\x1b[?1049h" in tail:
            for wanted, on, word in (
                (LEFT, b"\x1b[?1049h", "alternate screen"),
                (SHOWS_CURSOR, b"\x1b[?25l", "hidden cursor"),
                (MOUSE_OFF, b"\x1b[?1000h", "mouse"),
                (PASTE_OFF, b"\x1b[?2004h", "bracketed paste"),
            ):
                if tail.rfind(wanted) < tail.rfind(on):
                    wrong.append(word)
        if self._pty.slave >= 0 and termios.tcgetattr(self._pty.slave) != self._pty.before:
            wrong.append("terminal settings")
        return wrong

    def _read(self):
        while True:
            master = self._pty.master
            if master < 0:
                return
            if self.unread:
                time.sleep(0.02)
                continue
            try:
                if select.select([master], [], [], 0.05)[0]:
                    self.written += os.read(master, 65_536)
            except (OSError, ValueError):
                return
