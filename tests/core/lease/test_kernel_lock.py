"""Participants in processes of their own, killed and outlived by their children: the kernel knows who holds."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

from neo_core.lease.holdfile import HoldFile, place_of
from neo_core.lease.store import LeaseStore
from neo_core.lease.words import INHERITED_TOKEN, STATE_FOLDER


def test_two_processes_contend_and_one_gets_it(participant):
    first, second = participant(), participant()

    got = first.ask("acquire")
    refused = second.ask("acquire")

    assert (got["status"], refused["status"]) == ("acquired", "held")
    assert (refused["detail"], refused["holder"]) == ("its holder is alive", first.pid)
    assert first.ask("release")["status"] == "released"
    assert second.ask("acquire")["status"] == "acquired"


def test_a_killed_holder_frees_the_lease_at_once(participant, store):
    first, second = participant(), participant()
    first.ask("acquire")
    first.kill()

    assert (store.inspect().status, store.inspect().holder) == ("stale", "dead")
    got = second.ask("acquire")

    assert (got["status"], got["generation"]) == ("acquired-after-stale", 2)


@pytest.mark.parametrize("by", ["descriptor", "token"])
def test_a_killed_holders_child_keeps_the_lease_until_it_ends(participant, store, until, by):
    first, second = participant(), participant()
    token = first.ask("acquire")["token"]
    child = first.ask("child", **{by: True})["pid"]
    participant.doomed.append(child)
    first.kill()

    seen = store.inspect()
    refused = second.ask("acquire")
    assert (seen.status, seen.holder) == ("active", "orphaned")
    assert [(one.pid, one.by, one.command) for one in seen.scan.carriers] == [(child, by, "sleep 120")]
    assert (refused["status"], refused["before"]) == ("held", "active")
    assert refused["detail"] == f"its holder is gone but 1 of its processes still work (pid {child})"
    assert second.ask("reclaim")["status"] == "active"
    assert store.inspect().lease.token == token

    os.kill(child, 9)
    until(lambda: store.inspect().status == "stale")
    assert second.ask("acquire")["status"] == "acquired-after-stale"


def test_a_child_that_carries_nothing_keeps_nothing(participant, until):
    first, second = participant(), participant()
    first.ask("acquire")
    participant.doomed.append(first.ask("child")["pid"])
    first.kill()

    assert second.ask("acquire")["status"] == "acquired-after-stale"


def test_a_forked_child_keeps_the_lease_of_its_killed_parent(participant, store, until):
    first, second = participant(), participant()
    first.ask("acquire")
    child = first.ask("fork")["pid"]
    participant.doomed.append(child)
    first.kill()

    assert (store.inspect().holder, second.ask("acquire")["status"]) == ("orphaned", "held")
    os.kill(child, 9)
    until(lambda: store.inspect().holder == "dead")
    assert second.ask("acquire")["status"] == "acquired-after-stale"


def test_a_release_frees_the_lease_though_a_forked_child_has_the_descriptor(participant):
    first, second = participant(), participant()
    first.ask("acquire")
    participant.doomed.append(first.ask("fork")["pid"])

    assert first.ask("release")["status"] == "released"
    assert second.ask("acquire")["status"] == "acquired"


def test_a_release_that_does_not_unlock_waits_for_who_escaped(participant, store, until, lease_path):
    first, second = participant(), participant()
    first.ask("acquire")
    child = first.ask("child", descriptor=True)["pid"]
    participant.doomed.append(child)

    assert first.ask("release", unlock=False)["status"] == "released"
    refused = second.ask("acquire")
    assert (refused["status"], refused["before"]) == ("held", "missing")
    assert "taking or leaving it (record missing)" in refused["detail"]

    os.kill(child, 9)
    until(lambda: not locked(lease_path))
    assert second.ask("acquire")["status"] == "acquired"


def locked(path):
    taken = HoldFile.take(f"{path}.hold")
    if taken:
        taken.unlock()
    return taken is None


def test_a_guard_that_was_left_is_not_kept_by_a_forked_child(participant):
    first, second = participant(), participant()
    first.ask("enter_guard")
    participant.doomed.append(first.ask("fork")["pid"])
    first.ask("leave_guard")

    assert second.ask("enter_guard") == {}


def test_a_reused_pid_is_not_the_holder(participant, store, lease_path):
    first, second = participant(), participant()
    first.ask("acquire")
    told = json.loads(lease_path.read_bytes())
    first.kill()
    told["pid"] = second.pid
    lease_path.write_text(json.dumps(told), encoding="utf-8")

    assert store.inspect().holder == "dead"


def test_a_holder_whose_record_was_removed_is_still_alone(participant, lease_path):
    first, second = participant(), participant()
    first.ask("acquire")
    lease_path.unlink()

    refused = second.ask("acquire")

    assert (refused["status"], refused["before"]) == ("held", "missing")
    assert first.ask("renew")["status"] == "retaken"
    assert second.ask("acquire")["before"] == "active"
    assert first.ask("release")["status"] == "released"
    assert second.ask("acquire")["status"] == "acquired"


def test_a_stopped_holder_keeps_the_lease(participant):
    first, second = participant(), participant()
    first.ask("acquire")
    first.process.send_signal(signal.SIGSTOP)

    assert second.ask("acquire")["detail"] == "its holder is alive"


LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="locks of lost files are read from /proc")


@pytest.fixture
def working(participant):
    """A holder whose child works on with the lock file's descriptor."""
    holder = participant()
    holder.ask("acquire")
    participant.doomed.append(holder.ask("child", descriptor=True)["pid"])
    return holder


@LINUX
def test_a_lock_file_that_only_served_to_take_a_lost_lease_again_proves_nothing(
    working, participant, store, lease_path
):
    shutil.rmtree(lease_path.parent)
    assert working.ask("renew")["status"] == "retaken"
    working.kill()
    lease_path.unlink()

    assert [one.pid for one in store.acquire("second", "test").before.scan.carriers] == participant.doomed


@LINUX
def test_a_lock_file_that_was_put_back_proves_nothing(store, participant, lease_path, request):
    store.acquire("first", "test").hold.release()
    lock, aside = lease_path.with_name(f"{lease_path.name}.hold"), lease_path.with_name("aside")
    lock.rename(aside)
    request.getfixturevalue("working")
    lease_path.unlink()
    aside.rename(lock)

    refused = store.acquire("second", "test")
    assert refused.hold is None
    assert participant.doomed[0] in {one.pid for one in refused.before.scan.carriers}


@LINUX
def test_who_was_moved_away_with_the_folder_is_known_without_a_marker(working, participant, store, lease_path):
    lease_path.parent.rename(lease_path.parent.with_name("moved"))
    lease_path.parent.mkdir()
    other = lease_path.parent.with_name("other")
    other.mkdir()

    refused = store.acquire("second", "test")
    assert LeaseStore(other / lease_path.name).acquire("another lease", "test").hold is not None
    assert {one.pid for one in refused.before.scan.carriers} == {working.pid, *participant.doomed}


def test_where_processes_cannot_be_listed_a_new_lock_file_is_not_believed(imagined, machine, monkeypatch):
    def unlisted():
        raise PermissionError(errno.EACCES, "no /proc")

    monkeypatch.setattr(machine, "own_pids", unlisted)

    refused = imagined.acquire("second", "test")
    assert (str(refused.status), refused.hold) == ("held", None)
    assert refused.detail == "who has its lost lock file locked cannot be seen: no /proc"


def test_a_process_of_a_lost_run_that_closed_the_descriptor_is_known_by_its_marks(store, lease_path, participant):
    marks = {INHERITED_TOKEN: "of a lost record", STATE_FOLDER: str(lease_path.parent)}
    elsewhere = {**marks, STATE_FOLDER: str(lease_path.parent.with_name("other"))}
    worker, stranger = (subprocess.Popen(["sleep", "60"], env={**os.environ, **env}) for env in (marks, elsewhere))
    participant.doomed += [worker.pid, stranger.pid]

    refused = store.acquire("second", "test")
    assert (refused.hold, [one.pid for one in refused.before.scan.carriers]) == (None, [worker.pid])
    worker.kill()
    worker.wait()
    assert store.acquire("second", "test").hold is not None


def test_a_lock_file_says_where_it_was_opened_though_it_was_moved_since(lease_path):
    hold = HoldFile.take(f"{lease_path}.hold")
    moved = lease_path.parent.rename(lease_path.parent.with_name("moved"))
    assert not hold.known
    hold.next_generation()

    assert place_of(f"{moved / lease_path.name}.hold") == f"{lease_path}.hold"
    hold.unlock()
