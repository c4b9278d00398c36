"""What it costs to open, ask and quit the console: real processes on real terminals, milliseconds, interleaved."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from neo_core.ledger.store import Ledger
from neo_core.workspace import ensure_state, resolve_workspace
from tests.bench.figures import spread
from tests.bench.terminal import Terminal, drain_all

FIRST_ROW = r"backup +(heavy|1d)"
FIRST_PAINT = "1 Schedule"
BARE_ROW = "bare-row-0"
BARE = """
from textual.app import App
from textual.widgets import DataTable

class Bare(App):
    BINDINGS = [("q", "quit", "quit")]
    def compose(self):
        yield DataTable()
    def on_mount(self):
        table = self.query_one(DataTable)
        table.add_columns("task", "class", "every", "next", "last", "took")
        for number in range(6):
            table.add_row(f"bare-row-{number}", "heavy", "30m", "in 4m", "now", "2s")

Bare().run()
"""
HANGS_FOR = 0.4  # seconds with the ledger open, all of the time: between two collections it is closed


def console():
    """Return the command of the console as it is installed beside this interpreter."""
    found = shutil.which("neo-console", path=str(Path(sys.executable).parent))
    return (
        [found]
        if found
        else [sys.executable, "-c", "import sys; from neo_console.cli.main import main; sys.exit(main())"]
    )


def workspace(folder, name):
    """Return a new workspace with an empty ledger."""
    root = folder / name
    (root / ".neo-ai-data").mkdir(parents=True)
    found = resolve_workspace(root)
    ensure_state(found)
    with Ledger(found.ledger):
        return found


def first_cell(folder, rounds):
    """Return the time from exec to the frame, and to the schedule's first row, beside a bare Textual table."""
    root = workspace(folder, "first").root
    times = {}
    for turn in range(rounds + 1):
        for name, command in (("neo-console", console()), ("bare Textual table", [sys.executable, "-c", BARE])):
            bare = name != "neo-console"
            with Terminal(command, root) as terminal:
                painted = terminal.until(BARE_ROW if bare else FIRST_PAINT)
                row = terminal.until(BARE_ROW if bare else FIRST_ROW)
                seen = {name: row} if bare else {name: row, "neo-console's frame": painted}
                for what, at in seen.items():
                    _note(times, turn, what, at - terminal.began)
    return {name: spread(one) for name, one in times.items()}


def status_json(folder, rounds):
    """Return the time of whole processes, from start to end."""
    root = workspace(folder, "status").root
    commands = {
        "neo-console status --json": [*console(), "status", "--json"],
        "neo-console status": [*console(), "status"],
        "python -c pass": [sys.executable, "-c", "pass"],
    }
    times = {}
    for turn in range(rounds + 1):
        for name, command in commands.items():
            began = time.perf_counter()
            subprocess.run(command, cwd=root, check=True, stdout=subprocess.DEVNULL)
            _note(times, turn, name, time.perf_counter() - began)
    return {name: spread(one) for name, one in times.items()}


def quitting(folder, rounds):
    """Return the time from ``q`` to the restored terminal, and to the end of the process: at rest and while a
    collection hangs, because somebody has the ledger to himself.
    """
    times = {}
    for turn in range(rounds + 1):
        for hanging in (False, True):
            found = workspace(folder, f"quit-{turn}-{hanging}")
            with Terminal(console(), found.root) as terminal:
                terminal.until(FIRST_ROW)
                if hanging:
                    with locked(found.ledger):
                        _wait_for(lambda at=found.ledger, one=terminal: _hangs(one, at))
                        ended = _quit(terminal)
                else:
                    drain_all([terminal], 0.3)
                    ended = _quit(terminal)
            when = "in a collection that hangs" if hanging else "at rest"
            for what, took in zip(("terminal restored", "process gone"), ended, strict=True):
                _note(times, turn, f"{what}, {when}", took)
    return {name: spread(one) for name, one in times.items()}


@contextmanager
def locked(ledger):
    """Have the ledger to ourselves, so that every reader waits as long as it is willing to."""
    connection = sqlite3.connect(ledger, isolation_level=None, timeout=10)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        _wait_for(lambda: _began(connection))
        connection.execute("CREATE TABLE IF NOT EXISTS held (it)")
        yield
    finally:
        connection.rollback()
        connection.close()


def _began(connection):
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError:
        return False
    return True


def _quit(terminal):
    typed = terminal.type(b"q")
    restored, gone = terminal.gone()
    if restored is None or terminal.code != 0:
        raise RuntimeError(f"the console left the terminal as it was, and exited {terminal.code}")
    return restored - typed, gone - typed


def _hangs(terminal, ledger):
    until = time.monotonic() + HANGS_FOR
    while time.monotonic() < until:
        drain_all([terminal], 0.01)
        if not _has_open(terminal.pid, ledger):
            return False
    return True


def _has_open(pid, path):
    wanted = os.stat(path)
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            found = os.stat(f"/proc/{pid}/fd/{name}")
        except OSError:
            continue
        if (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino):
            return True
    return False


def _wait_for(condition, timeout=20.0):
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("what the measurement needs never came about")
        time.sleep(0.005)


def _note(times, turn, name, took):
    """Keep a time in milliseconds; the first round only warms up."""
    if turn:
        times.setdefault(name, []).append(took * 1000)
