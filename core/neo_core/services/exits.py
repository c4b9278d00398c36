"""Exit codes in words."""

from __future__ import annotations

import signal


def describe_exit(code: int | None) -> str:
    """Return an exit code in words; a negative one is a signal, ``None`` is unknown."""
    if code is None:
        return "ended (how is not known)"
    if code >= 0:
        return f"exited with {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
