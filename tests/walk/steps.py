"""The table of steps: what is done for each action of the registry. A new action without a step fails the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Step(NamedTuple):
    """One thing an operator does. ``acts`` says that it changes the world; then it brings the world back, too."""

    action: str
    name: str
    walk: Callable
    acts: bool


STEPS: list[Step] = []


def step(action, *, acts=False):
    """Make a function that takes a ``Walker`` the next step, for the action with that id."""

    def made(function):
        STEPS.append(Step(action, function.__name__.replace("_", " "), function, acts))
        return function

    return made
