"""Unkindness to the console on a real terminal: it stays up or ends cleanly, says what happened, and tidies up."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from .report import Report
from .terminal import Terminal

READY = "never ran"
ODD = "[b]odd[/b] \x1b[31m\x1b]0;TAKEN\x07\x1b[2J\u202e\x08"
SIZES = ((1, 1, 2, 10, 59, 60, 79, 80, 99, 100, 120, 200, 500), (1, 1, 2, 10, 15, 16, 23, 24, 40, 100))
LOCKED_FOR, LOCKED_FOR_SHORT = 30.0, 2.0
MANY = 5_000


def run(options):
    """Live through as many unkind lives as were asked for, one kind after the other; return what was found."""
    report = Report("console")
    chance = random.Random(options.seed)
    deadline = time.monotonic() + options.seconds
    kinds = list(KINDS)
    for number in range(options.rounds):
        if time.monotonic() > deadline:
            break
        kind = kinds[number % len(kinds)]
        with tempfile.TemporaryDirectory(prefix="neo-console-") as folder:
            long = options.rounds > 2 * len(kinds)
            for wrong, text in KINDS[kind](Life(Path(folder), chance, long=long)):
                report.broken(wrong, f"{kind}: {text}")
        report.rounds += 1
        report.winners += 1
        report.cell(kind, rounds=1)
    return report


class Life:
    """One workspace, one console over it, and what was found wrong."""

    def __init__(self, folder, chance, *, long=False):
        self.root = folder / "w"
        self.data = self.root / ".neo-ai-data"
        self.data.mkdir(parents=True)
        self.chance = chance
        self.long = long
        self.wrong = []

    def configure(self, text):
        (self.root / "neo-console.toml").write_text(text)

    def command(self, *arguments):
        command = [sys.executable, "-m", "neo_console.cli.main", "--workspace", str(self.root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def expect(self, fact, wrong, text):
        if not fact:
            self.wrong.append((wrong, text))

    def answers(self, terminal, *, within=10.0):
        """Open and close the help: the console reads keys and draws."""
        since = terminal.mark()
        terminal.type("?")
        self.expect(terminal.sees("every key", since=since, within=within), "permanent_blocks", "no answer to a key")
        since = terminal.mark()
        terminal.type("?")
        self.expect(terminal.sees("1 Schedule", since=since, within=within), "permanent_blocks", "the help stays")

    def ends(self, terminal, code, *, within=5.0):
        """Wait for its end, and look at what it leaves behind."""
        ended = terminal.wait(within)
        self.expect(ended is not None, "permanent_blocks", f"it does not end, and uses {terminal.cpu(0.5):.0%} CPU")
        self.expect(ended in (None, code), "errors", f"exit code {ended}, not {code}: {terminal.text[-300:]!r}")
        for left in terminal.left_behind():
            self.expect(False, "leftovers", left)
        self.expect("Traceback" not in terminal.text, "errors", terminal.text[-600:])
        for pid in _session(terminal.pid):
            self.expect(False, "leftovers", f"process {pid}")
        return self.wrong

    def quits(self, terminal):
        """Quit by the key."""
        terminal.type("q")
        return self.ends(terminal, 0)


def early(life):
    """A signal at any moment of the start."""
    with Terminal(life.root) as terminal:
        time.sleep(life.chance.uniform(0, 1.2))
        number = life.chance.choice((signal.SIGTERM, signal.SIGHUP))
        terminal.kill(number)
        drawn = b"\x1b[?1049h" in terminal.written
        wrong = life.ends(terminal, 128 + number if drawn else terminal.wait(5))
        life.expect(drawn or terminal.status in (-number, 128 + number), "errors", f"exit code {terminal.status}")
        return wrong


def told_to_end(life):
    """A signal while it is open, also over a dialog."""
    with Terminal(life.root) as terminal:
        life.expect(terminal.sees(READY), "errors", "it did not open")
        terminal.type(life.chance.choice(("", "?", "t", ":", "/x", "P")))
        number = life.chance.choice((signal.SIGTERM, signal.SIGHUP))
        terminal.kill(number)
        return life.ends(terminal, 128 + number)


def hung_up(life):
    """The terminal's window is closed: no console without a terminal, and no processor time for it."""
    with Terminal(life.root) as terminal:
        life.expect(terminal.sees(READY), "errors", "it did not open")
        terminal.hang_up()
        return life.ends(terminal, 129)


def unread(life):
    """Nobody reads what it writes any more, as in a window that hangs; it is told to quit, and the window is closed."""
    with Terminal(life.root) as terminal:
        life.expect(terminal.sees(READY), "errors", "it did not open")
        terminal.unread = True
        for number in range(150 if life.long else 50):
            terminal.resize(120 - number % 5, 40 + number % 3)
            time.sleep(0.01)
        terminal.type("q")
        time.sleep(life.chance.uniform(0, 1.0))
        terminal.hang_up()
        return life.ends(terminal, 129)


def storm(life):
    """200 changes of the size, or 60 in the short version, down to one cell."""
    with Terminal(life.root) as terminal:
        life.expect(terminal.sees(READY), "errors", "it did not open")
        for _ in range(200 if life.long else 60):
            terminal.resize(*(life.chance.choice(sizes) for sizes in SIZES))
            time.sleep(life.chance.choice((0, 0, 0.002, 0.02)))
        since = terminal.mark()
        terminal.resize(40, 10)
        life.expect(terminal.sees("40×10", since=since), "errors", "a small terminal is not said")
        since = terminal.mark()
        terminal.resize(120, 40)
        life.expect(terminal.sees("1 Schedule", since=since), "errors", "it is not drawn again")
        life.answers(terminal)
        return life.quits(terminal)


def folder_gone(life):
    """The state folder is deleted under an open console."""
    with Terminal(life.root) as terminal:
        life.expect(terminal.sees("most:"), "errors", "it did not open")
        since = terminal.mark()
        shutil.rmtree(life.data, ignore_errors=True)
        said = terminal.sees("state folder was removed, emptied or replaced", since=since)
        life.expect(said, "errors", "a deleted state folder is not said")
        life.answers(terminal)
        return life.quits(terminal)


def ledger_locked(life):
    """Somebody else keeps the ledger locked: keys are answered, the picture says that it is old, and recovers."""
    with Terminal(life.root) as terminal:
        life.expect(terminal.sees("most:"), "errors", "it did not open")
        ledger = next(life.data.rglob("ledger.sqlite3"))
        other = sqlite3.connect(ledger, timeout=20, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        until = time.monotonic() + (LOCKED_FOR if life.long else LOCKED_FOR_SHORT)
        while time.monotonic() < until:
            life.answers(terminal, within=6.0)
        other.execute("ROLLBACK")
        other.close()
        life.command("pause", "--because", "after the lock")
        life.expect(terminal.sees("after the lock"), "permanent_blocks", "it does not recover")
        return life.quits(terminal)


def many_tasks(life):
    """Thousands of tasks in the configuration."""
    count = MANY if life.long else MANY // 10
    life.configure("".join(f'[tasks.task{one:04d}]\ncommand = ["true"]\nevery = "1h"\n' for one in range(count)))
    with Terminal(life.root) as terminal:
        life.expect(terminal.sees(READY, within=30), "errors", "it did not open")
        life.answers(terminal)
        since = terminal.mark()
        terminal.type("G")
        life.expect(
            terminal.sees(f"task{count - 1:04d}", since=since), "permanent_blocks", "the last row is not reached"
        )
        return life.quits(terminal)


def odd_texts(life):
    """Markup and control characters in task titles, reasons, process names and logs."""
    lines = ODD.encode().decode("latin-1").encode("unicode_escape").decode().replace("\\", "\\\\")
    told = ODD.encode("unicode_escape").decode().replace("\\x", "\\u00")
    life.configure(
        f'[tasks.odd]\ntitle = "{told}"\ncommand = ["printf", "%b\\n", "{lines}"]\n'
        '[tasks.named]\nclass = "light"\n'
        f'command = ["bash", "-c", "exec -a \\"$0\\" sleep 60", "{told}"]\n'
    )
    life.expect(life.command("run", "odd").returncode == 0, "errors", "the task did not run")
    life.command("run", "--detach", "named")
    life.command("defer", "kbSync", "--for", "1h", "--because", ODD)
    try:
        with Terminal(life.root) as terminal:
            life.expect(terminal.sees("completed"), "errors", "it did not open")
            for keys in ("3", "jjl", "q", "1", "G", "k\r", "q", "w", "q", "2jj\r", "q"):
                terminal.type(keys)
                time.sleep(0.15)
            life.expect(terminal.sees("[b]odd[/b]"), "errors", "the text is not shown as it is")
            taken = b"\x1b]0;TAKEN" in terminal.written or b"\x1b[31m\x1b]" in terminal.written
            life.expect(not taken, "errors", "a control sequence of a text reached the terminal")
            life.expect("\u202e" not in terminal.text, "errors", "a text changed the direction of the line")
            life.answers(terminal)
            return life.quits(terminal)
    finally:
        life.command("stop", "named", "--force")


KINDS = {
    "signal at the start": early,
    "signal": told_to_end,
    "terminal closed": hung_up,
    "terminal unread, then closed": unread,
    "resize storm": storm,
    "state folder deleted": folder_gone,
    "ledger locked": ledger_locked,
    "thousands of tasks": many_tasks,
    "odd texts": odd_texts,
}


def _session(leader):
    """Return the processes of the console's session that still live."""
    found = []
    for pid in psutil.pids():
        try:
            if os.getsid(pid) == leader and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                found.append(pid)
        except (OSError, psutil.Error):
            continue
    return found
