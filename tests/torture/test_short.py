"""A short version of every scenario by its own command, and the proof that the harness can fail."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MUST_BE_ZERO = ("double_holds", "permanent_blocks", "leftovers", "losses", "errors")


def torture(*arguments):
    """Run the command as a user would; return its exit code and what it printed."""
    command = [sys.executable, "-W", "error", "-m", "tests.torture", *arguments]
    environment = {**os.environ, "PYTHONPATH": ""}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)
    assert done.stderr == ""
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.long
@pytest.mark.parametrize("scenario", ["race", "kill", "orphans", "moves", "clock", "fuzz", "model", "disk"])
def test_nothing_breaks(scenario):
    code, (told,) = torture(scenario, "--quick")

    assert {name: told[name] for name in MUST_BE_ZERO} == dict.fromkeys(MUST_BE_ZERO, 0), told["examples"]
    assert code == 0
    assert (told["name"], told["engine"]) == (scenario, "neo_core")
    assert told["rounds"] >= 8
    assert told["winners"] > 0 or scenario == "disk"


def test_a_foreign_script_never_holds_beside_ours_where_that_is_guaranteed():
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    code, (told,) = torture("foreign", "--quick")

    assert {name: told[name] for name in MUST_BE_ZERO} == dict.fromkeys(MUST_BE_ZERO, 0), told.get("examples")
    assert code == 0
    assert sum("guaranteed" in name for name in told["rates"]) > 3


@pytest.mark.long
@pytest.mark.parametrize("engine", ["guard", "hold", "liveness", "moved", "ownership"])
def test_a_weakened_engine_is_found_out(engine):
    code, (told,) = torture("--weaken", engine)

    assert code == 0
    assert sum(told[name] for name in MUST_BE_ZERO) > 0
    assert told["rounds"] <= 200
    assert engine in told["engine"]
    assert any(name.startswith("first_") and at <= 200 for name, at in told["figures"].items())


def test_a_weakening_that_nobody_notices_is_a_failure():
    code, (told,) = torture("clock", "--weaken", "ownership", "--rounds", "2")

    assert code == 1
    assert "NOT found in 2 rounds" in told["notes"][-1]


def test_without_node_the_foreign_scripts_are_said_to_be_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    code, (told,) = torture("foreign", "--quick")

    assert (code, told["rounds"]) == (0, 0)
    assert told["notes"] == ["node is missing: nothing was measured"]


@pytest.mark.parametrize("arguments", [["nonsense"], ["race", "--contenders", "many"], ["race", "--rounds", "0"]])
def test_a_mistake_is_usage(arguments):
    command = [sys.executable, "-m", "tests.torture", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_the_help_names_every_scenario():
    done = subprocess.run(
        [sys.executable, "-m", "tests.torture", "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    for name in ("race", "kill", "orphans", "moves", "clock", "foreign", "fuzz", "model", "disk", "--weaken"):
        assert name in done.stdout
