"""The rows of starts that somebody goes on trying by hand: until when they were tried, and what they repeat."""

from __future__ import annotations

from neo_core.ledger.models import Outcome

PATIENT = {"outcome": Outcome.DEFERRED, "decision": '{"patient": true}'}


def test_what_is_still_tried_says_until_when_and_repeats_only_what_was_tried_until_just_now(ledger, make_run):
    impatient, first = make_run(at=90.0, outcome=Outcome.DEFERRED), make_run(at=100.0, **PATIENT)
    for run in (impatient, first):
        ledger.runs.record_prevented(run)
    ledger.runs.still_tried(first.run_id, 160.0)
    ledger.runs.still_tried(first.run_id, 150.0)
    assert ledger.runs.record_prevented(make_run(at=165.0, **PATIENT)).run_id == first.run_id
    later = make_run(at=180.0, **PATIENT)
    assert ledger.runs.record_prevented(later) == later
    told = [(run.patient, run.count, run.requested_at, run.last_at, run.ended_at) for run in ledger.runs.history()]
    assert told == [
        (True, 1, 180.0, 180.0, later.ended_at),
        (True, 2, 100.0, 165.0, 165.0),
        (False, 1, 90.0, 90.0, impatient.ended_at),
    ]


def test_what_runs_already_is_waited_for_too(ledger, make_run):
    skipped = make_run(at=100.0, outcome=Outcome.SKIPPED, decision='{"patient": true}')
    ledger.runs.record_prevented(skipped)
    ledger.runs.still_tried(skipped.run_id, 130.0)
    assert [run.last_at for run in ledger.runs.history()] == [130.0]


def test_what_has_started_is_no_longer_tried(ledger, make_run):
    ran = make_run(at=100.0, started_at=101.0, last_at=101.0)
    ledger.runs.insert(ran)
    ledger.runs.still_tried(ran.run_id, 160.0)
    assert ledger.runs.history()[0].last_at == 101.0
