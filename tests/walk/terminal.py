"""Terminals to walk in: a pty whose screen pyte keeps, or a tmux server of our own. Both show cells and take bytes."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psutil
import pyte

from tests.pseudoterminal import CONSOLE, TYPE, PseudoTerminal

ROOT = Path(__file__).resolve().parents[2]
KEYS = {
    "enter": b"\r",
    "tab": b"\t",
    "shift+tab": b"\x1b[Z",
    "escape": b"\x1b",
    "up": b"\x1b[A",
    "down": b"\x1b[B",
    "right": b"\x1b[C",
    "left": b"\x1b[D",
    "pageup": b"\x1b[5~",
    "pagedown": b"\x1b[6~",
    "space": b" ",
    "ctrl+c": b"\x03",
    "ctrl+p": b"\x10",
    "ctrl+z": b"\x1a",
}
_OURS = ("NEO_", "NO_COLOR", "TMUX", "SSH_", "TEXTUAL", "COLUMNS", "LINES")
_LET_GO = 5.0  # seconds


def environment(look: str) -> dict[str, str]:
    """Return the environment of a console in a terminal of 16 million colours, or one that wants none."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    kept |= {"TERM": TYPE, "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}
    return kept | ({"NO_COLOR": "1"} if look == "no-color" else {})


def kinds() -> list[str]:
    """Return the kinds of terminal there are on this machine."""
    return ["pty", *(["tmux"] if shutil.which("tmux") else [])]


def opened(kind: str, arguments: list[str], *, size: tuple[int, int], look: str):
    """Open the console in a new terminal of that kind."""
    made = {"pty": Pty, "tmux": Tmux}[kind]
    return made([*CONSOLE, *arguments], size=size, environment=environment(look))


class Terminal:
    """What both kinds are: a grid of cells, made by ``_draw``, which returns whether anything changed."""

    def __init__(self, size):
        self.width, self.height = size
        self._screen = pyte.Screen(self.width, self.height)
        self._stream = pyte.ByteStream(self._screen)
        self._lines = self._screen.display

    def look(self):
        """Take what was drawn since; return the lines."""
        if self._draw():
            self._lines = self._screen.display
        return self._lines

    def cells(self):
        """Return every cell as drawn last, row by row."""
        rows = self._screen.buffer
        return [[rows[y][x] for x in range(self.width)] for y in range(self.height)]

    def press(self, *keys):
        """Press keys, by name or as one character."""
        for key in keys:
            self.send(KEYS.get(key) or key.encode())


class Pty(Terminal):
    """The console's other end is ours; pyte keeps the screen."""

    def __init__(self, command, *, size, environment):
        super().__init__(size)
        self._pty = PseudoTerminal(command, size=size, environment=environment)

    def send(self, data):
        """Write what a keyboard would."""
        os.write(self._pty.master, data)

    def exit_code(self):
        """Return the exit code; ``None`` while the console runs."""
        self._draw()
        return self._pty.exit_code()

    def close(self):
        """End the console if it still runs, and the terminal."""
        if self.exit_code() is None:
            os.kill(self._pty.pid, signal.SIGTERM)
            deadline = time.monotonic() + _LET_GO
            while self.exit_code() is None and time.monotonic() < deadline:
                time.sleep(0.01)
        self._pty.kill()
        self._pty.hang_up()

    def _draw(self):
        drawn = False
        while select.select([self._pty.master], [], [], 0)[0]:
            try:
                data = os.read(self._pty.master, 65_536)
            except OSError:
                break
            if not data:
                break
            self._stream.feed(data)
            drawn = True
        return drawn


class Tmux(Terminal):
    """A window of a tmux server that has its own socket, no configuration and nobody else's sessions."""

    def __init__(self, command, *, size, environment):
        super().__init__(size)
        self._drawn = ""
        # tmux itself now and then misses how a process ended, so the shell in its window writes it down.
        self._folder = tempfile.TemporaryDirectory(prefix="neo-walk-")
        self._environment = environment | {"TMUX_TMPDIR": self._folder.name}
        self._code = Path(self._folder.name) / "code"
        told_by = ("sh", "-c", f'"$@"; echo $? > {self._code}', "sh")
        width, height = str(self.width), str(self.height)
        options = ("status off", "remain-on-exit on", "default-terminal tmux-256color")
        told = [word for one in options for word in ("set-option", "-g", *one.split(), ";")]
        self._tmux("start-server", ";", *told, "new-session", "-d", "-x", width, "-y", height, "--", *told_by, *command)

    def send(self, data):
        """Write what a keyboard would."""
        self._tmux("send-keys", "-H", *(f"{byte:02x}" for byte in data))

    def exit_code(self):
        """Return the exit code; ``None`` while the console runs."""
        told = self._code.read_text() if self._code.exists() else ""
        return int(told) if told.endswith("\n") else None

    def close(self):
        """End the console if it still runs, and the server."""
        try:
            shell = psutil.Process(int(self._tmux("display-message", "-p", "#{pane_pid}")))
            running = shell.children() if self.exit_code() is None else []
            for process in running:
                process.terminate()
            psutil.wait_procs(running, timeout=_LET_GO)
        except psutil.NoSuchProcess:
            return
        finally:
            self._tmux("kill-server")
            self._folder.cleanup()

    def _draw(self):
        drawn = self._tmux("capture-pane", "-p", "-e").rstrip("\n")
        if drawn == self._drawn:
            return False
        self._drawn = drawn
        self._screen.reset()
        self._stream.feed(drawn.replace("\n", "\r\n").encode())
        return True

    def _tmux(self, *words):
        command = ["tmux", "-L", f"walk-{os.getpid()}", "-f", "/dev/null", *words]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, timeout=20, check=False)
        if done.returncode:
            raise AssertionError(f"tmux {words[0]}: {done.stderr.strip()}")
        return done.stdout
