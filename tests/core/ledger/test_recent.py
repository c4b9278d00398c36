"""The newest rows of a ledger, read again only where they changed."""

from __future__ import annotations

import pytest

from neo_core.ledger.models import Finished, LeaseRole, Outcome, Trigger
from neo_core.ledger.recent import RecentRuns
from neo_core.processes.source import ProcessIdentity


@pytest.fixture
def asked(monkeypatch):
    """Which rows were read in full, one list per question."""
    from neo_core.ledger.runs import RunTable

    questions, of_ids = [], RunTable.of_ids

    def noted(self, run_ids):
        questions.append(list(run_ids))
        return of_ids(self, run_ids)

    monkeypatch.setattr(RunTable, "of_ids", noted)
    return questions


def ended(make_run, count):
    return [make_run(outcome=Outcome.COMPLETED, started_at=1.0, ended_at=2.0) for _ in range(count)]


def test_it_is_what_the_history_says_after_every_change(ledger, make_run):
    recent = RecentRuns(3)
    live = make_run()
    deferred = {"outcome": Outcome.DEFERRED, "trigger": Trigger.SCHEDULED}
    changes = [
        lambda: None,
        lambda: [ledger.runs.insert(run) for run in ended(make_run, 4)],
        lambda: ledger.runs.insert(live),
        lambda: ledger.runs.claim(live.run_id, ProcessIdentity(7, 8, "boot")),
        lambda: ledger.runs.started(live.run_id, at=1.0, child=None, role=LeaseRole.HOLDER, generation=3),
        lambda: ledger.runs.warn(live.run_id, "odd"),
        lambda: ledger.runs.finish(live.run_id, Finished(at=9000.0, outcome=Outcome.FAILED)),
        lambda: ledger.runs.warn(live.run_id, "odder"),
        lambda: ledger.runs.record_prevented(make_run(at=9001.0, **deferred)),
        lambda: ledger.runs.record_prevented(make_run(at=9002.0, **deferred)),
    ]
    for number, change in enumerate(changes):
        change()
        for _ in range(2):
            assert recent.read(ledger) == ledger.runs.history(limit=3), number


def test_what_did_not_change_is_not_read_again(ledger, make_run, asked):
    recent = RecentRuns(10)
    rows = ended(make_run, 4)
    for run in rows:
        ledger.runs.insert(run)
    first = recent.read(ledger)
    assert recent.read(ledger) is first
    assert len(asked) == 1
    more = make_run(outcome=Outcome.COMPLETED)
    ledger.runs.insert(more)
    second = recent.read(ledger)
    assert asked[1] == [more.run_id]
    assert all(after is before for after, before in zip(second[1:], first, strict=True))


def test_what_is_live_is_read_at_every_look(ledger, make_run, asked):
    recent = RecentRuns(10)
    live = make_run()
    for run in (*ended(make_run, 2), live):
        ledger.runs.insert(run)
    for _ in range(3):
        recent.read(ledger)
    assert asked[1:] == [[live.run_id]] * 2


def test_another_ledger_in_its_place_is_read_anew(ledger, tmp_path, make_run):
    from neo_core.ledger.store import Ledger

    recent = RecentRuns(10)
    ledger.runs.insert(ended(make_run, 1)[0])
    recent.read(ledger)
    with Ledger(tmp_path / "other.sqlite3") as other:
        assert recent.read(other) == []
        for run in ended(make_run, 3):
            other.runs.insert(run)
        assert recent.read(other) == other.runs.history()


def test_more_rows_are_read_than_one_question_may_name(ledger, make_run):
    with ledger.database.transaction():
        for run in ended(make_run, 1203):
            ledger.runs.insert(run)
    assert len(RecentRuns(2000).read(ledger)) == 1203
