"""The scripts of a checkout, run by npm: under the lease, in the name of upstream's owner, inheriting its token."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from neo_core.engine import Engine
from neo_core.ledger.models import Outcome

LOOK = """
import fs from 'node:fs';
const path = process.env.NEO_AI_ORCHESTRATOR_DIR || '.neo-ai-data/orchestrator-daemon';
const lease = JSON.parse(fs.readFileSync(`${path}/heavy-maintenance-lease.json`, 'utf8'));
const inherited = process.env.NEO_HEAVY_MAINTENANCE_LEASE_INHERITED_TOKEN;
const {owner, reason, pid, token} = lease;
fs.writeFileSync('seen.json', JSON.stringify({owner, reason, pid, inherited: inherited === token, ppid: process.ppid}));
"""


@pytest.fixture
def console(root):
    def run(*arguments):
        command = [sys.executable, "-m", "neo_console.cli.main", *arguments]
        environment = {**os.environ, "npm_config_update_notifier": "false"}
        return subprocess.run(
            command, cwd=root, capture_output=True, text=True, check=False, timeout=60, env=environment
        )

    return run


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
@pytest.mark.parametrize(
    ("name", "script"),
    [("sandman", "ai:run-sandman"), ("syncGithubWorkflow", "ai:sync-github-workflow"), ("kbSync", "ai:sync-kb")],
)
def test_a_script_runs_under_the_lease_in_its_own_name_and_inherits_it(root, checkout, console, name, script):
    checkout(**{script: "node look.mjs"})
    (root / "look.mjs").write_text(LOOK)
    done = console("run", name)
    assert done.returncode == 0, done
    seen = json.loads((root / "seen.json").read_text())
    assert (seen["owner"], seen["reason"], seen["inherited"]) == (name, "manual-cli", True)
    assert not (root / ".neo-ai-data/orchestrator-daemon/heavy-maintenance-lease.json").exists()


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_a_script_that_fails_is_a_failed_run(workspace, checkout, console):
    checkout(**{"ai:run-sandman": "node -e 'process.exit(3)'"})
    assert console("run", "sandman").returncode != 0
    assert [run.outcome for run in Engine(workspace).history(task="sandman")] == [Outcome.FAILED]
