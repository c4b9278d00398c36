"""The schedule as it was at a moment of an incident."""

from __future__ import annotations

import pytest

from neo_core.ledger.models import Outcome, Run, Trigger
from neo_core.recorder.schedule_then import schedule_at
from neo_core.snapshot import TaskState


def row(run_id, task, **changes):
    told = {"heavy": True, "trigger": Trigger.SCHEDULED, "requested_at": 100.0, "last_at": 100.0, **changes}
    return Run(run_id=run_id, task=task, **told)


ROWS = (
    row("1", "backup", started_at=100.0, ended_at=150.0, last_at=150.0, outcome=Outcome.COMPLETED),
    row("2", "dream", requested_at=200.0, started_at=200.0, ended_at=300.0, last_at=300.0, outcome=Outcome.FAILED),
    row("3", "backup", requested_at=210.0, last_at=240.0, outcome=Outcome.DEFERRED, count=9, reason="held by dream"),
    row("4", "backup", requested_at=243.0, last_at=299.0, outcome=Outcome.DEFERRED, count=9, reason="it swaps"),
    row("5", "backup", requested_at=301.0, started_at=302.0, last_at=302.0),
)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (99.0, []),
        (120.0, [("backup", TaskState.RUNNING, 100.0)]),
        (160.0, [("backup", TaskState.IDLE, 150.0)]),
        (220.0, [("dream", TaskState.RUNNING, 200.0), ("backup", TaskState.WAITING, 210.0)]),
        (290.0, [("dream", TaskState.RUNNING, 200.0), ("backup", TaskState.WAITING, 210.0)]),
        (310.0, [("backup", TaskState.RUNNING, 302.0), ("dream", TaskState.IDLE, 300.0)]),
    ],
)
def test_each_task_is_told_as_it_was(at, expected):
    assert [(one.task, one.state, one.since) for one in schedule_at(ROWS, at)] == expected


def test_a_task_that_waits_tells_its_reason_of_then_and_how_it_ended_last():
    (_, backup) = schedule_at(ROWS, 290.0)
    assert (backup.row.reason, backup.last.outcome) == ("it swaps", Outcome.COMPLETED)


def test_a_start_that_is_no_longer_held_back_does_not_wait():
    assert [one.state for one in schedule_at(ROWS[:3], 271.0)] == [TaskState.RUNNING, TaskState.IDLE]


def test_what_was_asked_for_by_hand_and_refused_did_not_wait():
    refused = row("6", "kbSync", requested_at=200.0, last_at=200.0, outcome=Outcome.DEFERRED, trigger=Trigger.MANUAL)
    assert [(one.state, one.row) for one in schedule_at((refused,), 205.0)] == [(TaskState.IDLE, None)]


def test_what_has_started_and_ended_since_it_was_held_back_does_not_wait():
    held = row("7", "flaky", requested_at=200.0, last_at=210.0, outcome=Outcome.DEFERRED)
    ran = row("8", "flaky", requested_at=212.0, started_at=212.0, ended_at=213.0, last_at=213.0, outcome=Outcome.FAILED)
    assert [one.state for one in schedule_at((held, ran), 211.0)] == [TaskState.WAITING]
    assert [one.state for one in schedule_at((held, ran), 220.0)] == [TaskState.IDLE]


def waited(run_id, begin, end, **changes):
    """The row of a ``run --wait`` that was held back from ``begin`` to ``end``."""
    told = {"outcome": Outcome.DEFERRED, "trigger": Trigger.MANUAL, "decision": '{"patient": true}', **changes}
    return row(run_id, "kbSync", requested_at=begin, last_at=end, **told)


@pytest.mark.parametrize(("at", "state"), [(199.0, None), (200.0, "waiting"), (260.0, "waiting"), (311.0, "idle")])
def test_what_an_operator_waited_for_waited_as_long_as_he_did(at, state):
    assert [str(one.state) for one in schedule_at((waited("9", 200.0, 300.0),), at)] == ([state] if state else [])


def test_since_when_an_operator_waits_goes_back_over_what_held_it_before():
    held, again = waited("9", 200.0, 300.0, reason="held by dream"), waited("10", 301.0, 340.0, reason="it swaps")
    (then,) = schedule_at((held, again), 320.0)
    assert (then.since, then.row.reason) == (200.0, "it swaps")
    (long_after,) = schedule_at((held, waited("10", 400.0, 440.0)), 420.0)
    assert long_after.since == 400.0


def test_who_stopped_waiting_waits_no_longer_from_that_moment_on():
    stopped = waited("10", 200.0, 300.5, outcome=Outcome.CANCELLED, reason_code="operator", decision="{}")
    rows = (waited("9", 200.0, 300.0), stopped)
    assert [one.state for one in schedule_at(rows, 299.0)] == [TaskState.WAITING]
    assert [one.state for one in schedule_at(rows, 301.0)] == [TaskState.IDLE]
    later = (*rows, waited("11", 302.0, 320.0))
    assert [(one.state, one.since) for one in schedule_at(later, 303.0)] == [(TaskState.WAITING, 302.0)]


def test_what_no_waiting_could_start_did_not_wait():
    refused = waited("9", 200.0, 200.0, outcome=Outcome.SKIPPED, reason_code="not-configured")
    assert [one.state for one in schedule_at((refused,), 201.0)] == [TaskState.IDLE]
