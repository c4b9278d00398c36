"""Trigger files and unread handovers: newer than the last start, they make a task due; older, they are read."""

from __future__ import annotations

import os

import pytest

from neo_core.ledger.models import Outcome, Run, Trigger
from neo_core.ledger.records import TaskRecord
from neo_core.profiles import Task
from neo_core.schedule.due import next_due
from neo_core.schedule.prompts import past_of

NEVER = TaskRecord()


def task(**changes) -> Task:
    return Task(name="summary", heavy=True, every=600, command=("true",), **changes)


def row(**changes) -> Run:
    given = {"requested_at": 1000.0, "last_at": 1010.0, **changes}
    return Run(run_id="r", task="summary", heavy=True, trigger=Trigger.SCHEDULED, **given)


def ran(started_at: float) -> TaskRecord:
    run = row(started_at=started_at, ended_at=started_at + 1, outcome=Outcome.COMPLETED)
    return TaskRecord(last=run, last_started=run)


@pytest.fixture
def touch(tmp_path):
    def write(name: str, at: float) -> str:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
        os.utime(path, (at, at))
        return str(path)

    return write


def test_a_trigger_file_counts_while_it_is_newer_than_the_last_start(touch):
    prompted = task(trigger_file=touch("wake", 2000.0))
    past = past_of(prompted, ran(1500.0), 1.0)
    assert (past.prompted_at, past.prompted_by) == (2000.0, prompted.trigger_file)
    assert next_due(prompted, past, 2001.0) == 2000.0
    for started in (2000.0, 2500.0):
        assert past_of(prompted, ran(started), 1.0).prompted_at is None


def test_a_trigger_file_that_is_not_there_asks_for_nothing(tmp_path):
    assert past_of(task(trigger_file=str(tmp_path / "none")), NEVER, None).prompted_at is None


def test_enough_unread_handovers_ask_and_the_last_one_needed_says_since_when(touch, tmp_path):
    pattern = str(tmp_path / "inbox" / "**" / "*.md")
    for number in range(4):
        touch(f"inbox/{number}.md", 2000.0 + number)
    touch("inbox/other.txt", 9000.0)
    counted = task(trigger_glob=pattern, trigger_count=3)
    past = past_of(counted, ran(1500.0), None)
    assert (past.prompted_at, past.prompted_by) == (2002.0, f"4 unread in {pattern}")
    assert past_of(counted, ran(2000.5), None).prompted_at == 2003.0
    assert past_of(counted, ran(2001.5), None).prompted_at is None


def test_a_start_that_failed_before_its_command_ran_counts_as_one(touch):
    tried = row(requested_at=3000.0, ended_at=3001.0, last_at=3001.0, outcome=Outcome.FAILED)
    record = TaskRecord(last_started=ran(1500.0).last_started, last_tried=tried, tries=1)
    past = past_of(task(trigger_file=touch("wake", 2000.0), retries=3), record, None)
    assert (past.last_started_at, past.last_ended_at, past.prompted_at) == (3000.0, 3001.0, None)
    assert next_due(task(retries=3), past, 3002.0) == 3061.0


def test_a_run_that_deferred_itself_is_put_off(touch):
    deferred = row(started_at=2500.0, ended_at=2501.0, last_at=2501.0, outcome=Outcome.DEFERRED)
    record = TaskRecord(last=deferred, last_started=ran(1500.0).last_started)
    past = past_of(task(trigger_file=touch("wake", 2000.0)), record, None)
    assert (past.last_started_at, past.put_off_at) == (1500.0, 2501.0)
    assert next_due(task(), past, 2502.0) == 2561.0
    refused = TaskRecord(last=row(outcome=Outcome.DEFERRED), last_started=ran(1500.0).last_started)
    assert past_of(task(), refused, None).put_off_at is None
