"""After a recovery the record is watched for a moment: an unguarded script may have judged the old one too."""

import errno
import os

import pytest

from neo_core.errors import LeaseError


def test_after_a_recovery_the_record_is_watched(imagined, put, records, clock):
    put(records["ours"]())

    imagined.acquire("x", "y")

    assert 0.04 < sum(clock.slept) < 0.08


def test_for_ten_seconds_after_a_recovery_fresh_ones_are_watched_too(imagined, put, records, clock):
    put(records["ours"]())
    imagined.acquire("x", "y").hold.release()
    clock.slept.clear()

    imagined.acquire("x", "y").hold.release()
    assert clock.slept
    clock.slept.clear()
    clock.wall += 11
    imagined.acquire("x", "y").hold.release()
    assert clock.slept == []


@pytest.mark.parametrize("theirs", [True, False])
def test_a_record_lost_to_an_unguarded_script_is_given_up(imagined, put, records, clock, lease_path, theirs):
    put(records["ours"]())

    def rob():
        lease_path.unlink(missing_ok=True)
        if theirs:
            put(records["foreign"](os.getpid()))

    clock.while_sleeping = rob
    got = imagined.acquire("x", "y")

    assert (got.status, got.detail) == ("held", "a foreign script took it at the same moment")
    assert got.before.status == ("active" if theirs else "missing")
    assert lease_path.exists() == theirs


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES])
def test_a_record_that_cannot_be_looked_at_again_is_an_error_and_no_robbery(
    imagined, put, records, monkeypatch, clock, lease_path, number
):
    put(records["ours"]())

    def fail(path):
        raise OSError(number, os.strerror(number), path)

    monkeypatch.setattr("neo_core.lease.store.read_record", fail)
    with pytest.raises(LeaseError) as caught:
        imagined.acquire("x", "y")
    monkeypatch.undo()

    assert caught.value.thing == f"lease {lease_path}"
    assert caught.value.cause.startswith("cannot be read again after its recovery: ")
    assert os.strerror(number).lower() in caught.value.cause
    assert "Nothing was started" in caught.value.mend
    assert not lease_path.exists()
    assert imagined.acquire("x", "y").status == "acquired"
