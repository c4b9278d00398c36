"""Removing what a dead holder left, without taking the lease."""

import pytest

from neo_core.errors import LeaseError
from neo_core.lease.holdfile import HoldFile
from neo_core.lease.store import LeaseStore


@pytest.mark.parametrize("kind", ["ours", "foreign"])
def test_a_dead_holders_record_is_removed(imagined, put, records, names, lease_path, kind):
    put(records[kind]())

    seen = imagined.reclaim()

    assert (seen.status, seen.holder) == ("stale", "dead")
    assert names() == []
    assert HoldFile.take(f"{lease_path}.hold") is not None
    assert imagined.inspect().status == "missing"


def test_an_old_malformed_record_is_removed(imagined, put, names):
    put(b"{", age=60)

    assert imagined.reclaim().status == "malformed"
    assert names() == []


@pytest.mark.parametrize("kind", ["alive", "orphaned", "elsewhere", "busy", "unreadable"])
def test_everything_else_stays(imagined, put, records, machine, lease_path, names, kind):
    if kind == "alive":
        machine.started[4242] = 777
    elif kind == "orphaned":
        machine.started[50] = 1
        machine.keepers[50] = [(1, 2)]
    if kind == "unreadable":
        lease_path.mkdir()
    elif kind == "busy":
        put(b"", age=0)
    else:
        put(records["ours"](**({"host": "h", "bootId": "b"} if kind == "elsewhere" else {})))

    seen = imagined.reclaim()

    assert not seen.takeable
    assert names() == [lease_path.name]


def test_nothing_to_do_takes_no_lock(imagined, lease_path):
    assert imagined.reclaim().status == "missing"
    assert list(lease_path.parent.iterdir()) == []


def test_a_locked_lease_is_left_to_who_has_it(imagined, put, records, lease_path, names):
    put(records["ours"]())
    holder = HoldFile.take(f"{lease_path}.hold")

    imagined.reclaim()

    assert names() == [lease_path.name]
    holder.unlock()


@pytest.mark.parametrize("locked", [True, False])
def test_a_holder_from_another_namespace_is_judged_by_its_lock(imagined, put, records, lease_path, names, locked):
    holder = HoldFile.take(f"{lease_path}.hold")
    put(records["ours"](hold=list(holder.identity), pidNamespace="pid:[2]"))
    if not locked:
        holder.unlock()

    imagined.reclaim()

    assert names() == ([lease_path.name] if locked else [])
    holder.unlock()


def test_on_a_network_file_system_a_lock_proves_nothing(put, records, lease_path, machine, clock, names, monkeypatch):
    monkeypatch.setattr("neo_core.lease.store.network_filesystem", lambda folder: "nfs")
    holder = HoldFile.take(f"{lease_path}.hold")
    put(records["ours"](hold=list(holder.identity), host="h", bootId="b"))
    holder.unlock()

    assert LeaseStore(lease_path, source=machine, clock=clock).reclaim().holder == "unknown"
    assert names() == [lease_path.name]


def test_the_next_acquisition_is_watched(imagined, put, records, clock):
    put(records["ours"]())
    imagined.reclaim()

    imagined.acquire("x", "y")

    assert clock.slept


def test_it_does_not_count_as_an_acquisition(imagined, put, records):
    put(records["ours"]())
    imagined.reclaim()

    assert imagined.acquire("x", "y").hold.generation == 1


def test_a_record_that_changes_meanwhile_is_put_back(imagined, put, records, machine, lease_path, syscalls, names):
    put(records["ours"]())
    machine.started[50] = 1

    def take_over():
        lease_path.unlink()
        put(records["foreign"](50))

    with syscalls.Before(lease_path.parent, 10_000, lambda: None) as calls:
        imagined.reclaim()
    for at in range(calls.count):
        put(records["ours"]())
        with syscalls.Before(lease_path.parent, at, lambda: lease_path.exists() and take_over()):
            imagined.reclaim()
        if lease_path.exists():
            assert imagined.inspect().lease.pid == 50
        assert names() in ([], [lease_path.name])


def test_a_folder_that_cannot_be_changed_is_said(imagined, put, records, lease_path, syscalls):
    put(records["ours"]())
    with syscalls.Before(lease_path.parent, 10_000, lambda: None, looks=False) as calls:
        imagined.reclaim()

    failures = 0
    for at in range(calls.count):
        put(records["ours"]())
        try:
            with syscalls.Before(lease_path.parent, at, syscalls.disk_full, looks=False):
                imagined.reclaim()
        except LeaseError:
            failures += 1
        lease_path.unlink(missing_ok=True)
        assert imagined.acquire("x", "y").hold.release() == "released"
    assert failures > 3
