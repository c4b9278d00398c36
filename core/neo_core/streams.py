"""The standard streams of a command: always open, never an error for what they cannot encode."""

from __future__ import annotations

import io
import os
import sys


def prepare_streams() -> None:
    """Open what the caller closed (as /dev/null), so that no file of ours lands on 0, 1 or 2; show the unprintable."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest free number: this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def give_up_output() -> None:
    """Send what is still buffered for stdout nowhere, so that the interpreter's exit does not fail on it again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
