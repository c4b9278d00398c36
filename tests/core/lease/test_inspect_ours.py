"""The holder of a record of ours: alive, orphaned, dead or unknown, and never robbed by the clock."""

import os

import pytest

from neo_core.lease.explain import explain_held
from neo_core.lease.inspect import inspect_lease
from neo_core.lease.store import LeaseStore
from neo_core.lease.words import INHERITED_TOKEN

TOKEN = b"11111111-1111-4111-8111-111111111111"
CARRYING = b"HOME=/\0" + INHERITED_TOKEN.encode() + b"=" + TOKEN + b"\0"


@pytest.fixture
def look(imagined, put, records):
    def inspect(pid=4242, age=60.0, **holder):
        put(records["ours"](pid, **holder), age=age)
        return imagined.inspect()

    return inspect


def test_a_living_holder_is_active(look, machine):
    machine.started[4242] = 777

    seen = look()

    assert (seen.status, seen.holder, seen.expired) == ("active", "alive", False)
    assert explain_held(seen) == "its holder is alive"


@pytest.mark.parametrize("years", [1, 100])
def test_an_overdue_living_holder_is_shown_and_never_robbed(look, machine, clock, imagined, years):
    machine.started[4242] = 777
    clock.wall += years * 31_557_600

    seen = look()

    assert (seen.status, seen.holder, seen.expired, seen.takeable) == ("active", "alive", True, False)
    assert explain_held(seen) == "its holder is overdue but alive"
    assert imagined.acquire("x", "y").status == "held"


def test_a_clock_set_back_changes_nothing(look, machine, clock):
    clock.wall -= 31_557_600
    machine.started[4242] = 777
    assert look().status == "active"

    del machine.started[4242]
    assert look().status == "stale"


def test_no_such_pid_is_dead(look):
    seen = look()

    assert (seen.status, seen.holder, seen.takeable) == ("stale", "dead", True)


def test_another_process_with_that_pid_is_not_the_holder(look, machine):
    machine.started[4242] = 778

    assert look().holder == "dead"


def test_another_boot_of_this_host_is_dead_even_if_the_pid_lives(look, machine):
    machine.started[4242] = 777

    assert look(bootId="boot-0").holder == "dead"


def test_another_boot_of_another_host_is_unknown(look):
    seen = look(bootId="boot-0", host="elsewhere")

    assert (seen.status, seen.holder, seen.takeable) == ("active", "unknown", False)
    assert "another machine" in explain_held(seen)


@pytest.mark.parametrize("boots", [("", "boot-1"), ("boot-1", ""), ("", "")])
def test_without_both_boots_nothing_is_known(look, machine, boots):
    machine.boot = boots[0]

    assert look(bootId=boots[1]).holder == "unknown"


def test_another_pid_namespace_is_unknown(look):
    assert look(pidNamespace="pid:[2]").holder == "unknown"


def test_a_record_without_a_pid_is_unknown(look):
    assert look(pid=None).holder == "unknown"


def test_a_hidden_process_is_unknown(look, machine):
    machine.hidden.add(4242)

    assert look().holder == "unknown"


def test_a_process_with_the_token_makes_it_orphaned(look, machine):
    machine.started[50] = 5
    machine.environments[50] = CARRYING

    seen = look()

    assert (seen.status, seen.holder, seen.takeable) == ("active", "orphaned", False)
    assert [(one.pid, one.start_time, one.by, one.command) for one in seen.scan.carriers] == [
        (50, 5, "token", "command 50")
    ]
    assert explain_held(seen) == "its holder is gone but 1 of its processes still work (pid 50)"


def test_the_inherited_descriptor_alone_makes_it_orphaned(look, machine):
    machine.started[50] = 5
    machine.keepers[50] = [(1, 2)]

    seen = look()

    assert seen.holder == "orphaned"
    assert [(one.pid, one.by) for one in seen.scan.carriers] == [(50, "descriptor")]


@pytest.mark.parametrize(
    "environment",
    [b"", CARRYING.replace(b"1111-1111-4", b"1111-2222-4"), b"X" + CARRYING[7:], CARRYING[:-1] + b"x\0"],
)
def test_another_token_carries_nothing(look, machine, environment):
    machine.started[50] = 5
    machine.environments[50] = environment

    assert look().holder == "dead"


def test_environments_that_cannot_be_read_are_counted_and_said(look, machine):
    for pid in (50, 51):
        machine.started[pid] = 5
        machine.environments[pid] = None
    machine.keepers[51] = [(1, 2)]

    seen = look()

    assert [one.pid for one in seen.scan.carriers] == [51]
    assert seen.scan.unreadable == 1


def test_descriptors_that_cannot_be_listed_are_counted(look, machine):
    machine.started[50] = 5
    machine.keepers[50] = "nobody may look"

    assert look().scan.unreadable == 1


def test_a_carrier_that_forks_and_ends_while_we_look_is_still_found(look, machine):
    machine.started[50] = 5

    def environ(pid):
        if pid == 50 and machine.started.pop(50, None):
            machine.started[60] = 6
            machine.environments[60] = CARRYING
            raise ProcessLookupError(50)
        return machine.environments.get(pid, b"A=1\0")

    machine.environ = environ

    assert [one.pid for one in look().scan.carriers] == [60]


def test_processes_are_searched_only_when_it_decides_something(look, machine):
    machine.started[4242] = 777
    machine.own_pids = None

    assert look().holder == "alive"


def test_processes_that_cannot_be_listed_prove_nothing(look, machine):
    def refuse():
        raise PermissionError(13, "Permission denied")

    machine.own_pids = refuse

    assert (look().status, look().holder) == ("active", "unknown")


def test_whoever_has_the_hold_file_locked_knows_the_holder_is_dead(imagined, look, machine, clock):
    machine.started[4242] = 777
    look(hold=[7, 8])

    def judged(holding):
        return inspect_lease(imagined.path, machine, clock, holding=holding)

    assert judged(None).holder == "alive"
    assert judged((7, 9)).holder == "alive"
    assert (judged((7, 8)).status, judged((7, 8)).holder) == ("stale", "dead")


@pytest.mark.parametrize("elsewhere", [{"pidNamespace": "pid:[2]"}, {"bootId": "b", "host": "h"}])
def test_the_lock_tells_also_about_a_holder_from_elsewhere(imagined, look, machine, clock, elsewhere):
    look(hold=[7, 8], **elsewhere)

    assert inspect_lease(imagined.path, machine, clock, holding=(7, 8)).holder == "dead"


def test_a_carrier_counts_also_for_who_has_the_lock(imagined, look, machine, clock):
    machine.started[50] = 5
    machine.environments[50] = CARRYING
    look(hold=[7, 8])

    assert inspect_lease(imagined.path, machine, clock, holding=(7, 8)).holder == "orphaned"


def test_nobody_waits_for_a_dead_parent_because_of_himself(imagined, look, machine):
    machine.environments[os.getpid()] = CARRYING

    assert look().holder == "orphaned"
    got = imagined.acquire("x", "y")
    assert got.status == "acquired-after-stale"
    got.hold.release()


def test_a_zombie_is_no_living_holder(lease_path, participant):
    holder = participant()
    holder.ask("acquire")
    holder.process.kill()
    os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)

    seen = LeaseStore(lease_path).inspect()

    assert (seen.status, seen.holder, seen.lease.pid) == ("stale", "dead", holder.pid)
