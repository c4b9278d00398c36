"""``run --wait``: its duration, and what is said while it waits."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from neo_console.cli.output import note
from neo_console.cli.parameters import to_seconds
from neo_console.format import in_local_time
from neo_core.durations import format_duration, parse_duration

if TYPE_CHECKING:
    import click

    from neo_core.awaiting import WaitsFor
    from neo_core.engine import Engine
    from neo_core.starting import Attempt

_WAIT = "--wait"
_FOR_EVER = "for-ever"


def wait_in_full(arguments: list[str]) -> list[str]:
    """Return the arguments with a duration after every ``--wait``: the one that follows, else that for ever."""
    return [
        f"{_WAIT}={_FOR_EVER}" if word == _WAIT and not _is_duration(following) else word
        for word, following in zip(arguments, [*arguments[1:], ""], strict=False)
    ]


def to_patience(context: click.Context, parameter: click.Parameter, value: str | None) -> float | None:
    """Return how many seconds to wait, infinite without a DURATION; ``None`` for not at all."""
    return math.inf if value == _FOR_EVER else to_seconds(context, parameter, value)


def start_patiently(engine: Engine, task: str, seconds: float, *, override_memory: bool) -> Attempt:
    """Start the task once it may, and say on stderr what it waits for; ctrl+c raises ``KeyboardInterrupt``."""
    at_most = None if math.isinf(seconds) else seconds
    told: list[WaitsFor] = []

    def tell(held: WaitsFor) -> None:
        told.append(held)
        patience = "" if at_most is None else f" for at most {format_duration(at_most)}"
        again = "Now it waits" if len(told) > 1 else f"{task} waits{patience}"
        clears = f" Clears when: {held.clears_when}." if held.clears_when else ""
        note(in_local_time(f"{again}: {held.sentence}.{clears} ctrl+c ends the waiting.", time.time()))

    attempt = engine.start_when_open(task, tell, seconds=at_most, override_memory=override_memory)
    if told and at_most is not None and not attempt.started:
        note(f"{task} was not started within {format_duration(at_most)}.")
    return attempt


def _is_duration(text: str) -> bool:
    try:
        parse_duration(text)
    except ValueError:
        return False
    return True
