"""On a real terminal: it starts over a real workspace, and gives the terminal back however it ends."""

from __future__ import annotations

import os
import pty
import select
import signal
import sys
import time

import pytest

CODE = """
import sys
from neo_console.app import run_console
from neo_core.config import Config
from neo_core.workspace import resolve_workspace
sys.exit(run_console(resolve_workspace(sys.argv[1]), Config()))
"""


def start(root):
    pid, terminal = pty.fork()
    if pid == 0:
        environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"}
        os.execvpe(sys.executable, [sys.executable, "-c", CODE, str(root)], environment)
    return pid, terminal


def read_until(terminal, wanted, *, timeout=20.0):
    seen = b""
    deadline = time.monotonic() + timeout
    while wanted not in seen:
        assert time.monotonic() < deadline, seen[-2000:]
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                seen += os.read(terminal, 65_536)
            except OSError:
                break
    return seen


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (None, 0)])
def test_the_terminal_is_restored(root, kill_later, number, code):
    pid, terminal = start(root)
    kill_later(pid)
    read_until(terminal, b"never ran")
    began = time.monotonic()
    if number is None:
        os.write(terminal, b"q")
    else:
        os.kill(pid, number)
    assert b"\x1b[?1049l" in read_until(terminal, b"\x1b[?1049l")
    _, status = os.waitpid(pid, 0)
    assert time.monotonic() - began < 2
    assert os.waitstatus_to_exitcode(status) == code
    os.close(terminal)


def test_a_terminal_that_goes_away_takes_the_console_with_it(root, kill_later):
    pid, terminal = start(root)
    kill_later(pid)
    read_until(terminal, b"never ran")
    os.close(terminal)
    deadline = time.monotonic() + 5
    while os.waitpid(pid, os.WNOHANG) == (0, 0):
        assert time.monotonic() < deadline
        time.sleep(0.01)
