"""The rows of runs: durable, claimed once, ended once, deferrals counted instead of repeated."""

from __future__ import annotations

import msgspec
import pytest

from neo_core.errors import LedgerError
from neo_core.ledger.models import Finished, LeaseRole, Outcome, Run, Trigger
from neo_core.ledger.records import TaskRecord
from neo_core.ledger.store import Ledger
from neo_core.processes.source import ProcessIdentity

RUNNER = ProcessIdentity(4711, 99, "boot")


def test_every_field_of_a_row_survives_another_connection(ledger, path, make_run):
    full = make_run(
        parent_run_id="p",
        requested_by="ann",
        started_at=1.5,
        ended_at=2.5,
        outcome=Outcome.TIMED_OUT,
        reason_code="code",
        reason="grün ✓ \n'quoted'",
        blocker="b",
        blocker_pid=3,
        count=4,
        exit_code=-9,
        runner_pid=5,
        runner_start=6,
        boot_id="boot",
        pid_namespace="pid:[1]",
        child_pid=7,
        child_start=2**62,
        lease_role=LeaseRole.BORROWER,
        generation=8,
        peak_memory=2**40,
        warning="w",
        command="c",
        decision="{}",
        trigger=Trigger.CASCADE,
        heavy=False,
    )
    assert not [name for name in Run.__struct_fields__ if getattr(full, name) in (None, "") and name != "task"]
    ledger.runs.insert(full)
    with Ledger(path, writable=False) as other:
        assert other.runs.find(full.run_id) == [full]
        assert other.runs.latest("kbSync") == full


def test_a_run_id_is_used_once(ledger, make_run):
    run = make_run()
    ledger.runs.insert(run)
    with pytest.raises(LedgerError, match="UNIQUE"):
        ledger.runs.insert(msgspec.structs.replace(run, task="dream"))
    assert ledger.runs.find(run.run_id) == [run]


def test_a_run_has_one_runner(ledger, make_run):
    run = make_run()
    ledger.runs.insert(run)
    assert ledger.runs.claim(run.run_id, RUNNER)
    assert not ledger.runs.claim(run.run_id, ProcessIdentity(4712, 100, "boot"))
    assert ledger.runs.find(run.run_id)[0].runner == RUNNER


def test_a_task_has_one_live_claimed_run(ledger, make_run):
    first, second, other = make_run(), make_run(), make_run("dream")
    for run in (first, second, other):
        ledger.runs.insert(run)
    assert ledger.runs.claim(first.run_id, RUNNER)
    assert not ledger.runs.claim(second.run_id, RUNNER)
    assert ledger.runs.claim(other.run_id, RUNNER)
    ledger.runs.finish(first.run_id, Finished(at=9.0, outcome=Outcome.COMPLETED))
    assert ledger.runs.claim(second.run_id, RUNNER)


@pytest.mark.parametrize("state", ["ended", "unknown"])
def test_what_has_ended_or_is_unknown_cannot_be_claimed(ledger, make_run, state):
    run = make_run(outcome=Outcome.CANCELLED, ended_at=5.0)
    if state == "ended":
        ledger.runs.insert(run)
    assert not ledger.runs.claim(run.run_id, RUNNER)


def test_a_run_ends_once(ledger, make_run):
    run = make_run()
    ledger.runs.insert(run)
    assert ledger.runs.finish(run.run_id, Finished(at=5000.0, outcome=Outcome.COMPLETED, exit_code=0, peak_memory=10))
    assert not ledger.runs.finish(run.run_id, Finished(at=6000.0, outcome=Outcome.LOST, reason="late"))
    ended = ledger.runs.find(run.run_id)[0]
    assert (ended.outcome, ended.ended_at, ended.last_at) == (Outcome.COMPLETED, 5000.0, 5000.0)
    assert (ended.reason, ended.exit_code, ended.peak_memory, ended.live) == ("", 0, 10, False)


def test_a_claimed_run_is_not_ended_as_unclaimed(ledger, make_run):
    claimed, waiting = make_run(), make_run("dream")
    for run in (claimed, waiting):
        ledger.runs.insert(run)
    ledger.runs.claim(claimed.run_id, RUNNER)
    assert not ledger.runs.finish(claimed.run_id, Finished(at=5.0, outcome=Outcome.SKIPPED), unclaimed_only=True)
    assert ledger.runs.finish(waiting.run_id, Finished(at=5.0, outcome=Outcome.SKIPPED), unclaimed_only=True)
    assert [run.run_id for run in ledger.runs.live()] == [claimed.run_id]


def test_a_start_is_recorded_with_its_child_and_role(ledger, make_run):
    run = make_run()
    ledger.runs.insert(run)
    ledger.runs.started(run.run_id, at=1500.0, child=ProcessIdentity(8, 9, "boot"), role=LeaseRole.HOLDER, generation=3)
    ledger.runs.warn(run.run_id, "odd")
    found = ledger.runs.find(run.run_id)[0]
    assert (found.started_at, found.child_pid, found.child_start) == (1500.0, 8, 9)
    assert (found.lease_role, found.generation, found.warning, found.took) == (LeaseRole.HOLDER, 3, "odd", None)


def test_a_deferral_that_repeats_is_one_row_with_a_count(ledger, make_run):
    first = make_run(at=100.0, outcome=Outcome.DEFERRED, reason="held for 1m")
    assert ledger.runs.record_prevented(first) == first
    for at in (103.0, 106.0):
        again = make_run(at=at, outcome=Outcome.DEFERRED, reason=f"held at {at}", decision=f'{{"at": {at}}}')
        recorded = ledger.runs.record_prevented(again)
    row = ledger.runs.history()
    assert len(row) == 1
    assert (row[0].run_id, row[0].count, row[0].requested_at, row[0].last_at) == (first.run_id, 3, 100.0, 106.0)
    assert (row[0].reason, row[0].decision, row[0].ended_at) == ("held at 106.0", '{"at": 106.0}', 106.0)
    assert (recorded.run_id, recorded.count, recorded.last_at) == (first.run_id, 3, 106.0)


@pytest.mark.parametrize(
    "change",
    [
        {"blocker_pid": 43},
        {"blocker": "backup"},
        {"reason_code": "heavy-maintenance-backpressure"},
        {"trigger": Trigger.SCHEDULED},
        {"outcome": Outcome.SKIPPED},
        {"task": "dream"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_deferral_by_something_else_is_a_row_of_its_own(ledger, make_run, change):
    ledger.runs.record_prevented(make_run(outcome=Outcome.DEFERRED))
    other = msgspec.structs.replace(make_run(outcome=Outcome.DEFERRED), **change)
    assert ledger.runs.record_prevented(other) == other
    assert [run.count for run in ledger.runs.history()] == [1, 1]


@pytest.mark.parametrize(
    "between", [{"outcome": None}, {"outcome": Outcome.FAILED, "started_at": 1.0, "ended_at": 2.0}]
)
def test_a_run_between_two_deferrals_keeps_them_apart(ledger, make_run, between):
    ledger.runs.record_prevented(make_run(outcome=Outcome.DEFERRED))
    ledger.runs.insert(make_run(**between))
    ledger.runs.record_prevented(make_run(outcome=Outcome.DEFERRED))
    assert [run.count for run in ledger.runs.history()] == [1, 1, 1]


def test_a_streak_counts_every_scheduled_deferral_since_the_last_start(ledger, path, make_run):
    started = make_run(at=50.0, outcome=Outcome.COMPLETED, started_at=51.0, ended_at=60.0, last_at=60.0)
    by_schedule = {"outcome": Outcome.DEFERRED, "trigger": Trigger.SCHEDULED}
    ledger.runs.record_prevented(make_run(at=40.0, **by_schedule))
    ledger.runs.insert(started)
    for at, blocker in ((70.0, "dream"), (73.0, "dream"), (76.0, "backup")):
        ledger.runs.record_prevented(make_run(at=at, blocker=blocker, **by_schedule))
    ledger.runs.record_prevented(make_run("dream", at=77.0, **by_schedule))
    with Ledger(path) as restarted:
        record = restarted.runs.record_of("kbSync")
    assert (record.streak, record.waiting_since, record.last_success_at) == (3, 70.0, 60.0)
    assert (record.last_deferred.blocker, record.last_deferred.last_at) == ("backup", 76.0)
    assert record.last_started == started
    assert record.last == started


@pytest.mark.parametrize("trigger", [Trigger.MANUAL, Trigger.CASCADE])
def test_what_nobody_tries_again_is_no_streak(ledger, make_run, trigger):
    ledger.runs.record_prevented(make_run(at=10.0, outcome=Outcome.DEFERRED, trigger=trigger))
    ledger.runs.record_prevented(make_run(at=20.0, outcome=Outcome.DEFERRED, trigger=Trigger.SCHEDULED))
    ledger.runs.record_prevented(make_run(at=30.0, outcome=Outcome.DEFERRED, trigger=trigger, blocker="backup"))
    record = ledger.runs.record_of("kbSync")
    assert (record.streak, record.waiting_since) == (1, 20.0)
    assert (record.last_deferred.trigger, record.last_deferred.blocker) == (trigger, "backup")


def test_a_start_ends_the_streak_and_a_skip_neither_counts_nor_ends_it(ledger, make_run):
    ledger.runs.record_prevented(make_run(at=10.0, outcome=Outcome.DEFERRED, trigger=Trigger.SCHEDULED))
    ledger.runs.record_prevented(make_run(at=20.0, outcome=Outcome.SKIPPED, ended_at=20.0))
    assert ledger.runs.record_of("kbSync").streak == 1
    ledger.runs.insert(make_run(at=30.0, outcome=Outcome.FAILED, started_at=31.0, ended_at=32.0, last_at=32.0))
    record = ledger.runs.record_of("kbSync")
    assert (record.streak, record.waiting_since, record.last_success_at) == (0, None, None)
    assert record.last_deferred is None


def test_who_stopped_waiting_has_started_nothing(ledger, make_run):
    started = make_run(at=10.0, outcome=Outcome.COMPLETED, started_at=10.0, ended_at=12.0, last_at=12.0)
    ledger.runs.insert(started)
    ledger.runs.record_prevented(make_run(at=20.0, outcome=Outcome.DEFERRED, trigger=Trigger.SCHEDULED))
    ledger.runs.insert(make_run(at=30.0, outcome=Outcome.CANCELLED, ended_at=30.0))
    record = ledger.runs.record_of("kbSync")
    assert (record.last_started, record.last_tried, record.streak) == (started, None, 1)
    ledger.runs.insert(make_run(at=40.0, outcome=Outcome.CANCELLED, ended_at=40.0, runner_pid=7, runner_start=1))
    assert ledger.runs.record_of("kbSync").last_tried.requested_at == 40.0


def test_a_task_that_was_never_asked_for_has_an_empty_record(ledger):
    assert ledger.runs.record_of("kbSync") == TaskRecord()


def test_starts_that_failed_before_their_command_ran_are_counted_and_end_the_wait(ledger, make_run):
    ledger.runs.insert(make_run(at=10.0, outcome=Outcome.COMPLETED, started_at=10.0, ended_at=12.0, last_at=12.0))
    ledger.runs.record_prevented(make_run(at=20.0, outcome=Outcome.DEFERRED))
    for at in (30.0, 40.0):
        ledger.runs.insert(make_run(at=at, outcome=Outcome.FAILED, ended_at=at + 1, last_at=at + 1))
    record = ledger.runs.record_of("kbSync")
    assert (record.last_started.requested_at, record.last_tried.requested_at, record.failures) == (10.0, 40.0, 2)
    assert (record.streak, record.waiting_since) == (0, None)
    ledger.runs.insert(make_run(at=50.0, started_at=51.0))
    again = ledger.runs.record_of("kbSync")
    assert (again.last_started.requested_at, again.last_tried, again.failures) == (50.0, None, 2)


@pytest.mark.parametrize(
    ("last", "failures"),
    [
        (Outcome.COMPLETED, 0),
        (Outcome.SKIPPED, 0),
        (Outcome.CANCELLED, 0),
        (Outcome.DEFERRED, 2),
        (Outcome.FAILED, 3),
        (Outcome.TIMED_OUT, 3),
        (Outcome.LOST, 3),
    ],
)
def test_failures_are_counted_back_to_what_went_well_or_was_meant(ledger, make_run, last, failures):
    for number, outcome in enumerate((Outcome.COMPLETED, Outcome.FAILED, Outcome.LOST, last)):
        at = 10.0 * number
        ledger.runs.insert(make_run(at=at, outcome=outcome, started_at=at, ended_at=at + 5, last_at=at + 5))
    assert ledger.runs.record_of("kbSync").failures == failures


def test_a_later_start_that_failed_before_its_command_ran_is_how_the_task_ended_last(ledger, make_run):
    ledger.runs.insert(
        make_run(
            at=10.0, outcome=Outcome.CANCELLED, started_at=10.0, ended_at=12.0, last_at=12.0, reason_code="operator"
        )
    )
    ledger.runs.insert(
        make_run(at=20.0, outcome=Outcome.FAILED, ended_at=21.0, last_at=21.0, reason_code="configuration")
    )
    ledger.runs.record_prevented(make_run(at=30.0, outcome=Outcome.DEFERRED))
    record = ledger.runs.record_of("kbSync")
    assert (record.last.reason_code, record.failures, record.tries) == ("configuration", 1, 1)
    ledger.runs.insert(make_run(at=40.0, outcome=Outcome.COMPLETED, started_at=40.0, ended_at=42.0, last_at=42.0))
    assert ledger.runs.record_of("kbSync").last.outcome is Outcome.COMPLETED


def test_failures_are_counted_up_to_a_bound(ledger, make_run):
    for number in range(40):
        ledger.runs.insert(make_run(at=float(number), outcome=Outcome.FAILED, started_at=float(number)))
    assert ledger.runs.record_of("kbSync").failures == 32


def test_a_scheduled_deferral_repeats_its_own_row_though_others_lie_between(ledger, make_run):
    def deferred(at: float, blocker: str) -> Run:
        return make_run(at=at, outcome=Outcome.DEFERRED, blocker=blocker, trigger=Trigger.SCHEDULED)

    for at, blocker in enumerate(("a", "b", "a", "b", "a")):
        ledger.runs.record_prevented(deferred(at + 1.0, blocker))
    assert {run.blocker: run.count for run in ledger.runs.history()} == {"a": 3, "b": 2}
    ledger.runs.insert(make_run(at=10.0, outcome=Outcome.FAILED, ended_at=11.0, last_at=11.0))
    ledger.runs.record_prevented(deferred(20.0, "a"))
    assert [(run.blocker, run.count) for run in ledger.runs.history(outcome=Outcome.DEFERRED, limit=1)] == [("a", 1)]


def test_history_is_newest_first_and_filtered(ledger, make_run):
    for number in range(6):
        task, outcome = ("kbSync", "dream")[number % 2], (Outcome.COMPLETED, Outcome.FAILED, Outcome.LOST)[number % 3]
        ledger.runs.insert(make_run(task, at=float(number), outcome=outcome))
    times = lambda **wanted: [run.last_at for run in ledger.runs.history(**wanted)]  # noqa: E731
    assert times() == [5, 4, 3, 2, 1, 0]
    assert times(limit=2) == [5, 4]
    assert times(task="dream") == [5, 3, 1]
    assert times(outcome=Outcome.LOST) == [5, 2]
    assert times(since=3.0) == [5, 4, 3]
    assert times(task="kbSync", outcome=Outcome.COMPLETED, since=0.0, limit=5) == [0]


def test_a_run_is_found_by_the_beginning_of_its_id_and_nothing_in_it_is_a_pattern(ledger, make_run):
    for run_id in ("abc1", "abc2", "abd", "a%c"):
        ledger.runs.insert(make_run(run_id=run_id))
    found = lambda prefix: [run.run_id for run in ledger.runs.find(prefix)]  # noqa: E731
    assert found("abc") == ["abc1", "abc2"]
    assert found("abd") == ["abd"]
    assert found("a%") == ["a%c"]
    assert found("_b") == found("x") == []


def test_the_tasks_that_have_rows_are_known_and_every_other_record_is_empty(ledger, make_run):
    assert ledger.runs.recorded() == set()
    for number, task in enumerate(["b", "a", "b", "zz"]):
        ledger.runs.insert(make_run(run_id=f"{number}", task=task))
    assert ledger.runs.recorded() == {"a", "b", "zz"}
    assert ledger.runs.record_of("aa") == TaskRecord()
