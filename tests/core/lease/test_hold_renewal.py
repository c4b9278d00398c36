"""While a script holds the lease: renewed in time, after a sleep too, and a collision is said."""

import json
import os
import shutil
import threading

from neo_core.lease import hold as hold_module
from neo_core.lease.store import LeaseStore


def test_it_is_renewed_as_often_as_asked(hold, place, until):
    with hold(renew_every=0.01):
        store = LeaseStore(place.lease)
        until(lambda: store.inspect().lease.renewed_at)
        first = store.inspect().lease.renewed_at
        until(lambda: store.inspect().lease.renewed_at > first)


def test_an_object_that_is_used_again_is_renewed_again(hold, place, until):
    same = hold(renew_every=0.01)
    for _ in range(2):
        with same:
            until(lambda: LeaseStore(place.lease).inspect().lease.renewed_at)


def test_it_is_renewed_at_once_after_a_sleep(hold, place, until, clock, monkeypatch):
    monkeypatch.setattr(hold_module, "_LOOK_EVERY", 0.005)
    with hold(clock=clock, ttl=600):
        store = LeaseStore(place.lease)
        deadline = store.inspect().lease.expires_at
        clock.wall += 3600
        until(lambda: store.inspect().lease.expires_at > deadline + 3599)


def test_a_lease_whose_records_were_removed_is_taken_again(hold, place, until, monkeypatch, capfd):
    monkeypatch.setattr(hold_module, "_LOOK_EVERY", 0.005)
    with hold() as held:
        while place.lease.parent.exists():
            shutil.rmtree(place.lease.parent, ignore_errors=True)
        store = LeaseStore(place.lease)
        until(lambda: store.inspect().lease)
        again = store.inspect().lease
        assert (again.token, again.holder.generation > held.generation) == (held.lease.token, True)
        assert store.acquire("second", "test").hold is None
    assert not place.lease.exists()
    assert "the lease record was removed; it was taken again" in capfd.readouterr().err
    taken = store.acquire("second", "test")
    assert taken.hold.generation > again.holder.generation
    taken.hold.release()


def test_a_collision_is_said_once_and_the_strangers_record_left(hold, place, until, capfd, records):
    with hold(renew_every=0.01):
        stranger = json.dumps(records["foreign"](os.getpid(), expiresAt="2999-01-01T00:00:00Z"))
        place.lease.with_name("other").write_text(stranger)
        place.lease.with_name("other").rename(place.lease)
        said = ""

        def collided():
            nonlocal said
            said += capfd.readouterr().err
            return "COLLISION: the lease record is no longer ours (not-owner)" in said

        until(collided)
        until(lambda: not any(one.name == "lease-renewal" for one in threading.enumerate()))
    assert place.lease.read_text() == stranger
    assert (said + capfd.readouterr().err).count("COLLISION") == 1


def test_a_failed_renewal_is_said_and_tried_again(hold, place, until, clock, monkeypatch, capfd):
    monkeypatch.setattr(hold_module, "_LOOK_EVERY", 0.005)
    with hold(clock=clock) as held:
        with LeaseStore(place.lease).guarded():  # nobody takes the lease again between the two
            place.lease.rename(place.lease.with_name("kept"))
            place.lease.mkdir()
        clock.wall += 60
        said = ""

        def failed():
            nonlocal said
            said += capfd.readouterr().err
            return "could not be renewed, trying again" in said

        until(failed)
        place.lease.rmdir()
        place.lease.with_name("kept").rename(place.lease)
        clock.wall += 60
        until(lambda: LeaseStore(place.lease).inspect().lease.renewed_at)
        assert LeaseStore(place.lease).inspect().lease.token == held.lease.token
