"""From the command line to the console: what must be so before anything of it is loaded."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from neo_core.errors import NeoError

if TYPE_CHECKING:
    from neo_core.workspace import Workspace


def open_console(workspace: Workspace, *, read_only: bool = False) -> int:
    """Open the console until it is quit; return the exit code. Raises ``NeoError`` where there is no terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise NeoError("the console", "needs a terminal to open in", "Use neo-console status in scripts.")
    if not sys.stderr.isatty():
        raise NeoError("the console", "draws on stderr, which is no terminal", "Open it without redirecting stderr.")
    from neo_console import heap

    heap.hold()
    from neo_console.opening import run_console

    return run_console(workspace, read_only=read_only)
