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
