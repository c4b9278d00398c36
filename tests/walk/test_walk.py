"""Every action of the key table, walked through on a real terminal; each size and each look once.

In tmux where it is installed, else on a pty alone. All of it, with every action that changes something and the whole
table of sizes and looks, is ``python -m tests.walk``.
"""

from __future__ import annotations

import pytest

from neo_console.actions import BY_ID

from .scene import Scene
from .steps import STEPS
from .terminal import kinds
from .walk import walk_through

pytestmark = pytest.mark.timeout(400)
LOOKED_AT = ("", "panel-2", "panel-4", "why", "help", "zoom")  # what depends on the size or the look


@pytest.fixture
def scene(tmp_path):
    made = Scene(tmp_path)
    yield made
    made.close()


def test_every_action_has_a_step_and_every_step_an_action():
    walked = {step.action for step in STEPS} - {""}
    assert sorted(set(BY_ID) - walked) == [], "write a step in tests/walk/looking.py or tests/walk/acting.py"
    assert sorted(walked - set(BY_ID)) == []


def test_what_changes_something_is_really_done():
    acts = {step.action for step in STEPS if step.acts}
    assert sorted(action.id for action in BY_ID.values() if action.needs_write and action.id not in acts) == []


@pytest.mark.parametrize("kind", kinds()[-1:])
def test_the_actions_that_look(scene, kind):
    report = walk_through(scene, kind=kind, size="80x24", look="dark", acts=False, only=LOOKED_AT)
    assert report.failures == []


@pytest.mark.parametrize(("size", "look"), [("120x40", "light"), ("60x16", "no-color")])
def test_every_look_at_every_size(scene, size, look):
    report = walk_through(scene, kind="pty", size=size, look=look, acts=False, only=LOOKED_AT)
    assert report.failures == []
