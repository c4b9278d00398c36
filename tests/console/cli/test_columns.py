"""Tables in a terminal: nothing is wider than it, nothing is lost, and a pipe gets one line per row."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import sys
import termios
from subprocess import Popen

import pytest

from neo_console.cli.columns import aligned

HEAD = ("WHAT", "FREES", "BY", "COMMAND")
ROWS = [
    HEAD,
    ("stop dream", "2G", "what its tree has now, at most, as the kernel counts it", "neo-console relief stop x"),
]


@pytest.mark.parametrize("width", [60, 80, 100])
def test_cells_wrap_within_their_column(width):
    lines = aligned(ROWS, width).splitlines()
    assert all(len(line) <= width for line in lines)
    assert lines[1].startswith("stop dream  2G     what")
    assert " ".join(" ".join(line[19:].split()) for line in lines[1:]).split()[0] == "what"
    for word in [
        "what",
        "its",
        "tree",
        "has",
        "now,",
        "at",
        "most,",
        "as",
        "the",
        "kernel",
        "counts",
        "it",
        "neo-console",
        "relief",
        "stop",
        "x",
    ]:
        assert any(word in line for line in lines)


def test_without_a_terminal_a_row_is_a_line():
    assert len(aligned(ROWS).splitlines()) == 2


def test_rows_become_blocks_where_columns_cannot_be_so_narrow():
    assert aligned(ROWS, 48) == aligned(ROWS), "a table that has no blocks is left as it is"
    assert aligned(ROWS, 48, blocks=True).splitlines() == [
        "stop dream",
        "  FREES    2G",
        "  BY       what its tree has now, at most, as",
        "           the kernel counts it",
        "  COMMAND  neo-console relief stop x",
    ]


def test_why_fits_into_a_terminal_of_eighty_columns(tmp_path):
    (tmp_path / "neo-console.toml").write_text(
        f'[tasks.long]\nevery = 0\ncommand = ["python3", {", ".join(repr(f"/a/long/path/{n}") for n in range(30))}]\n'
    )
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    command = [sys.executable, "-m", "neo_console.cli.main", "--workspace", str(tmp_path), "why", "long"]
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    done = Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    told = b""
    while chunk := _read(ours):
        told += chunk
    assert done.wait(20) == 0
    os.close(ours)
    lines = told.decode().splitlines()
    assert lines[0] == "long may start now."
    assert all(len(line) <= 80 for line in lines)
    assert len(lines) < 20


def _read(terminal):
    try:
        return os.read(terminal, 65_536)
    except OSError:  # the other end was closed
        return b""
