"""``run --wait``: it waits until the gates are open, says for what, and leaves nothing behind however it ends."""

from __future__ import annotations

import signal
import sys
from itertools import pairwise

import pytest

from neo_console.cli.patience import wait_in_full
from neo_core.engine import Engine
from neo_core.lease.store import LeaseStore
from neo_core.ledger.store import Ledger
from neo_core.snapshot import TaskState

JOB = """
import time
began = time.monotonic_ns()
time.sleep(0.1)
with open("times", "a") as file:
    file.write(f"{began} {time.monotonic_ns()}\\n")
"""


@pytest.fixture
def lease(workspace):
    """The lease, held by a script of this process until the test lets it go."""
    workspace.state.mkdir(parents=True, exist_ok=True)
    hold = LeaseStore(workspace.lease).acquire("sandman", "manual-cli").hold
    yield hold
    hold.release()


@pytest.fixture
def seen(workspace):
    """Look at one task as the console sees it."""
    engine = Engine(workspace)

    def look(name: str):
        return next(task for task in engine.snapshot().schedule.value.tasks if task.name == name)

    return look


def waiters(workspace):
    with Ledger(workspace.ledger, writable=False) as ledger:
        return ledger.waiters.all()


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["--wait", "backup"], ["--wait=for-ever", "backup"]),
        (["backup", "--wait"], ["backup", "--wait=for-ever"]),
        (["--wait", "--json", "backup"], ["--wait=for-ever", "--json", "backup"]),
        (["--wait", "30m", "backup"], ["--wait", "30m", "backup"]),
        (["backup", "--wait=90s"], ["backup", "--wait=90s"]),
        ([], []),
    ],
)
def test_the_duration_may_be_left_out_wherever_the_task_stands(given, meant):
    assert wait_in_full(given) == meant


def test_it_starts_when_the_lease_is_free_and_is_seen_waiting_until_then(console, lease, until, seen, workspace):
    waiting = console.start("run", "quick", "--wait")
    told = waiting.stderr.readline()
    assert told.startswith("quick waits: lease held by sandman (pid ")
    assert told.rstrip().endswith("Clears when: sandman ends. ctrl+c ends the waiting.")
    until(lambda: seen("quick").state is TaskState.WAITING, what="the waiting")
    task = seen("quick")
    assert [one.pid for one in task.waiters] == [waiting.pid]
    assert (task.retried, task.streak, task.starved) == (False, 0, False)
    assert f"waiting: run --wait, pid {waiting.pid}" in console("status").stdout
    lease.release()
    out, said = waiting.communicate(timeout=30)
    assert (waiting.returncode, out.splitlines()[0]) == (0, "done quickly")
    assert said.startswith("✓ completed: quick ")
    assert [(row.outcome, row.count) for row in console.runs()] == [("completed", 1), ("deferred", 1)]
    assert waiters(workspace) == []


def test_what_it_waits_for_is_told_again_when_it_is_something_else(console, lease, workspace):
    waiting = console.start("run", "quick", "--wait=30s")
    assert waiting.stderr.readline().startswith("quick waits for at most 30s: lease held by sandman")
    engine = Engine(workspace)
    engine.pause("a talk")
    assert "Now it waits: every task is paused until ended by hand (a talk)." in waiting.stderr.readline()
    lease.release()
    engine.unpause()
    assert waiting.wait(timeout=30) == 0
    assert [row.reason_code for row in console.runs()] == ["", "paused", "heavy-maintenance-lease-held"]


@pytest.mark.parametrize(("options", "code"), [((), 0), (("--deferred-exit-code", "75"), 75)])
def test_when_its_time_is_over_it_leaves_like_any_deferral(console, lease, workspace, options, code):
    done = console("run", "quick", "--wait=200ms", *options)
    assert done.returncode == code
    assert done.stdout.startswith("deferred: quick did not start: lease held by sandman")
    assert done.stderr.endswith("quick was not started within 200ms.\n")
    assert [row.outcome for row in console.runs()] == ["deferred"]
    assert waiters(workspace) == []


def test_ctrl_c_ends_the_waiting_and_is_a_row(console, lease, workspace):
    waiting = console.start("run", "quick", "--wait")
    waiting.stderr.readline()
    waiting.send_signal(signal.SIGINT)
    out, said = waiting.communicate(timeout=30)
    assert (waiting.returncode, out, said) == (130, "", "Stopped waiting; quick was not started.\n")
    row = console.runs()[0]
    assert (row.outcome, row.reason_code, row.started_at, row.blocker) == ("cancelled", "operator", None, "sandman")
    assert "stopped waiting after" in row.reason
    assert waiters(workspace) == []


def test_one_that_is_killed_waits_no_longer(console, lease, until, seen, workspace):
    waiting = console.start("run", "quick", "--wait")
    waiting.stderr.readline()
    until(lambda: seen("quick").state is TaskState.WAITING, what="the waiting")
    waiting.kill()
    waiting.wait()
    task = seen("quick")
    assert (task.state, task.waiters, task.deferral.blocker) == (TaskState.DISABLED, (), "sandman")
    assert waiters(workspace) == []


def test_a_task_without_a_command_is_not_waited_for(console):
    done = console("run", "summary", "--wait")
    assert (done.returncode, done.stdout.count("tasks.summary.command")) == (1, 1)


def test_many_that_wait_run_one_after_the_other(console, lease, root):
    (root / "job.py").write_text(JOB)
    names = [f"task{number}" for number in range(3)]
    told = [f'[tasks.{name}]\ncommand = ["{sys.executable}", "job.py"]\n' for name in names]
    (root / "neo-console.toml").write_text("\n".join(told))
    waiting = [console.start("run", name, "--wait") for name in names]
    for process in waiting:
        process.stderr.readline()
    lease.release()
    for process in waiting:
        assert process.wait(timeout=60) == 0, process.stderr.read()
    times = sorted(tuple(map(int, line.split())) for line in (root / "times").read_text().splitlines())
    assert len(times) == len(names)
    assert [one for one, following in pairwise(times) if one[1] > following[0]] == []
