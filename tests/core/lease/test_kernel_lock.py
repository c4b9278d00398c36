"""Participants in processes of their own, killed and outlived by their children: the kernel knows who holds."""

import json
import os
import signal

import pytest

from neo_core.lease.holdfile import HoldFile


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
