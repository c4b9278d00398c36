"""The waiting itself, over a real engine whose clock does not let it wait: when it looks, whom it lets pass."""

from __future__ import annotations

import os
import time

import pytest

from neo_core.clock import SystemClock
from neo_core.engine import Engine
from neo_core.lease.store import LeaseStore
from neo_core.ledger.models import Outcome, Waiter
from neo_core.ledger.store import Ledger
from neo_core.processes.source import identity_of, system_source

TASKS = '[tasks.mine]\ncommand = ["true"]\n[tasks.older]\ncommand = ["true"]\n'
LOOK = 0.5


class QuickClock(SystemClock):
    """Counts the looks, does something at the first, and waits a hundredth of a second for each."""

    def __init__(self, first) -> None:
        self.looks = 0
        self.ahead = 0.0
        self._first = first

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead

    def sleep(self, seconds: float) -> None:
        if seconds == LOOK:
            self.looks += 1
            self.ahead += LOOK
            if self.looks == 1:
                self._first()
        time.sleep(0.01)


@pytest.fixture
def hold(root, workspace):
    (root / "neo-console.toml").write_text(TASKS)
    workspace.state.mkdir(parents=True, exist_ok=True)
    hold = LeaseStore(workspace.lease).acquire("sandman", "manual-cli").hold
    yield hold
    hold.release()


@pytest.fixture
def older_waiter(workspace, hold) -> None:
    """Let this very process be one that waits since long."""
    source = system_source()
    myself = identity_of(os.getpid(), source)
    told = {"boot_id": myself.boot_id, "pid_namespace": source.pid_namespace(), "start_time": myself.start_time}
    with Ledger(workspace.ledger) as ledger:
        ledger.waiters.add(Waiter(waiter_id="older", task="older", heavy=True, since=1.0, pid=myself.pid, **told))


def waited(workspace, hold) -> int:
    """Wait for the lease, which is let go at the first look, run the task, and return how many looks that took."""
    clock = QuickClock(hold.release)
    engine = Engine(workspace, clock=clock)
    attempt = engine.start_when_open("mine", lambda held: None, seconds=None)
    assert attempt.started
    assert engine.wait(attempt.run_id).outcome is Outcome.COMPLETED
    return clock.looks


def test_it_starts_at_the_first_look_that_finds_the_lease_free(workspace, hold):
    assert waited(workspace, hold) == 1


@pytest.mark.usefixtures("older_waiter")
def test_who_waits_longer_may_go_first_but_not_for_ever(workspace, hold):
    assert waited(workspace, hold) == 5


@pytest.mark.usefixtures("older_waiter")
def test_who_waits_longer_but_may_not_start_holds_up_nobody(workspace, hold):
    Engine(workspace).defer("older", 3600, "later")
    assert waited(workspace, hold) == 1


def test_it_looks_twice_a_second_until_its_time_is_over_and_writes_no_row_per_look(workspace, hold):
    told = []
    clock = QuickClock(lambda: None)
    engine = Engine(workspace, clock=clock)
    attempt = engine.start_when_open("mine", told.append, seconds=10.0)
    assert not attempt.started
    assert 15 <= clock.looks <= 20
    assert [(one.reason_code, one.blocker) for one in told] == [("heavy-maintenance-lease-held", "sandman")]
    assert [(row.outcome, row.count) for row in engine.history()] == [(Outcome.DEFERRED, 2)]


def test_the_row_of_what_is_held_back_says_until_when_it_was_tried(workspace, hold):
    refused = Engine(workspace).trigger("mine").run
    told, at = [], []

    def look():
        at.append(clock.now())

    clock = QuickClock(look)
    engine = Engine(workspace, clock=clock)
    engine.start_when_open("mine", told.append, seconds=6.0)
    waited, impatient = engine.history()
    assert (impatient.run_id, impatient.last_at, impatient.patient) == (refused.run_id, refused.last_at, False)
    assert (waited.patient, waited.count) == (True, 2)
    assert waited.requested_at <= at[0] < waited.last_at == waited.ended_at


def test_what_waits_is_known_while_it_waits(workspace, hold):
    seen = []

    class LateClock(QuickClock):
        def sleep(self, seconds):
            super().sleep(seconds)
            if self.looks == 12 and not seen:
                seen.extend(engine.history())
                hold.release()

    clock = LateClock(lambda: None)
    engine = Engine(workspace, clock=clock)
    attempt = engine.start_when_open("mine", lambda held: None, seconds=None)
    (held,) = seen
    assert held.requested_at < held.last_at
    run = engine.wait(attempt.run_id)
    assert held.last_at < run.requested_at
    assert [row.last_at <= run.requested_at for row in engine.history() if row.run_id == held.run_id] == [True]


@pytest.mark.usefixtures("older_waiter")
def test_what_may_start_at_once_waits_for_nobody(workspace, hold):
    hold.release()
    clock = QuickClock(lambda: None)
    engine = Engine(workspace, clock=clock)
    attempt = engine.start_when_open("mine", lambda held: None, seconds=0.0)
    engine.wait(attempt.run_id)
    assert (attempt.started, clock.looks) == (True, 0)
