"""What is known of a moment that is past: only what was recorded near it, each with the time it is true of."""

from __future__ import annotations

import pytest

from neo_core.config import MemoryConfig
from neo_core.engine import Engine
from neo_core.ledger.models import Finished, LeaseRole, Outcome, Run, Trigger
from neo_core.recorder.past import read_past
from neo_core.schedule.decision import Reason

from .conftest import BEGIN, MIB

CONFIG = MemoryConfig()


def row(run_id, task, at, **more):
    return Run(run_id=run_id, task=task, heavy=True, trigger=Trigger.SCHEDULED, requested_at=at, last_at=at, **more)


def past_of(ledger, begin, end, config=CONFIG):
    return read_past(ledger, begin, end, config, lambda run: run)


@pytest.fixture
def recorded(recorder_of, machine, ledger, play):
    """Five calm minutes, five in which nobody recorded, one under pressure and two calm ones."""
    first = recorder_of()
    for step in range(60):
        machine.put(60, (100 + step) * MIB, name="leak")
        play(first, 5)
    first.close()
    machine.elapsed = 600.0
    second = recorder_of()
    for step in range(12):
        machine.put(60, (900 + step) * MIB, name="leak")
        play(second, 5, some=42.0)
    play(second, 120, some=0.0)
    return ledger


def test_the_nearest_sample_is_told_with_its_own_time(recorded):
    past = past_of(recorded, BEGIN, BEGIN + 300)

    assert past.then(BEGIN + 102).at == BEGIN + 100
    assert past.then(BEGIN + 103).at == BEGIN + 105
    assert past.then(BEGIN + 325).at == BEGIN + 300


@pytest.mark.parametrize("at", [BEGIN - 40, BEGIN + 331, BEGIN + 450, BEGIN + 570])
def test_a_sample_that_is_far_is_never_told_for_the_moment(recorded, at):
    past = past_of(recorded, at - 600, at + 600)
    then = past.then(at)

    assert (then.at, then.sample, then.looked_at, then.trees) == (at, None, None, [])


def test_a_gap_is_named_by_its_two_ends_also_where_they_were_not_read(recorded):
    for reach in (0.0, 1000.0):
        past = past_of(recorded, BEGIN + 450 - reach, BEGIN + 450 + reach)
        assert past.around(BEGIN + 450) == (BEGIN + 300, BEGIN + 605)
        assert (past.oldest, past.newest) == (BEGIN + 5, BEGIN + 780)
    assert past.around(BEGIN) == (None, BEGIN + 5)
    assert past.around(BEGIN + 9000) == (BEGIN + 780, None)


def test_a_slow_recorder_makes_a_sample_tell_of_more_time(recorded):
    slow = past_of(recorded, BEGIN, BEGIN + 900, MemoryConfig(sample_every=60.0))

    assert slow.then(BEGIN + 450).at == BEGIN + 300


def test_the_trees_are_told_as_of_when_they_were_looked_at(recorded):
    past = past_of(recorded, BEGIN, BEGIN + 900)

    told = [past.then(BEGIN + second) for second in (5, 15, 20, 25, 35, 65, 300)]
    assert [then.looked_at - BEGIN for then in told] == [5, 5, 5, 35, 35, 65, 275]
    assert [then.trees[0].cost // MIB for then in told] == [100, 100, 100, 106, 106, 112, 154]
    pressed = past.then(BEGIN + 650)
    assert pressed.looked_at == pressed.at


def test_only_what_was_open_then_is_told_as_an_incident(recorded):
    past = past_of(recorded, BEGIN, BEGIN + 900)

    assert past.then(BEGIN + 300).incidents == ()
    assert [one.incident_id for one in past.then(BEGIN + 650).incidents] == [1]
    assert past.then(BEGIN + 778).incidents == ()


def test_who_ran_then_and_held_the_lease(recorded):
    for run_id, began, ended, role in (
        ("before", 10, 50, LeaseRole.HOLDER),
        ("holds", 60, 200, LeaseRole.HOLDER),
        ("borrows", 90, 150, LeaseRole.BORROWER),
        ("light", 95, None, LeaseRole.NONE),
    ):
        recorded.runs.insert(row(run_id, run_id, BEGIN + began, started_at=BEGIN + began, lease_role=role))
        if ended:
            recorded.runs.finish(run_id, Finished(at=BEGIN + ended, outcome=Outcome.COMPLETED))
    past = past_of(recorded, BEGIN + 50, BEGIN + 150)
    then = past.then(BEGIN + 100)

    assert {run.run_id for run in then.runs} == {"holds", "borrows", "light"}
    assert (then.holder, then.holder_run) == ("holds", "holds")
    assert past.then(BEGIN + 55).holder == ""
    assert [run.run_id for run in past_of(recorded, BEGIN + 290, BEGIN + 290).then(BEGIN + 290).runs] == ["light"]


def test_a_scripts_hold_is_known_from_the_start_that_waited_for_it(recorded):
    recorded.runs.insert(
        row(
            "waits",
            "backup",
            BEGIN + 80,
            outcome=Outcome.DEFERRED,
            reason_code=Reason.LEASE_HELD,
            blocker="sandman",
        )
    )
    then = past_of(recorded, BEGIN + 50, BEGIN + 150).then(BEGIN + 100)

    assert (then.holder, then.holder_run) == ("sandman", "")
    assert [one.task for one in then.waiting] == ["backup"]
    assert past_of(recorded, BEGIN, BEGIN + 300).then(BEGIN + 200).holder == ""


def test_a_lost_run_is_told_no_longer_than_it_was_heard_of(recorded):
    recorded.runs.insert(row("lost", "dream", BEGIN + 20, started_at=BEGIN + 20, outcome=Outcome.LOST))
    past = past_of(recorded, BEGIN, BEGIN + 300)

    assert past.then(BEGIN + 20).runs[0].run_id == "lost"
    assert past.then(BEGIN + 100).runs == ()


def test_without_a_record_nothing_is_told(ledger):
    past = past_of(ledger, BEGIN, BEGIN + 60)

    assert (past.samples, past.oldest, past.newest, past.around(BEGIN)) == ((), None, None, (None, None))
    assert past.then(BEGIN).sample is None


def test_the_engine_reads_as_much_as_one_moment_needs(recorded, workspace):
    past = Engine(workspace).memory_at(BEGIN + 102)

    assert past.then(BEGIN + 102).looked_at == BEGIN + 95
    assert past.then(BEGIN + 102).trees[0].owner == "leak"


def test_now_is_a_look_of_our_own_at_the_whole_machine(workspace):
    then = Engine(workspace).memory_now()

    assert then.sample is not None
    assert 0 < then.sample.reading.available < then.sample.reading.total
    assert then.trees[0].cost > 0
    assert sum(tree.processes for tree in then.trees) > 1
    assert not workspace.state.exists()
