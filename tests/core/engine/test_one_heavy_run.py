"""The invariant: whoever asks, at most one heavy job runs, and every start that did not happen has its reason."""

from __future__ import annotations

import itertools
import subprocess
import sys

import pytest

from neo_core.engine import Engine
from neo_core.ledger.models import Outcome

_NAMES = ("backup", "kbSync", "primary-dev-sync", "summary", "dream", "golden-path")

_JOB = """
import sys, time
began = time.monotonic_ns()
time.sleep(0.05)
with open("intervals", "a") as file:
    file.write(f"{sys.argv[1]} {began} {time.monotonic_ns()}\\n")
"""

_TRIGGER = """
import sys
from neo_core.engine import Engine
from neo_core.workspace import resolve_workspace
engine = Engine(resolve_workspace(sys.argv[1]))
print("ready", flush=True)
for _ in sys.stdin:
    print(engine.run_and_wait(sys.argv[2]).outcome, flush=True)
"""


def overlaps(intervals):
    """Return the pairs of intervals that share time."""
    ordered = sorted(intervals)
    return [(one, two) for one, two in itertools.pairwise(ordered) if two[0] < one[1]]


@pytest.mark.parametrize(
    ("planted", "found"), [([(0, 5), (5, 9)], 0), ([(0, 5), (4, 9)], 1), ([(0, 9), (1, 2)], 1), ([], 0)]
)
def test_the_checker_finds_planted_overlaps(planted, found):
    assert len(overlaps(planted)) == found


@pytest.fixture
def six(root):
    (root / "job.py").write_text(_JOB)
    sections = (f'[tasks.{name}]\ncommand = ["{sys.executable}", "job.py", "{name}"]\n' for name in _NAMES)
    (root / "neo-console.toml").write_text("\n".join(sections))
    return root


def test_six_front_ends_at_the_same_instant_start_one_heavy_run_a_round(six, workspace):
    rounds = 4
    asking = [
        subprocess.Popen(
            [sys.executable, "-c", _TRIGGER, str(six), name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for name in _NAMES
    ]
    try:
        for process in asking:
            assert process.stdout.readline() == "ready\n"
        answers = []
        for _ in range(rounds):
            for process in asking:
                process.stdin.write("go\n")
                process.stdin.flush()
            answers += [process.stdout.readline().strip() for process in asking]
    finally:
        for process in asking:
            process.stdin.close()
            process.wait(timeout=30)
            process.stdout.close()
    lines = [line.split() for line in (six / "intervals").read_text().splitlines()]
    assert overlaps([(int(began), int(ended)) for _, began, ended in lines]) == []
    completed = answers.count("completed")
    assert completed == len(lines) >= rounds
    assert set(answers) <= {"completed", "deferred"}
    rows = Engine(workspace).history()
    assert sum(row.count for row in rows if row.outcome is Outcome.DEFERRED) == len(answers) - completed
    assert all(row.reason_code and row.reason for row in rows if row.outcome is Outcome.DEFERRED)


def test_a_run_outlives_the_front_end_that_started_it(root, workspace, until):
    (root / "neo-console.toml").write_text(
        '[tasks.hold]\ncommand = ["sh", "-c", "while [ ! -e release ] && kill -0 $TESTED_BY; do sleep 0.05; done"]\n'
    )
    script = (
        "import sys\nfrom neo_core.engine import Engine\nfrom neo_core.workspace import resolve_workspace\n"
        "print(Engine(resolve_workspace(sys.argv[1])).trigger('hold').run_id, flush=True)\nsys.stdin.read()\n"
    )
    front = subprocess.Popen(
        [sys.executable, "-c", script, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    run_id = front.stdout.readline().strip()
    engine = Engine(workspace)
    until(lambda: engine.run(run_id).started_at)
    front.kill()
    front.wait(timeout=10)
    front.stdin.close()
    front.stdout.close()
    (root / "release").touch()
    assert engine.wait(run_id, timeout=20).outcome is Outcome.COMPLETED
