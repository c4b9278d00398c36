"""The console on a pseudo-terminal of its own: what it draws, what it leaves behind, and how to be unkind to it."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import threading
import time
from contextlib import suppress

import psutil

ENDED_SCREEN = b"\x1b[?1049l"
SHOWS_CURSOR = b"\x1b[?25h"
MOUSE_OFF = b"\x1b[?1000l"
PASTE_OFF = b"\x1b[?2004l"
ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[@-Z\\-_=>])")


class Terminal:
    """A running ``neo-console`` over ``root`` in a session of its own; everything that it writes is kept."""

    def __init__(self, root, *arguments, size=(120, 40), environment=None):
        command = [sys.executable, "-m", "neo_console.cli.main", "--workspace", str(root), *arguments]
        held = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
        self.began = time.monotonic()
        self.master, slave = pty.openpty()
        self.resize(*size)
        self.before = termios.tcgetattr(slave)
        self.slave = os.ttyname(slave)
        self.pid = os.fork()
        if not self.pid:
            with suppress(OSError):
                os.close(self.master)
                os.login_tty(slave)
                os.execvpe(command[0], command, {**held, "TERM": "xterm-256color", **(environment or {})})
            os._exit(127)
        self._kept = slave  # so that the settings can be read after its end, as a shell would
        self.written = b""
        self.unread = False
        self.status = None
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.status is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.wait(10)
        self.hang_up()

    @property
    def text(self):
        """Everything that was written, without what moves and colours."""
        return ESCAPES.sub(b"", self.written).decode("utf-8", "replace")

    def resize(self, width, height):
        """Change the size; the kernel tells the console."""
        with suppress(OSError):
            fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def type(self, keys):
        """Press keys."""
        os.write(self.master, keys.encode())

    def mark(self):
        """Return from where on to look for what is written next."""
        return len(self.written)

    def sees(self, text, *, since=0, within=20.0):
        """Return whether the text is written, waiting so many seconds for it."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            if text in ESCAPES.sub(b"", self.written[since:]).decode("utf-8", "replace"):
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
        for name in ("_kept", "master"):
            descriptor, _ = getattr(self, name), setattr(self, name, -1)
            if descriptor >= 0:
                with suppress(OSError):
                    os.close(descriptor)

    def wait(self, within=5.0):
        """Return the exit code, ``None`` when it has not ended in time; what it wrote is complete then."""
        deadline = time.monotonic() + within
        while self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                break
            if time.monotonic() > deadline:
                return None
            time.sleep(0.01)
        time.sleep(0.05 if self.master >= 0 else 0)
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
        if self.master < 0:
            return wrong
        tail = self.written
        if b"\x1b[?1049h" in tail:
            for wanted, on, word in (
                (ENDED_SCREEN, b"\x1b[?1049h", "alternate screen"),
                (SHOWS_CURSOR, b"\x1b[?25l", "hidden cursor"),
                (MOUSE_OFF, b"\x1b[?1000h", "mouse"),
                (PASTE_OFF, b"\x1b[?2004h", "bracketed paste"),
            ):
                if tail.rfind(wanted) < tail.rfind(on):
                    wrong.append(word)
        if self._kept >= 0 and termios.tcgetattr(self._kept) != self.before:
            wrong.append("terminal settings")
        return wrong

    def _read(self):
        while True:
            master = self.master
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
