"""Whatever is moved, replaced or removed while the lease is taken or held: nobody gets it beside who works."""

import fcntl
import os
import shutil
import sys

import pytest

from neo_core.lease.store import LeaseStore

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="locks of lost files are read from /proc")


@pytest.fixture
def hold_file(lease_path):
    return lease_path.with_name(f"{lease_path.name}.hold")


@pytest.fixture
def move_away(lease_path):
    """Move the lease's folder away, once and again, and let a new one have its place."""

    def move(name="moved"):
        there = lease_path.parent.rename(lease_path.parent.with_name(name))
        lease_path.parent.mkdir()
        return there

    return move


@pytest.fixture
def before(monkeypatch):
    """Let something happen just before the first call of one function."""

    def arrange(module, name, action):
        real = getattr(module, name)

        def called(*arguments, **options):
            monkeypatch.setattr(module, name, real)
            action()
            return real(*arguments, **options)

        monkeypatch.setattr(module, name, called)

    return arrange


@pytest.fixture
def working(participant):
    """A holder, and its child that has the lock file too."""
    holder = participant()
    holder.ask("acquire")
    participant.doomed.append(holder.ask("child", descriptor=True)["pid"])
    return {holder.pid, *participant.doomed}


def carriers(attempt):
    assert attempt.hold is None
    return {one.pid for one in attempt.before.scan.carriers}


def test_who_has_a_lock_file_that_was_removed_before_its_folder_was_moved_is_seen(working, store, hold_file, move_away):
    hold_file.unlink()
    move_away()

    assert carriers(store.acquire("second", "test")) == working


def test_who_has_a_lock_file_that_was_removed_after_its_folder_was_moved_is_seen(working, store, move_away):
    shutil.rmtree(move_away())

    assert carriers(store.acquire("second", "test")) == working
    assert {one.pid for one in store.inspect().scan.carriers} == working


def test_who_has_a_lock_file_that_was_renamed_beside_the_lease_is_seen(working, store, hold_file, lease_path):
    hold_file.rename(f"{hold_file}.bak")
    lease_path.unlink()

    assert carriers(store.acquire("second", "test")) == working


def test_a_folder_that_came_from_elsewhere_proves_nothing_here(working, store, lease_path, move_away):
    other = lease_path.parent.with_name("other")
    other.mkdir()
    LeaseStore(other / lease_path.name).acquire("another lease", "test").hold.release()
    move_away().joinpath(lease_path.name).unlink()
    lease_path.parent.rmdir()
    other.rename(lease_path.parent)

    assert carriers(store.acquire("second", "test")) == working


def test_a_folder_that_was_moved_back_proves_nothing_once_its_holder_has_looked(
    store, participant, lease_path, move_away
):
    store.acquire("before", "test").hold.release()
    old, holder = move_away(), participant()
    holder.ask("acquire")
    participant.doomed.append(holder.ask("child", descriptor=True)["pid"])
    shutil.rmtree(lease_path.parent)
    old.rename(lease_path.parent)

    assert holder.ask("renew")["status"] == "retaken"
    assert store.acquire("second", "test").detail == "its holder is alive"
    holder.kill()
    lease_path.unlink()
    assert carriers(store.acquire("second", "test")) == set(participant.doomed)


def test_a_lock_on_a_file_that_was_moved_before_it_was_locked_is_none(
    store, participant, lease_path, move_away, before
):
    store.acquire("before", "test").hold.release()
    other = participant()

    def replace():
        move_away()
        assert other.ask("acquire")["status"] == "acquired"
        lease_path.unlink()

    before(fcntl, "flock", replace)

    refused = store.acquire("second", "test")
    assert refused.hold is None
    assert refused.detail.startswith("another process is just taking or leaving it")
    assert other.ask("renew")["status"] == "retaken"


def test_who_looked_before_its_folder_was_moved_gives_way(store, participant, lease_path, names, move_away, before):
    other = participant()

    def replace():
        move_away()
        assert other.ask("acquire")["status"] == "acquired"
        lease_path.unlink()

    before(os, "ftruncate", replace)  # the look for others is over, and nothing says yet whose the lock file is

    refused = store.acquire("second", "test")
    assert refused.hold is None
    assert refused.detail.startswith("another process is just taking or leaving it")
    assert names() == []
    assert other.ask("renew")["status"] == "retaken"
    assert other.ask("release")["status"] == "released"
    assert store.acquire("second", "test").hold is not None


def test_a_process_does_not_take_a_lease_again_whose_records_it_lost(store, lease_path, move_away):
    held = store.acquire("first", "test").hold
    shutil.rmtree(lease_path.parent)
    lease_path.parent.mkdir()

    assert carriers(store.acquire("second", "test")) == {os.getpid()}
    assert held.renew() == "retaken"
    held.release()
    again = store.acquire("second", "test")
    assert again.hold is not None
    move_away()
    assert carriers(store.acquire("third", "test")) == {os.getpid()}
