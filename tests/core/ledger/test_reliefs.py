"""Reliefs in the ledger: an older one learns the table and keeps its rows, and a damaged row says so."""

from __future__ import annotations

import sqlite3

import pytest

from neo_core.errors import LedgerError
from neo_core.ledger.reliefs import Relief, ReliefKind, ReliefResult
from neo_core.ledger.schema import APPLICATION_ID, MIGRATIONS
from neo_core.ledger.store import Ledger


def relief(target="x", **changes):
    return Relief(kind=ReliefKind.UNLOAD, target=target, asked_at=5.0, members=((1, 2), (3, 4)), **changes)


def test_the_ledger_before_reliefs_is_migrated_and_keeps_its_rows(path):
    connection = sqlite3.connect(path)
    for migration in MIGRATIONS[:3]:
        connection.executescript(migration)
    connection.execute("INSERT INTO task_marks VALUES ('dream', 1.0)")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 3")
    connection.commit()
    connection.close()

    with Ledger(path) as ledger:
        assert ledger.task_marks.first_seen() == {"dream": 1.0}
        assert ledger.reliefs.begin(relief()) == ledger.reliefs.history()[0]


def test_what_is_begun_is_whole_and_open_until_it_is_settled(ledger):
    begun = ledger.reliefs.begin(relief(tree_before=9, expected=7, basis="b"))
    assert ledger.reliefs.open() == [begun]
    ledger.reliefs.done(begun.relief_id, at=6.0, result=ReliefResult.DONE, sentence="well")

    assert ledger.reliefs.settle(begun.relief_id, at=7.0, tree=2, available=None)
    assert not ledger.reliefs.settle(begun.relief_id, at=8.0, tree=3, available=None)
    told = ledger.reliefs.one(begun.relief_id)
    assert (told.result, told.sentence, told.freed, told.gained, told.settled_at) == ("done", "well", 7, None, 7.0)
    assert ledger.reliefs.open() == []
    assert ledger.reliefs.freed_by(ReliefKind.UNLOAD, "x") == [7]


def test_only_what_was_done_and_measured_is_learned_from(ledger):
    for result, tree in ((ReliefResult.FAILED, 1), (ReliefResult.DONE, None)):
        begun = ledger.reliefs.begin(relief(tree_before=9))
        ledger.reliefs.done(begun.relief_id, at=6.0, result=result, sentence="")
        ledger.reliefs.settle(begun.relief_id, at=7.0, tree=tree, available=1)

    assert ledger.reliefs.freed_by(ReliefKind.UNLOAD, "x") == []


def test_one_that_nobody_finished_is_settled_as_not_known(ledger):
    begun = ledger.reliefs.begin(relief())
    ledger.reliefs.settle(begun.relief_id, at=7.0, tree=None, available=None)

    told = ledger.reliefs.one(begun.relief_id)
    assert told.result is ReliefResult.UNKNOWN
    assert told.sentence == begun.abandoned().sentence


@pytest.mark.parametrize("damage", ["members = '[['", "kind = 'pray'", "members = '[[\"a\", 1]]'"])
def test_a_damaged_row_is_said(ledger, damage):
    ledger.reliefs.begin(relief())
    ledger.database.execute(f"UPDATE reliefs SET {damage}")

    with pytest.raises(LedgerError, match="a row is no Relief"):
        ledger.reliefs.history()
