"""What the doctor's tests share: a finding by its thing, a state folder, and a configuration."""

from __future__ import annotations

import pytest

from neo_core.doctor import Level, examine
from neo_core.workspace import ensure_state


@pytest.fixture
def find(workspace):
    """Examine, and return the one finding about a thing."""

    def one(thing: str, level: Level | None = None):
        found = [
            one
            for one in examine(workspace)
            if (one.thing.startswith(thing) or one.thing.endswith(thing))
            and level in (None, one.level)
            and "would not show their environment" not in one.says  # other processes of this machine
        ]
        assert len(found) == 1, found
        return found[0]

    return one


@pytest.fixture
def state(workspace):
    ensure_state(workspace)
    return workspace.state


@pytest.fixture
def configure(root):
    def write(text: str) -> None:
        (root / "neo-console.toml").write_text(text)

    return write
