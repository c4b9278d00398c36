"""On a real terminal: it starts over a real workspace, survives what is done to it, and gives the terminal back."""

from __future__ import annotations

import random
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
        assert terminal.left_behind() == [
            "alternate screen",
            "hidden cursor",
            "mouse",
            "bracketed paste",
            "terminal settings",
        ]


@pytest.mark.parametrize("kind", [kind for kind in console.KINDS if not kind.startswith("signal")])
def test_unkindness_is_survived(kind, tmp_path):
    assert console.KINDS[kind](console.Life(tmp_path, random.Random(7))) == []
