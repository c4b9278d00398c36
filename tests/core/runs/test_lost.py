"""A run whose runner was killed: its row has the memory that was recorded, and its log ends with what befell it."""

from __future__ import annotations

import pytest

from neo_core.clock import SystemClock
from neo_core.ledger.memory import Sample
from neo_core.ledger.models import Finished, Outcome, Run, Trigger
from neo_core.memory.attribution import TreeCost
from neo_core.memory.incidents import Watch
from neo_core.memory.reading import Reading
from neo_core.processes.source import system_source
from neo_core.runs.lost import keep_aside, mark_lost_runs

MIB = 1024 * 1024
DEAD = 2**22 + 17  # above the largest pid that Linux gives


@pytest.fixture
def begun(ledger):
    """The row of a run that began a minute ago, under a runner that is gone."""
    source, at = system_source(), SystemClock().now() - 60
    run = Run(
        run_id="a1b2c3d4e5f6",
        task="crunch",
        heavy=True,
        trigger=Trigger.MANUAL,
        requested_at=at,
        last_at=at,
        started_at=at,
        runner_pid=DEAD,
        runner_start=1,
        boot_id=source.boot_id(),
        pid_namespace=source.pid_namespace(),
    )
    ledger.runs.insert(run)
    return run


def mark(ledger, workspace):
    return mark_lost_runs(ledger, workspace.logs, system_source(), SystemClock())


def sample(ledger, at, *trees):
    reading = Reading(at=at, total=None, available=None)
    costs = tuple(
        TreeCost(owner="crunch", kind="run", pid=1, cost=cost, rss=cost, processes=1, run_id=run_id)
        for run_id, cost in trees
    )
    ledger.memory.put(Sample(reading=reading, trees=costs), Watch(), slot=int(at))


def test_its_peak_is_what_the_samples_of_its_tree_show(ledger, workspace, begun):
    for second, cost in ((5, 20 * MIB), (10, 303 * MIB), (15, 100 * MIB)):
        sample(ledger, begun.started_at + second, (begun.run_id, cost), ("another", 900 * MIB))
    sample(ledger, begun.started_at - 5, (begun.run_id, 800 * MIB))
    assert [run.run_id for run in mark(ledger, workspace)] == [begun.run_id]
    (row,) = ledger.runs.history()
    assert (row.outcome, row.reason_code, row.peak_memory) == (Outcome.LOST, "runner-gone", 303 * MIB)


def test_what_no_sample_showed_is_not_known(ledger, workspace, begun):
    sample(ledger, begun.started_at + 5, ("another", 900 * MIB))
    mark(ledger, workspace)
    assert ledger.runs.history()[0].peak_memory is None


def test_its_log_ends_with_what_befell_it_once(ledger, workspace, begun):
    log = workspace.run_log(begun.run_id)
    log.write_text("half of the work\n")
    mark(ledger, workspace)
    assert mark(ledger, workspace) == []
    first, told = log.read_text().splitlines()
    assert first == "half of the work"
    gone = f"its runner (pid {DEAD}) was killed or crashed, found gone at"
    assert told.startswith(f"[neo-console] Run {begun.run_id} of crunch: lost; {gone}")
    assert "this log was last written at" in told


def test_no_log_is_made_for_it(ledger, workspace, begun):
    mark(ledger, workspace)
    assert not workspace.run_log(begun.run_id).exists()


def test_what_its_runner_left_word_of_is_not_called_lost(ledger, workspace, begun):
    log = workspace.run_log(begun.run_id)
    log.write_text("all of the work\n")
    keep_aside(workspace.logs, begun.run_id, Finished(at=begun.started_at + 9, outcome=Outcome.COMPLETED))
    mark(ledger, workspace)
    assert ledger.runs.history()[0].outcome is Outcome.COMPLETED
    assert log.read_text() == "all of the work\n"
