"""Go back to the shell for a while, as ctrl+z does in any program."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from neo_console.vocabulary import Tone

if TYPE_CHECKING:
    from neo_console.app import NeoConsole


def suspend(app: NeoConsole) -> None:
    """Stop this process until the shell continues it; work goes on meanwhile. Without a shell that could, say so."""
    if app.is_headless or app.is_web or not _has_a_shell():
        key = app.keymap.key("quit")
        app.report(f"no shell started this console that could bring it back — {key} quits it; work goes on", Tone.WAIT)
        return
    os.kill(0, signal.SIGTSTP)  # the whole job, as the terminal itself would


def _has_a_shell() -> bool:
    """Return whether a shell with job control gave this process a group of its own."""
    return os.getpgrp() != os.getsid(0)
