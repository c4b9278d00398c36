"""A short version of what is done to the orchestrator, by its own command; missing peers are said to be missing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MUST_BE_ZERO = ("double_holds", "permanent_blocks", "leftovers", "losses", "errors")


def torture(*arguments):
    """Run the command as a user would; return its exit code and what it printed."""
    command = [sys.executable, "-W", "error", "-m", "tests.torture", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, json.loads(done.stdout)


@pytest.mark.long
def test_after_a_kill_everything_is_adopted_and_nothing_doubled():
    code, told = torture("adoption", "--quick")

    assert {name: told[name] for name in MUST_BE_ZERO} == dict.fromkeys(MUST_BE_ZERO, 0), told["examples"]
    assert code == 0
    contenders = told["figures"]["contenders"]
    assert (contenders["neo"]["services_at_most"], contenders["neo"]["kills"]) == (5, 3)
    assert contenders["neo"]["services_adopted"] == contenders["neo"]["services_expected_to_live_on"]
    assert contenders["neo"]["runs_that_worked"] > 3
    for name in ("supervisor", "circus", "pm2"):
        assert contenders[name].startswith("missing: no --peers")


def test_without_a_chroma_nothing_is_measured_and_that_is_said():
    code, told = torture("chroma", "--quick")

    assert (code, told["rounds"]) == (0, 0)
    assert told["notes"] == ["chromadb is missing: no --peers folder was given to install it in"]
