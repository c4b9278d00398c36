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

from neo_console.cli.columns import aligned, prose
from neo_core.engine import Engine
from neo_core.workspace import resolve_workspace

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


def test_a_last_column_without_room_goes_below_its_row():
    rows = [
        ("TASK", "STATE", "LAST", "WHY NOT NOW"),
        ("backup", "– not configured", "✓ completed 15:42", " ".join("ab" * 9)),
    ]
    assert aligned(rows, 50, below=True).splitlines() == [
        "TASK    STATE             LAST",
        "    WHY NOT NOW",
        "backup  – not configured  ✓ completed 15:42",
        "    a b a b a b a b a b a b a b a b a b",
    ]
    assert aligned(rows, 80, below=True).splitlines()[1].endswith("15:42  a b a b a b a b a b a b a b a b a b")
    assert aligned(rows, 34, below=True).splitlines()[2:4] == [
        "backup  – not         ✓ completed",
        "        configured    15:42",
    ]
    assert aligned(rows, 28, below=True).startswith("backup\n  STATE        – not configured\n")


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        (80, ["◐ crashy: gave up after ten faults in a row → neo-console logs crashy"]),
        (60, ["◐ crashy: gave up after ten faults in a row", "    → neo-console logs crashy"]),
        (30, ["◐ crashy: gave up after ten", "    faults in a row", "    → neo-console logs crashy"]),
        (24, ["◐ crashy: gave up after", "    ten faults in a row", "    → neo-console logs", "    crashy"]),
    ],
)
def test_prose_wraps_at_words_and_keeps_a_command_whole(width, lines):
    assert (
        prose("◐ crashy: gave up after ten faults in a row → neo-console logs crashy", width, 4).splitlines() == lines
    )


def test_prose_keeps_its_indent_a_badge_its_word_and_a_path_whole():
    told = "  it said ◐ degraded (neo-console unpause ends it) in /a/folder/that-is/longer/than/a-line"
    assert prose(told, 20, 4).splitlines() == [
        "  it said ◐ degraded",
        "    (neo-console",
        "    unpause ends it)",
        "    in",
        "    /a/folder/that-is/longer/than/a-line",
    ]
    assert prose(told, None) == told


def test_why_fits_into_a_terminal_of_eighty_columns(tmp_path):
    (tmp_path / "neo-console.toml").write_text(
        f'[tasks.long]\nevery = 0\ncommand = ["python3", {", ".join(repr(f"/a/long/path/{n}") for n in range(30))}]\n'
    )
    lines = on_a_terminal(80, "--workspace", tmp_path, "why", "long")
    assert lines[0] == "long may start now."
    assert all(len(line) <= 80 for line in lines)
    assert len(lines) < 20


def test_status_fits_into_a_narrow_terminal_and_breaks_no_word(console, held):
    engine = Engine(resolve_workspace(console.root))
    engine.trigger("backup")
    engine.pause("measuring the machine for the quarterly report")
    for width in (60, 80):
        lines = on_a_terminal(width, "--workspace", console.root, "status")
        assert [line for line in lines if len(line) > width and str(console.root) not in line] == []
        assert any(line.endswith("→ neo-console unpause") for line in lines)
        assert any(line.startswith("backup            heavy  ‖ paused") for line in lines)
        told = " ".join(" ".join(lines).split())
        assert "[heavy-maintenance-lease-held] lease held by sandman" in told
    assert max(map(len, console("status").stdout.splitlines())) > 100, "a pipe gets one line per row"


def on_a_terminal(width, *arguments):
    """Return the lines that ``neo-console`` writes to a terminal of that width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    command = [sys.executable, "-m", "neo_console.cli.main", *map(str, arguments)]
    done = Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    told = b""
    while chunk := _read(ours):
        told += chunk
    assert done.wait(20) == 0
    os.close(ours)
    return told.decode().splitlines()


def _read(terminal):
    try:
        return os.read(terminal, 65_536)
    except OSError:  # the other end was closed
        return b""
