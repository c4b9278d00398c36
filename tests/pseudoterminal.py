"""A command on a pseudo-terminal of its own: how it is started, how big that is, how it ended, and what it wrote."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import sys
import termios
from contextlib import suppress

CONSOLE = (sys.executable, "-m", "neo_console.cli.main")
TYPE = "xterm-256color"
LEFT = b"\x1b[?1049l"  # the alternate screen is left: what was there before is shown again
_CONTROL = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[PX^_][^\x1b]*\x1b\\|[ -/]*[0-~])")


def words(raw):
    """Return the text of what was written to a terminal, without what moves, colours or asks it."""
    return _CONTROL.sub(b"", raw).decode("utf-8", "replace")


class PseudoTerminal:
    """``command`` in a session of its own, whose terminal this is: ``master`` is our end, ``slave`` the one kept open.

    With the slave open its settings can be read after the command's end, as a shell would; ``master`` is -1 once it
    was hung up, ``code`` the exit code (negative: a signal) once that is known.
    """

    def __init__(self, command, *, size, environment, cwd=None, keep_slave=False):
        self.master, slave = pty.openpty()
        self.resize(*size)
        self.before = termios.tcgetattr(slave)
        self.slave, self.code = slave, None
        self.pid = os.fork()
        if self.pid == 0:
            with suppress(OSError):
                os.close(self.master)
                os.login_tty(slave)
                os.chdir(cwd or ".")
                os.execvpe(command[0], list(command), environment)
            os._exit(127)
        if not keep_slave:
            os.close(slave)
            self.slave = -1

    def resize(self, width, height):
        """Change the size; the kernel tells the command."""
        with suppress(OSError):
            fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def exit_code(self):
        """Return the exit code; ``None`` while it runs."""
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code

    def kill(self):
        """End it, whatever it does."""
        if self.exit_code() is None:
            os.kill(self.pid, signal.SIGKILL)
            self.code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def hang_up(self):
        """Close the terminal, as a window that is closed."""
        for name in ("slave", "master"):
            descriptor, _ = getattr(self, name), setattr(self, name, -1)
            if descriptor >= 0:
                with suppress(OSError):
                    os.close(descriptor)
