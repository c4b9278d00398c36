"""Keeping the lease and giving it up: only what is ours, and only that."""

import errno
import json
import os

import pytest

from neo_core.errors import LeaseError
from neo_core.lease.guard import Guard
from neo_core.lease.holdfile import HoldFile


@pytest.fixture
def held(imagined):
    return imagined.acquire("summary", "interval", ttl=60).hold


def free(path):
    taken = HoldFile.take(f"{path}.hold")
    return taken is not None


def test_a_renewal_moves_the_deadline(held, imagined, clock):
    before = held.lease.expires_at
    clock.wall += 30

    assert held.renew() == "renewed"
    assert held.lease.expires_at == pytest.approx(before + 30, abs=0.002)
    assert imagined.inspect().lease == held.lease


def test_a_renewal_after_the_deadline_still_counts(held, clock, imagined):
    clock.wall += 3600
    assert imagined.inspect().expired

    assert held.renew() == "renewed"
    assert not imagined.inspect().expired


def test_a_renewal_leaves_a_foreign_record_alone(held, put, records, lease_path):
    content = put(records["foreign"]())

    assert held.renew() == "not-owner"
    assert lease_path.read_bytes() == content


def test_a_renewal_leaves_what_is_no_record_alone(held, put, lease_path):
    lease_path.unlink()
    put(b"{")

    assert held.renew() == "missing"
    assert lease_path.read_bytes() == b"{"


def test_a_renewal_that_cannot_be_read_is_an_error(held, lease_path):
    lease_path.unlink()
    lease_path.mkdir()

    with pytest.raises(LeaseError, match="cannot be changed: is a folder"):
        held.renew()
    assert lease_path.is_dir()


def test_a_kept_guard_stops_a_renewal_with_an_error(held, imagined, lease_path, participant, monkeypatch):
    keeper = participant()
    keeper.ask("enter_guard")
    monkeypatch.setattr(imagined, "guarded", lambda: Guard(f"{lease_path}.lock", timeout=0.05))

    with pytest.raises(LeaseError, match="its guard is kept"):
        held.renew()
    keeper.ask("leave_guard")
    assert held.renew() == "renewed"


def test_a_release_removes_the_record_and_frees_the_lock(held, lease_path, names):
    assert held.release() == "released"

    assert names() == []
    assert held.descriptor == -1
    assert free(lease_path)


def test_a_second_release_does_nothing(held, imagined, lease_path):
    held.release()
    successor = imagined.acquire("x", "y").hold

    assert held.release() == "not-owner"
    assert imagined.inspect().lease == successor.lease
    assert not free(lease_path)


@pytest.mark.parametrize("kind", ["foreign", "ours"])
def test_a_release_never_removes_a_successors_record(held, put, records, lease_path, kind):
    content = put(records[kind]())

    assert held.release() == "not-owner"
    assert lease_path.read_bytes() == content
    assert free(lease_path)


@pytest.mark.parametrize("content", [None, b"{"])
def test_a_release_without_a_record_says_so(held, put, lease_path, content):
    lease_path.unlink()
    if content:
        put(content)

    assert held.release() == "missing"
    assert lease_path.exists() == bool(content)
    assert free(lease_path)


def test_a_release_keeps_what_cannot_be_read_and_still_frees_the_lock(held, lease_path):
    lease_path.unlink()
    lease_path.mkdir()

    with pytest.raises(LeaseError, match="cannot be changed"):
        held.release()
    assert lease_path.is_dir()
    assert free(lease_path)


def test_after_a_failed_release_the_next_one_may_recover_at_once(held, imagined, lease_path, participant, monkeypatch):
    keeper = participant()
    keeper.ask("enter_guard")
    monkeypatch.setattr(imagined, "guarded", lambda *_: Guard(f"{lease_path}.lock", timeout=0.05))
    with pytest.raises(LeaseError):
        held.release()
    keeper.ask("leave_guard")

    assert imagined.inspect().holder == "alive"
    assert imagined.acquire("x", "y").status == "acquired-after-stale"


def test_a_release_swapped_under_our_hands_puts_the_stranger_back(held, lease_path, records, syscalls, names):
    stranger = json.dumps(records["foreign"](os.getpid())).encode()

    def swap():
        lease_path.unlink()
        lease_path.write_bytes(stranger)

    with syscalls.Before(lease_path.parent, 10_000, lambda: None) as calls:
        held.renew()
    swapped = False
    for at in range(calls.count):
        if not swapped and lease_path.exists():
            with syscalls.Before(lease_path.parent, at, swap):
                swapped = held.release() == "not-owner"
            assert lease_path.read_bytes() == stranger
            break
    assert swapped
    assert names() == [lease_path.name]


def test_a_release_without_unlocking_leaves_the_lock_to_the_heirs(held, lease_path):
    heir = os.dup(held.descriptor)

    assert held.release(unlock=False) == "released"
    assert held.descriptor == -1
    assert not free(lease_path)
    os.close(heir)
    assert free(lease_path)


def test_a_descriptor_number_given_to_another_file_is_left_alone(held, lease_path, tmp_path):
    number = held.descriptor
    other = os.open(tmp_path / "other", os.O_RDWR | os.O_CREAT)
    os.dup2(other, number)

    assert held.release() == "released"
    assert os.write(number, b"still open") == 10
    os.close(number)
    os.close(other)


def test_who_did_not_acquire_cannot_renew_or_release(held, monkeypatch, imagined):
    monkeypatch.setattr(os, "getpid", lambda: 99)

    assert not held.mine
    assert (held.renew(), held.release()) == ("not-owner", "not-owner")
    monkeypatch.undo()
    assert imagined.inspect().lease == held.lease
    assert held.release() == "released"


def test_a_record_that_cannot_be_compared_is_put_back_and_said(held, imagined, lease_path, monkeypatch, names):
    content = lease_path.read_bytes()
    real = os.read

    def fail(descriptor, size):
        if size == len(content) + 1:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(descriptor, size)

    monkeypatch.setattr(os, "read", fail)
    with pytest.raises(LeaseError) as caught:
        held.release()
    monkeypatch.undo()

    assert caught.value.thing == f"lease {lease_path}"
    assert caught.value.cause.endswith("cannot be read to be compared first: input/output error")
    assert "the next acquisition then recovers it" in caught.value.mend
    assert (names(), lease_path.read_bytes()) == ([lease_path.name], content)
    assert free(lease_path)
    assert imagined.acquire("x", "y").status == "acquired-after-stale"


def rewritten(path, content):
    """Change the file in place, and let it look as if nobody had."""
    before = path.stat()
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_ino, after.st_size, after.st_mtime_ns) == (before.st_ino, before.st_size, before.st_mtime_ns)


@pytest.mark.parametrize("renewed", [False, True])
def test_what_only_looks_like_our_record_is_not_removed(held, lease_path, names, renewed):
    if renewed:
        held.renew()
    stranger = lease_path.read_bytes().replace(held.lease.token.encode(), b"x" * 36)
    rewritten(lease_path, stranger)

    assert held.release() == "not-owner"
    assert (names(), lease_path.read_bytes()) == ([lease_path.name], stranger)
    assert free(lease_path)


def test_our_record_that_somebody_added_to_is_still_ours(held, lease_path, names):
    told = json.loads(lease_path.read_bytes())
    lease_path.write_text(json.dumps({**told, "theirs": True}), encoding="utf-8")

    assert held.release() == "released"
    assert names() == []


def test_a_copy_of_our_record_is_still_ours(held, lease_path, names):
    content = lease_path.read_bytes()
    copy = lease_path.with_name("copy")
    copy.write_bytes(content)
    copy.rename(lease_path)

    assert held.release() == "released"
    assert names() == []
