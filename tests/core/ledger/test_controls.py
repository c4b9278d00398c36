"""Operators' commands as rows: in force until ended, acknowledged once; the lease's history beside them."""

from __future__ import annotations

import pytest

from neo_core.ledger.models import ControlKind, LeaseEvent
from neo_core.ledger.store import Ledger

SNOOZE, PAUSE, STOP = ControlKind.SNOOZE, ControlKind.PAUSE, ControlKind.STOP


def test_a_command_survives_another_connection(ledger, path):
    made = ledger.controls.add(
        SNOOZE, "dream", at=10.0, until=20.0, because="grün'; --", force=True, requested_by="ann"
    )
    with Ledger(path, writable=False) as other:
        assert other.controls.in_force(SNOOZE, 15.0) == [made]
    assert (made.kind, made.target, made.until, made.because, made.force) == (SNOOZE, "dream", 20.0, "grün'; --", True)


@pytest.mark.parametrize(("now", "in_force"), [(10.0, True), (19.9, True), (20.0, False), (99.0, False)])
def test_a_command_is_in_force_until_its_time(ledger, now, in_force):
    ledger.controls.add(SNOOZE, "dream", at=10.0, until=20.0)
    assert bool(ledger.controls.in_force(SNOOZE, now)) is in_force


def test_a_command_without_an_end_is_in_force_until_it_is_ended(ledger):
    ledger.controls.add(PAUSE, "", at=10.0)
    assert ledger.controls.in_force(PAUSE, 1e12)
    assert ledger.controls.end(PAUSE, "", 20.0) == 1
    assert ledger.controls.in_force(PAUSE, 20.0) == []
    assert ledger.controls.end(PAUSE, "", 21.0) == 0


def test_ending_ends_only_the_same_kind_and_target(ledger):
    ledger.controls.add(SNOOZE, "dream", at=1.0)
    ledger.controls.add(SNOOZE, "backup", at=1.0)
    ledger.controls.add(PAUSE, "", at=1.0)
    assert ledger.controls.end(SNOOZE, "dream", 2.0) == 1
    assert [one.target for one in ledger.controls.in_force(SNOOZE, 3.0)] == ["backup"]
    assert ledger.controls.in_force(PAUSE, 3.0)


def test_what_ran_out_is_not_ended_again(ledger):
    ledger.controls.add(SNOOZE, "dream", at=1.0, until=5.0)
    assert ledger.controls.end(SNOOZE, "dream", 6.0) == 0


def test_stops_wait_for_their_runner_in_order(ledger):
    soft = ledger.controls.add(STOP, "run1", at=1.0)
    force = ledger.controls.add(STOP, "run1", at=2.0, force=True)
    ledger.controls.add(STOP, "run2", at=3.0)
    assert ledger.controls.pending_stops("run1") == [soft, force]
    ledger.controls.acknowledge(soft.control_id, 4.0)
    assert ledger.controls.pending_stops("run1") == [force]


def test_an_acknowledgement_keeps_its_first_time(ledger):
    made = ledger.controls.add(STOP, "run1", at=1.0)
    ledger.controls.acknowledge(made.control_id, 4.0)
    ledger.controls.acknowledge(made.control_id, 9.0)
    assert ledger.database.query("SELECT acknowledged_at FROM controls") == [{"acknowledged_at": 4.0}]


def test_the_history_of_the_lease_is_newest_first(ledger):
    events = [
        LeaseEvent(at=float(n), event=word, owner="o", token_prefix="12345678", generation=n, run_id="r", pid=n)
        for n, word in enumerate(("acquired", "released", "inherited"))
    ]
    for event in events:
        ledger.lease_events.add(event)
    assert ledger.lease_events.history() == events[::-1]
    assert ledger.lease_events.history(limit=1) == [events[2]]
