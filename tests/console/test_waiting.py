"""The words for who waits, for a start that was put off, and for a log in which nothing stands yet."""

from __future__ import annotations

import msgspec
import pytest

from neo_console.cli.output import decision_text
from neo_console.format import moment
from neo_console.panels.sentences import silence
from neo_console.picture import Picture
from neo_console.rows.schedule import next_cell
from neo_console.subjects import task_subject
from neo_console.vocabulary import gate_term
from neo_console.waiting import last_deferral, state_term, wait_text, who_waits
from neo_core.ledger.models import Control, ControlKind, Outcome, Run, Trigger, Waiter
from neo_core.profiles import Task
from neo_core.schedule.gates import Facts, LeaseFacts, decide
from neo_core.snapshot import TaskState
from screenshots.fixtures import snapshot
from screenshots.parts import NOW, blocked_by_lease, run, task
from tests.console.test_actions import a_context

PUT_OFF = Run(
    run_id="r", task="a", heavy=True, trigger=Trigger.MANUAL, requested_at=NOW - 200, last_at=NOW - 180,
    outcome=Outcome.DEFERRED, reason_code="heavy-maintenance-lease-held", blocker="backup",
)  # fmt: skip
WAITER = Waiter(waiter_id="w", task="a", heavy=True, since=NOW - 72, pid=4712, start_time=1)


def test_a_start_that_was_put_off_is_told_where_nobody_tries_it_again():
    idle = task("a", TaskState.DISABLED, deferral=PUT_OFF)
    assert last_deferral(idle, NOW) == "last start deferred 3m00s ago by backup"
    assert next_cell(idle, Picture(), NOW).full == "only by hand · last start deferred 3m00s ago by backup"
    assert wait_text(idle, NOW) == "Last start deferred 3m00s ago by backup; that start is not tried again."
    nameless = msgspec.structs.replace(PUT_OFF, blocker="", reason_code="memory-pressure")
    told = last_deferral(task("a", TaskState.DUE, deferral=nameless), NOW)
    assert told == "last start deferred 3m00s ago: the memory is under pressure"


@pytest.mark.parametrize("state", [TaskState.WAITING, TaskState.RUNNING])
def test_what_goes_on_needs_no_word_of_what_was(state):
    assert last_deferral(task("a", state, deferral=PUT_OFF), NOW) == ""


def test_what_is_deferred_with_everything_heavy_says_so_and_until_when():
    hour = Control(
        control_id=9, kind=ControlKind.DEFER_HEAVY, target="", created_at=NOW, until=NOW + 3600, because="it swaps"
    )  # fmt: skip
    facts = Facts(now=NOW, trigger=Trigger.MANUAL, lease=LeaseFacts(takeable=True), pause=hour)
    one = Task(name="a", heavy=True, every=0, command=("true",))
    held = task("a", TaskState.PAUSED, decision=decide(one, facts))
    picture, seen = Picture(), snapshot()
    schedule = msgspec.structs.replace(seen.schedule.value, heavy_deferral=hour)
    picture.take(msgspec.structs.replace(seen, schedule=msgspec.structs.replace(seen.schedule, value=schedule)))
    cell, until = next_cell(held, picture, NOW), moment(NOW + 3600, NOW)
    assert (state_term(held).word, cell.text) == ("heavy deferred", f"deferred until {until}")
    assert cell.full == f"heavy deferred: everything heavy is deferred until {until} (it swaps)"
    paused = task("a", TaskState.PAUSED)
    assert (state_term(paused).word, next_cell(paused, picture, NOW).text) == ("paused", "paused")


def test_who_waits_is_named_with_its_pid():
    waiting = task("a", TaskState.WAITING, blocked_by_lease(), waiting_since=NOW - 72, waiters=(WAITER,))
    assert who_waits(waiting, NOW) == "run --wait, pid 4712"
    assert next_cell(waiting, Picture(), NOW).full.endswith("its holder is alive · run --wait, pid 4712")
    both = msgspec.structs.replace(waiting, retried=True)
    assert wait_text(both, NOW) == "Waiting for 1m12s, tried again by: the orchestrator, run --wait, pid 4712."
    assert (who_waits(task("a", TaskState.DUE), NOW), wait_text(task("a", TaskState.DUE), NOW)) == ("", "")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"outcome": None, "started_at": NOW - 12}, "No output yet (running for 12s)."),
        ({"outcome": None, "started_at": None}, "No output yet."),
        ({"outcome": Outcome.COMPLETED, "started_at": NOW - 12}, "It wrote nothing (completed)."),
    ],
)
def test_an_empty_log_says_whether_something_may_still_come(changes, said):
    assert silence(msgspec.structs.replace(PUT_OFF, **changes), NOW) == said
    assert silence(None, NOW) == "No output yet."


def test_the_log_of_a_run_that_was_just_started_from_here_is_known_before_a_picture_has_it():
    picture = Picture()
    picture.take(snapshot())
    picture.begin("primary-dev-sync", "feed")
    context = a_context(task_subject("primary-dev-sync"))
    context = type(context)(picture, context.subject, None, "", context.key)
    assert context.log.name == "feed"
    later = run("feed", "primary-dev-sync", None, at=NOW, started_at=NOW)
    picture.take(snapshot(outcomes=(later,)))
    assert picture.begun("primary-dev-sync") == ""
    assert context.log.name == "feed"


@pytest.mark.parametrize(
    ("kind", "shown"), [(ControlKind.DEFER_HEAVY, "heavy deferral"), (ControlKind.PAUSE, "operator pause")]
)
def test_the_gate_that_an_operator_shut_is_named_for_what_he_did(kind, shown):
    held = Control(control_id=1, kind=kind, target="", created_at=NOW)
    one = Task(name="a", heavy=True, every=0, command=("true",))
    decision = decide(one, Facts(now=NOW, trigger=Trigger.MANUAL, lease=LeaseFacts(takeable=True), pause=held))
    assert gate_term(decision.blocking).word == shown
    assert f"▹ {shown}" in decision_text(decision)
