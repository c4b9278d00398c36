"""Every turn has its retries: the schedule's own planning over a real ledger, with the clock of the test."""

from __future__ import annotations

import msgspec
import pytest

from neo_core.admission import Scene
from neo_core.ledger.models import Finished, Outcome, Trigger
from neo_core.orchestrator.planning import Known, plan
from neo_core.profiles import Task
from neo_core.requests import request
from neo_core.schedule.decision import Decision
from neo_core.schedule.gates import Facts, LeaseFacts, decide
from neo_core.schedule.prompts import past_of

BEGIN = 1_800_000_000.0
FREE = LeaseFacts(takeable=True)
MINUTELY = Task(name="fails", heavy=False, every=60.0, command=("false",), retries=1, retry_after=20.0)


class Life:
    """One task, looked at every second; a run takes a second and ends as it is told. ``starts`` are (second, retry)."""

    def __init__(self, ledger, task):
        self.ledger, self.task = ledger, task
        self.starts = []

    def pass_time(self, begin, end, outcome=Outcome.FAILED):
        for second in range(begin, end):
            scene = Scene(now=BEGIN + second, trigger=Trigger.SCHEDULED, lease=FREE)
            due = plan([Known(task=self.task, past=self.past())], scene, starved_after=900.0).light
            for one in due:
                self.run(one.decision, second, outcome)

    def by_hand(self, second, outcome):
        facts = Facts(now=BEGIN + second, trigger=Trigger.MANUAL, lease=FREE, past=self.past())
        self.run(decide(self.task, facts), second, outcome)

    def run(self, decision: Decision, second, outcome):
        row = request(self.task, decision, BEGIN + second)
        self.ledger.runs.insert(row)
        self.ledger.runs.started(row.run_id, at=BEGIN + second, child=None, role="none", generation=0)
        ending = Finished(at=BEGIN + second + 1, outcome=outcome, reason_code="exit-code", reason="")
        assert self.ledger.runs.finish(row.run_id, ending)
        self.starts.append((second, decision.retry))

    def past(self):
        return past_of(self.task, self.ledger.runs.record_of(self.task.name), BEGIN)


@pytest.fixture
def life(ledger):
    return Life(ledger, MINUTELY)


def test_every_turn_that_fails_has_its_retry_not_only_the_first(life):
    life.pass_time(0, 340)
    assert life.starts == [(0, 0), (21, 1), (81, 0), (102, 1), (162, 0), (183, 1), (243, 0), (264, 1), (324, 0)]


def test_a_turn_has_all_its_retries_each_after_twice_as_long(ledger):
    life = Life(ledger, Task(name="x", heavy=False, every=600.0, command=("false",), retries=2, retry_after=60.0))
    life.pass_time(0, 1600)
    assert life.starts == [(0, 0), (61, 1), (182, 2), (782, 0), (843, 1), (964, 2), (1564, 0)]


@pytest.mark.parametrize("ending", [Outcome.COMPLETED, Outcome.CANCELLED])
def test_a_success_and_an_operators_stop_end_the_turn(life, ending):
    life.pass_time(0, 10)
    life.pass_time(10, 30, ending)
    life.pass_time(30, 110)
    assert life.starts == [(0, 0), (21, 1), (81, 0), (102, 1)]
    assert life.ledger.runs.record_of("fails").failures == 2


def test_a_run_by_hand_that_fails_begins_a_turn(life):
    life.pass_time(0, 30)
    life.by_hand(30, Outcome.FAILED)
    life.pass_time(31, 120)
    assert life.starts == [(0, 0), (21, 1), (30, 0), (51, 1), (111, 0)]


def test_a_retry_that_came_too_late_is_the_next_turn(life):
    """Nobody polled while both the retry and the next turn fell due."""
    life.pass_time(0, 1)
    life.pass_time(90, 140)
    assert life.starts == [(0, 0), (90, 0), (111, 1)]


def test_lost_and_timed_out_runs_are_retried_too(life):
    life.pass_time(0, 10, Outcome.LOST)
    life.pass_time(10, 90, Outcome.TIMED_OUT)
    assert life.starts == [(0, 0), (21, 1), (81, 0)]


def test_a_row_of_an_older_version_counts_as_the_first_of_its_turn(ledger):
    made = Decision(task="fails", at=BEGIN, trigger=Trigger.SCHEDULED, results=())
    old = request(MINUTELY, made, BEGIN).decision.replace(',"retry":0', "")
    assert "retry" not in old
    for number, decision in enumerate((old, "", "{")):
        row = request(MINUTELY, made, BEGIN + number)
        row = msgspec.structs.replace(row, decision=decision)
        ledger.runs.insert(row)
        ledger.runs.finish(row.run_id, Finished(at=BEGIN + number, outcome=Outcome.FAILED, reason_code="", reason=""))
        assert ledger.runs.record_of("fails").tries == 1
