"""What the tests of the engine share beside the workspace."""

from __future__ import annotations

import json

import pytest

from neo_core.ledger.store import Ledger
from neo_core.workspace import ensure_state

NEO_SCRIPTS = ("ai:sync-kb", "ai:backup", "ai:summarize-sessions", "ai:run-sandman", "ai:sync-github-workflow")


@pytest.fixture
def ledger(workspace):
    ensure_state(workspace)
    with Ledger(workspace.ledger) as opened:
        yield opened


@pytest.fixture
def checkout(root):
    """Make the workspace a checkout of neo with these scripts."""

    def make(*names, **scripts):
        told = {
            "name": "neo.mjs",
            "scripts": {**dict.fromkeys(names or (() if scripts else NEO_SCRIPTS), "node x.mjs"), **scripts},
        }
        (root / "package.json").write_text(json.dumps(told))
        return root

    return make
