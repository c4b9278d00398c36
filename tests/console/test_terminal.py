"""On a real terminal: it starts over a real workspace, survives what is done to it, and gives the terminal back."""

from __future__ import annotations

import random
import re
import signal
import time

import pytest

from tests.torture import console
from tests.torture.terminal import Terminal


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (None, 0)])
def test_the_terminal_is_restored(root, number, code):
    with Terminal(root) as terminal:
        assert terminal.sees("never ran")
        began = time.monotonic()
        if number is None:
            terminal.type("q")
        else:
            terminal.kill(number)
        assert terminal.wait() == code
        assert time.monotonic() - began < 2
        assert terminal.left_behind() == []


def test_a_terminal_that_was_not_given_back_is_found_out(root):
    with Terminal(root) as terminal:
        assert terminal.sees("never ran")
        terminal.kill(signal.SIGKILL)
        assert terminal.wait() == -signal.SIGKILL
        assert "terminal settings" in terminal.left_behind()


def test_a_signal_while_it_opens_gives_the_terminal_back(root):
    with Terminal(root) as terminal:
        deadline = time.monotonic() + 20
        while b"\x1b[?1049h" not in terminal.written and time.monotonic() < deadline:
            time.sleep(0.001)
        terminal.kill(signal.SIGHUP)
        assert terminal.wait() == 129
        assert terminal.left_behind() == []


def test_a_terminal_that_does_not_know_its_size_yet_is_drawn_on_and_quit(root):
    with Terminal(root, size=(0, 0)) as terminal:
        assert terminal.sees("never ran")
        terminal.type("q")
        assert terminal.wait() == 0


JOB_CONTROL = 'set -m; "$@"; echo "stopped, and the shell goes on"; stty -a; fg; echo "ended with $?"'


def test_ctrl_z_goes_back_to_the_shell_and_fg_brings_the_console_back(root):
    with Terminal(root, started_by=("sh", "-c", JOB_CONTROL, "sh")) as terminal:
        assert terminal.sees("never ran")
        mark = terminal.mark()
        terminal.type("\x1a")
        assert terminal.sees("stopped, and the shell goes on", since=mark)
        assert terminal.sees(" icanon", since=mark), "the shell has the terminal as it was"
        assert terminal.sees("never ran", since=terminal.written.index(b" icanon"))
        terminal.type("q")
        assert terminal.sees("ended with 0", since=mark)
        assert terminal.wait() == 0
        assert terminal.left_behind() == []


def test_ctrl_z_without_a_shell_only_says_so(root):
    with Terminal(root) as terminal:
        assert terminal.sees("never ran")
        terminal.type("\x1a")
        assert terminal.sees("no shell started this console that could bring it back")
        terminal.type("q")
        assert terminal.wait() == 0


def test_without_colour_none_is_sent_and_the_selection_and_the_focus_are_reversed(root):
    with Terminal(root, environment={"NO_COLOR": "1", "COLORTERM": "truecolor"}) as terminal:
        assert terminal.sees("never ran")
        terminal.type("jt")
        assert terminal.sees("Start kbSync?")
        terminal.kill(signal.SIGTERM)
        assert terminal.wait() == 143
    sent = {code for codes in re.findall(rb"\x1b\[([0-9;:]*)m", terminal.written) for code in codes.split(b";")}
    assert sent <= {b"", b"0", b"1", b"2", b"3", b"4", b"7"}
    turned = b" ".join(re.findall(rb"\x1b\[(?:1;)?7m([^\x1b]*)", terminal.written)).decode()
    assert all(name in turned for name in ("1 Schedule", "backup", "kbSync", "Cancel"))


@pytest.mark.parametrize("kind", [kind for kind in console.KINDS if not kind.startswith("signal")])
def test_unkindness_is_survived(kind, tmp_path):
    assert console.KINDS[kind](console.Life(tmp_path, random.Random(7))) == []
