"""A task waits only while somebody tries again by himself: a polling orchestrator, or a living ``run --wait``."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from neo_core.awaiting import WaitsFor, drop_dead_waiters, living_waiters
from neo_core.durations import Window
from neo_core.ledger.models import Outcome, Run, Trigger, Waiter
from neo_core.ledger.records import TaskRecord
from neo_core.ledger.store import Ledger
from neo_core.observe import task_view
from neo_core.processes.source import identity_of, system_source
from neo_core.profiles import Task
from neo_core.schedule.due import Past
from neo_core.schedule.gates import Facts, LeaseFacts, decide
from neo_core.snapshot import TaskState

NOW = 1_800_000_000.0
HELD = LeaseFacts(takeable=False, status="active", owner="backup", pid=42, sentence="lease held by backup (pid 42)")
FREE = LeaseFacts(takeable=True)
PUT_OFF = Run(
    run_id="r", task="kbSync", heavy=True, trigger=Trigger.MANUAL, requested_at=NOW - 9000, last_at=NOW - 180,
    outcome=Outcome.DEFERRED, reason_code="heavy-maintenance-lease-held", blocker="backup", count=7,
)  # fmt: skip
BY_HAND = TaskRecord(last=PUT_OFF, last_deferred=PUT_OFF)
SCHEDULED = TaskRecord(last=PUT_OFF, last_deferred=PUT_OFF, streak=3, waiting_since=NOW - 9000)
DUE, LATER = Past(last_started_at=NOW - 700), Past(last_started_at=NOW - 5)


def waiter(**changes) -> Waiter:
    return Waiter(**{"waiter_id": "w", "task": "kbSync", "heavy": True, "since": NOW - 60, "pid": 7, **changes})


def view(record=BY_HAND, past=DUE, lease=HELD, *, task=None, **changes):
    task = task or Task(name="kbSync", heavy=True, every=600, command=("true",))
    decision = decide(task, Facts(now=NOW, trigger=Trigger.MANUAL, lease=lease))
    told = {"snooze": None, "running": None, "starved_after": 3600.0, "scheduling": True, **changes}
    return task_view(task, record, decision, past=past, now=NOW, **told)


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ({}, TaskState.DUE),
        ({"past": LATER}, TaskState.IDLE),
        ({"task": Task(name="kbSync", heavy=True, every=0, command=("true",))}, TaskState.DISABLED),
        ({"record": SCHEDULED}, TaskState.WAITING),
        ({"record": SCHEDULED, "scheduling": False}, TaskState.DUE),
        ({"record": SCHEDULED, "past": LATER}, TaskState.IDLE),
        ({"record": SCHEDULED, "lease": FREE}, TaskState.DUE),
    ],
)
def test_a_deferred_start_waits_only_where_it_is_tried_again(given, state):
    told = view(**given)
    waiting = state is TaskState.WAITING
    assert (told.state, told.retried, told.starved) == (state, waiting, waiting)
    assert told.waiting_since == (NOW - 9000 if waiting else None)
    assert told.deferral == PUT_OFF


def test_a_task_outside_its_window_is_not_tried_and_does_not_wait():
    minute = 60 * time.localtime(NOW).tm_hour
    later = Window((minute + 120) % 1440, (minute + 180) % 1440)
    shut = Task(name="kbSync", heavy=True, every=600, command=("true",), window=later)
    assert view(SCHEDULED, task=shut).state is TaskState.DUE


def test_who_waits_by_hand_makes_it_wait_also_where_it_is_not_due_and_starves_after_the_same_time():
    told = view(past=LATER, scheduling=False, waiters=(waiter(start_time=1),))
    assert (told.state, told.waiting_since, told.starved, told.retried) == (TaskState.WAITING, NOW - 60, False, False)
    long = view(past=LATER, scheduling=False, waiters=(waiter(start_time=1, since=NOW - 3601),))
    assert long.starved


def test_the_longest_of_those_who_wait_counts():
    assert view(SCHEDULED, waiters=(waiter(start_time=1),)).waiting_since == NOW - 9000


def test_a_waiter_that_was_killed_waits_no_longer_and_its_row_goes(workspace):
    source = system_source()
    process = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    workspace.state.mkdir(parents=True, exist_ok=True)
    with process, Ledger(workspace.ledger) as ledger:
        told = {"boot_id": source.boot_id(), "pid_namespace": source.pid_namespace()}
        for name, pid in (("dies", process.pid), ("stays", os.getpid())):
            ledger.waiters.add(waiter(waiter_id=name, pid=pid, start_time=identity_of(pid, source).start_time, **told))
        ledger.waiters.add(waiter(waiter_id="reused", pid=os.getpid(), start_time=1, **told))
        assert [one.waiter_id for one in living_waiters(ledger, source)] == ["dies", "stays"]
        process.kill()
        process.wait()
        assert [one.waiter_id for one in living_waiters(ledger, source)] == ["stays"]
        drop_dead_waiters(ledger, source)
        assert [one.waiter_id for one in ledger.waiters.all()] == ["stays"]


def test_who_waits_in_another_container_is_neither_counted_nor_forgotten(workspace):
    source = system_source()
    workspace.state.mkdir(parents=True, exist_ok=True)
    with Ledger(workspace.ledger) as ledger:
        ledger.waiters.add(waiter(start_time=1, boot_id=source.boot_id(), pid_namespace="pid:[1]"))
        drop_dead_waiters(ledger, source)
        assert (living_waiters(ledger, source), len(ledger.waiters.all())) == ([], 1)


def test_one_obstacle_is_told_once_though_its_gate_changes():
    held = WaitsFor("heavy-maintenance-lease-held", "backup", "held for 3s")
    assert held.same_as(WaitsFor("heavy-maintenance-backpressure", "backup", "backup is running"))
    assert not held.same_as(WaitsFor("heavy-maintenance-lease-held", "dream", "held for 3s"))
    assert not held.same_as(WaitsFor("paused", "operator", "every task is paused"))
    assert not held.same_as(None)
