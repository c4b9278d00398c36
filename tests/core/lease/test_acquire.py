"""Taking the lease: every answer there is, and what each leaves behind."""

import json
import os
from pathlib import Path

import pytest

from neo_core.errors import LeaseError
from neo_core.lease.guard import Guard
from neo_core.lease.holdfile import HoldFile
from neo_core.lease.store import LeaseStore


@pytest.fixture
def lock_is_free(lease_path):
    def ask():
        taken = HoldFile.take(f"{lease_path}.hold")
        if taken:
            taken.unlock()
        return taken is not None

    return ask


def test_a_free_lease_is_acquired(imagined, lease_path, names, lock_is_free, clock):
    got = imagined.acquire("summary", "interval")

    assert (got.status, got.before.status, got.detail) == ("acquired", "missing", "")
    assert got.hold.lease.token == json.loads(lease_path.read_bytes())["token"]
    assert names() == [lease_path.name]
    assert not lock_is_free()
    assert clock.slept == []


def test_a_second_participant_is_refused_with_the_holder(imagined, lock_is_free):
    first = imagined.acquire("summary", "interval")

    second = imagined.acquire("kbSync", "manual")

    assert (second.status, second.hold, second.detail) == ("held", None, "its holder is alive")
    assert second.before.lease == first.hold.lease
    first.hold.release()
    assert lock_is_free()


def test_a_dead_holders_record_is_recovered(imagined, put, records, lease_path, names):
    put(records["ours"]())

    got = imagined.acquire("summary", "interval")

    assert (got.status, got.before.status, got.before.holder) == ("acquired-after-stale", "stale", "dead")
    assert got.before.lease.token != got.hold.lease.token == json.loads(lease_path.read_bytes())["token"]
    assert names() == [lease_path.name]


def test_an_overdue_foreign_record_is_recovered(imagined, put, records, machine, clock):
    machine.started[4242] = 1
    put(records["foreign"]())
    clock.wall += 7 * 3600

    assert imagined.acquire("summary", "interval").status == "acquired-after-stale"


def test_an_old_malformed_record_is_recovered(imagined, put):
    put(b"{", age=60)

    got = imagined.acquire("summary", "interval")

    assert (got.status, got.before.status) == ("acquired-after-malformed", "malformed")


@pytest.mark.parametrize("kind", ["ours", "foreign", "busy"])
def test_what_may_not_be_taken_is_held_and_left_alone(imagined, put, records, machine, lease_path, kind, lock_is_free):
    machine.started[4242] = 777
    content = put(b"{", age=0) if kind == "busy" else put(records[kind]())
    before = lease_path.stat()

    got = imagined.acquire("summary", "interval")

    after = lease_path.stat()
    assert (got.status, got.hold) == ("held", None)
    assert got.detail == ("somebody is writing the lease file right now" if kind == "busy" else "its holder is alive")
    assert (after.st_ino, after.st_mtime_ns, after.st_ctime_ns) == (
        before.st_ino,
        before.st_mtime_ns,
        before.st_ctime_ns,
    )
    assert lease_path.read_bytes() == content
    assert lock_is_free()


def test_an_unreadable_lease_starts_nothing_and_is_kept(imagined, lease_path, lock_is_free):
    lease_path.mkdir()
    (lease_path / "precious").write_text("data")

    with pytest.raises(LeaseError, match="is a folder, not a regular file") as caught:
        imagined.acquire("summary", "interval")

    assert "make it a readable file" in caught.value.mend
    assert (lease_path / "precious").read_text() == "data"
    assert lock_is_free()


def test_refusals_do_not_count_as_acquisitions(imagined, put, records, machine, lease_path):
    machine.started[4242] = 777
    put(records["ours"]())
    for _ in range(3):
        assert imagined.acquire("x", "y").status == "held"
    lease_path.unlink()

    assert imagined.acquire("x", "y").hold.generation == 1


def test_the_generation_counts_for_ever(imagined, lease_path, put, records):
    generations = []
    for _ in range(3):
        got = imagined.acquire("x", "y")
        generations.append(got.hold.generation)
        got.hold.release()
    put(records["ours"]())
    last = imagined.acquire("x", "y").hold

    assert [*generations, last.generation] == [1, 2, 3, 4]
    assert json.loads(lease_path.read_bytes())["metadata"]["holder"]["generation"] == 4


def test_a_missing_folder_is_said(imagined, lease_path):
    lease_path.parent.rmdir()

    with pytest.raises(LeaseError, match="its folder does not exist"):
        imagined.acquire("x", "y")


@pytest.mark.parametrize("suffix", [".hold", ".lock"])
@pytest.mark.parametrize("kind", ["folder", "link", "fifo", "another user's"])
def test_a_lock_file_of_another_kind_is_refused(imagined, lease_path, suffix, kind, monkeypatch):
    path = Path(f"{lease_path}{suffix}")
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(lease_path.with_name("elsewhere"))
    elif kind == "fifo":
        os.mkfifo(path)
    elif os.geteuid() == 0:
        path.touch()
        os.chown(path, 987_654, -1)
    else:
        path = Path(f"{lease_path}.hold")
        path.touch()
        monkeypatch.setattr(os, "geteuid", lambda: 987_654)

    with pytest.raises(LeaseError, match="cannot be locked") as caught:
        imagined.acquire("x", "y")

    assert path.suffix in caught.value.thing
    assert not lease_path.with_name("elsewhere").exists()
    assert not lease_path.exists()


def test_a_lock_file_that_others_could_open_is_made_private(imagined, lease_path):
    path = Path(f"{lease_path}.hold")
    path.touch()
    path.chmod(0o666)

    imagined.acquire("x", "y")

    assert path.stat().st_mode & 0o777 == 0o600


def test_a_kept_guard_is_held_with_that_reason(lease_path, machine, clock, monkeypatch, participant, lock_is_free):
    keeper = participant()
    keeper.ask("enter_guard")
    store = LeaseStore(lease_path, source=machine, clock=clock)
    monkeypatch.setattr(store, "guarded", lambda timeout=0.05: Guard(f"{lease_path}.lock", timeout=0.05))

    got = store.acquire("x", "y")

    assert (got.status, got.detail) == ("held", "another process keeps the lease's guard")
    assert lock_is_free()


def test_a_removed_hold_file_does_not_free_a_living_holders_lease(imagined, lease_path):
    first = imagined.acquire("x", "y")
    Path(f"{lease_path}.hold").unlink()

    got = imagined.acquire("x", "y")

    assert (got.status, got.detail) == ("held", "its holder is alive")
    assert first.hold.release() == "released"


def test_a_lock_on_a_file_that_lost_its_name_meanwhile_is_no_lock(imagined, lease_path, syscalls):
    """The other one removed the hold file after we had opened it, and holds the lease through a new one."""
    path = Path(f"{lease_path}.hold")
    others = []

    def replace():
        path.unlink()
        others.append(HoldFile.take(str(path)))

    with syscalls.Before(path, 1, replace, looks=False):
        got = imagined.acquire("x", "y")

    assert others[0] is not None
    assert got.status == "held"
    others[0].unlock()


@pytest.mark.parametrize("living", [True, False])
def test_a_record_that_appears_just_before_ours_is_judged_like_any(imagined, lease_path, records, machine, living):
    if living:
        machine.started[4242] = 1
    real = imagined.file.publish

    def too_late(lease):
        if not lease_path.exists():
            lease_path.write_text(json.dumps(records["foreign"]()))
        return real(lease)

    imagined.file.publish = too_late
    got = imagined.acquire("x", "y")
    imagined.file.publish = real

    assert (got.status, got.before.status) == ("held", "active" if living else "stale")
    assert got.detail == ("its holder is alive" if living else "a foreign script took it at the same moment")


def test_a_dead_record_that_appears_once_just_before_ours_is_recovered(imagined, lease_path, records):
    real = imagined.file.publish
    dead = [json.dumps(records["foreign"]())]

    def too_late(lease):
        if dead:
            lease_path.write_text(dead.pop())
        return real(lease)

    imagined.file.publish = too_late
    assert imagined.acquire("x", "y").status == "acquired-after-stale"


def test_a_network_file_system_is_refused_unless_allowed(lease_path, machine, clock, monkeypatch):
    monkeypatch.setattr("neo_core.lease.store.network_filesystem", lambda folder: "nfs4")

    with pytest.raises(LeaseError, match=r"network file system \(nfs4\)"):
        LeaseStore(lease_path, source=machine, clock=clock).acquire("x", "y")
    allowed = LeaseStore(lease_path, source=machine, clock=clock, allow_network=True)
    assert allowed.acquire("x", "y").status == "acquired"


def test_a_relative_path_works(machine, clock, tmp_path, monkeypatch, records):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lease.json").write_text(json.dumps(records["ours"]()))

    assert LeaseStore("lease.json", source=machine, clock=clock).acquire("x", "y").status == "acquired-after-stale"


def test_an_attempt_whose_caller_forgets_it_leaves_no_lock(imagined, lease_path, lock_is_free):
    imagined.acquire("x", "y")

    assert lock_is_free()
    assert imagined.acquire("x", "y").status == "acquired-after-stale"


def test_an_interrupted_attempt_takes_back_what_it_published(imagined, put, records, clock, names, lock_is_free):
    put(records["ours"]())

    def interrupt():
        raise KeyboardInterrupt

    clock.while_sleeping = interrupt
    with pytest.raises(KeyboardInterrupt):
        imagined.acquire("x", "y")

    assert names() == []
    assert lock_is_free()
