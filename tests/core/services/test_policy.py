"""The state machine by itself: never two starts without an end between, and pauses within their bounds."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from neo_core.ledger.models import ServiceRecord, ServiceState
from neo_core.processes.source import ProcessIdentity
from neo_core.services import policy
from neo_core.services.catalogue import Service
from neo_core.services.probe import ProbeResult
from neo_core.services.standing import ALIVE, Action, After, Moment

GOOD, BAD = ProbeResult(True, "well"), ProbeResult(False, "refused")
SERVICE = Service(
    name="web", command=("web",), cwd="/", probe="tcp", port=1, backoff=1.0, backoff_max=60.0, give_up_after=10
)


def at(seconds):
    return Moment(1_700_000_000.0 + seconds, seconds)


def started(service=SERVICE, now=0.0, standing=None):
    standing = policy.begun(service, standing or policy.fresh(service.name, at(now)), "i", "b", at(now))
    return policy.spawned(standing, 10, ProcessIdentity(10, 1, "b"))


def running(service=SERVICE, now=0.0, standing=None):
    return policy.probed(service, started(service, now, standing), GOOD, at(now))


def fail(standing, now, service=SERVICE, random=lambda: 1.0):
    return policy.gone(service, policy.exited(service, standing, 1, at(now)), at(now), random)


def test_the_first_start_is_due_at_once():
    standing, action = policy.advance(SERVICE, policy.fresh("web", at(5)), at(5))

    assert action is Action.START
    assert standing.record.next_start_at == at(5).wall


def test_pauses_double_to_the_cap_and_then_it_is_fatal():
    standing, pauses = started(), []
    while standing.state is not ServiceState.FATAL:
        standing = fail(standing, 0.0)
        if standing.state is ServiceState.BACKOFF:
            pauses.append(standing.until)
            standing = started(standing=standing)

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert standing.record.reason == "gave up after 10 faults in a row, the last: exited with 1"
    assert policy.wakes_at(SERVICE, standing) is None


def test_faults_are_forgiven_after_a_stable_time_and_not_before():
    faulty = running(standing=fail(started(), 0.0), now=2.0)
    assert policy.wakes_at(SERVICE, faulty) == 62.0

    early, _ = policy.advance(SERVICE, faulty, at(61.9))
    late, _ = policy.advance(SERVICE, faulty, at(62.0))

    assert (early.record.failures, late.record.failures) == (1, 0)
    assert fail(faulty, 61.9).record.failures == 2
    assert fail(faulty, 62.0).record.failures == 1


def test_a_probe_may_fail_while_it_starts_and_only_a_few_times_later():
    standing = started()
    for _ in range(20):
        standing = policy.probed(SERVICE, standing, BAD, at(1))
    assert standing.state is ServiceState.STARTING

    standing = running()
    for _ in range(2):
        standing = policy.probed(SERVICE, standing, BAD, at(2))
    standing = policy.probed(SERVICE, standing, GOOD, at(2))
    for _ in range(2):
        standing = policy.probed(SERVICE, standing, BAD, at(3))
    assert standing.state is ServiceState.RUNNING
    standing = policy.probed(SERVICE, standing, BAD, at(4))

    assert (standing.state, standing.record.reason) == (
        ServiceState.UNHEALTHY,
        "3 probes in a row failed: refused",
    )
    stopping, action = policy.advance(SERVICE, standing, at(4))
    assert (stopping.state, action, stopping.after) == (ServiceState.STOPPING, Action.STOP, After.FAULT)


def test_a_grace_that_passes_without_a_good_answer_is_a_fault():
    standing = policy.probed(SERVICE, started(), BAD, at(1))
    assert policy.advance(SERVICE, standing, at(29.9))[1] is Action.NONE

    stopping, action = policy.advance(SERVICE, standing, at(30))

    assert action is Action.STOP
    assert policy.gone(SERVICE, stopping, at(31), lambda: 0.0).record.reason == (
        "no good answer within 30s of its start: refused"
    )


@pytest.mark.parametrize(
    ("restart", "code", "state"),
    [
        ("always", 0, "backoff"),
        ("always", 1, "backoff"),
        ("on-failure", 0, "stopped"),
        ("on-failure", 1, "backoff"),
        ("on-failure", None, "backoff"),
        ("never", 0, "stopped"),
        ("never", -9, "stopped"),
    ],
)
def test_the_restart_policy(restart, code, state):
    service = msgspec.structs.replace(SERVICE, restart=restart)

    standing = policy.gone(service, policy.exited(service, running(service), code, at(1)), at(1), lambda: 0.5)

    assert standing.state == state
    assert standing.record.last_exit in standing.record.reason


def test_only_starts_after_a_fault_are_counted_as_restarts():
    told = policy.told_to_restart(SERVICE, running(), "restarted by ada", at(1))
    again = running(now=2, standing=policy.gone(SERVICE, told, at(2), lambda: 1.0))
    assert again.record.restarts == 0
    stopped = policy.gone(SERVICE, policy.told_to_stop(SERVICE, again, "", at(3)), at(3), lambda: 1.0)
    assert running(now=4, standing=policy.told_to_start(stopped, at(4))).record.restarts == 0
    assert running(now=6, standing=fail(again, 5)).record.restarts == 1


@pytest.mark.parametrize(("state", "since"), [(ServiceState.RUNNING, 20.0), (ServiceState.STARTING, 10.0)])
def test_an_adopted_service_is_as_old_as_it_was(state, since):
    wall = at(0).wall
    before = ServiceRecord(name="web", state=state, since=wall + 20, started_at=wall + 10, pid=10, start_time=1)
    adopted = policy.adopted(SERVICE, before, ProcessIdentity(10, 1, "b"), at(300))
    assert (adopted.state, adopted.record.since - wall) == (ServiceState.STARTING, since)
    answers = policy.probed(SERVICE, adopted, GOOD, at(303))
    assert (answers.state, answers.record.since - wall) == (ServiceState.RUNNING, since)
    assert policy.probed(SERVICE, started(now=9), GOOD, at(11)).record.since == at(11).wall


def test_an_operator_who_changes_his_mind_while_it_stops_is_heard():
    stopping = policy.told_to_stop(SERVICE, running(), "stopped", at(1))
    again = policy.told_to_start(stopping, at(2), "started")
    assert policy.gone(SERVICE, again, at(3), lambda: 0.5).state is ServiceState.BACKOFF

    restarting = policy.told_to_restart(SERVICE, running(), "restarted", at(1))
    off = policy.told_to_stop(SERVICE, restarting, "stopped", at(2))
    assert policy.gone(SERVICE, off, at(3), lambda: 0.5).state is ServiceState.STOPPED


def test_a_jump_of_the_wall_clock_moves_nothing():
    waiting = fail(started(), 10.0)
    later = Moment(waiting.record.next_start_at + 1_000_000, 10.5)
    earlier = Moment(0.0, 11.0)

    assert policy.advance(SERVICE, waiting, later)[1] is Action.NONE
    assert policy.advance(SERVICE, waiting, earlier)[1] is Action.START


ROW = ServiceRecord(name="web", state=ServiceState.RUNNING, since=0.0, instance="i", failures=4)


@pytest.mark.parametrize(
    ("changes", "rebooted", "state", "seconds"),
    [
        ({"state": ServiceState.RUNNING}, False, "backoff", 0.0),
        ({"state": ServiceState.STARTING}, False, "backoff", 0.25),
        ({"state": ServiceState.BACKOFF, "next_start_at": at(7).wall}, False, "backoff", 7.0),
        ({"state": ServiceState.BACKOFF, "next_start_at": at(10_000).wall}, False, "backoff", 60.0),
        ({"state": ServiceState.FATAL}, False, "fatal", None),
        ({"state": ServiceState.FATAL}, True, "backoff", 0.0),
        ({"state": ServiceState.STOPPED}, False, "stopped", None),
        ({"state": ServiceState.STOPPED, "instance": ""}, False, "backoff", 0.0),
        ({"state": ServiceState.RUNNING, "wanted": False}, True, "stopped", None),
    ],
)
def test_what_an_earlier_keeper_left_goes_on(changes, rebooted, state, seconds):
    record = msgspec.structs.replace(ROW, **changes)

    standing = policy.restored(SERVICE, record, at(0), rebooted=rebooted)

    assert (standing.state, standing.until) == (state, seconds)
    assert standing.record.pid is None
    if standing.state is ServiceState.BACKOFF:
        assert standing.record.failures == (0 if rebooted else 4)


@pytest.mark.parametrize(("state", "again"), [("running", False), ("starting", True), ("backoff", True)])
def test_what_is_never_restarted_is_not_when_it_ended_unseen(state, again):
    service = msgspec.structs.replace(SERVICE, restart="never")
    record = msgspec.structs.replace(ROW, state=ServiceState(state))

    assert policy.restored(service, record, at(0), rebooted=False).state == ("backoff" if again else "stopped")
    assert policy.restored(service, record, at(0), rebooted=True).state == "backoff"


@given(
    failures=st.integers(1, 10_000),
    backoff=st.floats(0.1, 100),
    cap=st.floats(0.1, 10_000),
    random=st.floats(0, 1, exclude_max=True),
)
def test_a_pause_lies_in_the_upper_half_of_its_step(failures, backoff, cap, random):
    service = msgspec.structs.replace(SERVICE, backoff=backoff, backoff_max=cap)
    step = min(cap, backoff * 2.0 ** min(failures - 1, 60))

    assert step / 2 <= policy.pause(service, failures, lambda: random) <= step


class AnyLife(RuleBasedStateMachine):
    """Drives the policy with anything that can happen, as its keeper does, beside a world with real lives in it."""

    def __init__(self):
        super().__init__()
        self.now = 0.0
        self.service = SERVICE
        self.standing = policy.fresh("web", self.moment())
        self.alive = False
        self.starts = 0

    def moment(self):
        return at(self.now)

    @rule(seconds=st.floats(0, 200))
    def time_passes(self, seconds):
        self.now += seconds
        self.standing, action = policy.advance(self.service, self.standing, self.moment())
        if action is Action.START:
            assert not self.alive
            assert self.standing.record.wanted
            self.starts += 1
            self.standing = policy.begun(self.service, self.standing, f"i{self.starts}", "b", self.moment())
            identity = ProcessIdentity(self.starts, 1, "b")
            self.standing = policy.spawned(self.standing, self.starts, identity)
            self.alive = True
        if action is Action.STOP:
            assert self.alive
            assert self.standing.state is ServiceState.STOPPING

    @rule()
    def cannot_start(self):
        if self.standing.state is ServiceState.BACKOFF:
            self.standing = policy.fault(self.service, self.standing, "port taken", self.moment(), lambda: 0.0)

    @precondition(lambda self: self.alive)
    @rule(code=st.sampled_from([0, 1, -9, None]))
    def it_ends(self, code):
        self.standing = policy.exited(self.service, self.standing, code, self.moment())
        assert self.standing.state is ServiceState.STOPPING
        self.alive = False
        self.standing = policy.gone(self.service, self.standing, self.moment(), lambda: 0.5)

    @rule(result=st.sampled_from([GOOD, BAD]))
    def it_is_asked(self, result):
        self.standing = policy.probed(self.service, self.standing, result, self.moment())

    @rule(what=st.sampled_from(["start", "stop", "restart", "memory"]))
    def somebody_interferes(self, what):
        if what == "start":
            self.standing = policy.told_to_start(self.standing, self.moment())
        elif what == "stop":
            self.standing = policy.told_to_stop(self.service, self.standing, "stopped", self.moment())
        elif what == "restart":
            self.standing = policy.told_to_restart(self.service, self.standing, "restarted", self.moment())
        elif self.standing.state in (ServiceState.STARTING, ServiceState.RUNNING):
            self.standing = policy.ending(self.service, self.standing, After.FAULT, "memory", self.moment())

    @rule(restart=st.sampled_from(["always", "on-failure", "never"]), limit=st.integers(1, 4))
    def it_is_configured_otherwise(self, restart, limit):
        self.service = msgspec.structs.replace(SERVICE, restart=restart, give_up_after=limit)

    @invariant()
    def the_state_is_the_truth(self):
        record = self.standing.record
        assert (record.state in ALIVE) == self.alive
        assert (record.pid is not None) == self.alive
        assert (record.next_start_at is not None) == (record.state is ServiceState.BACKOFF)
        assert record.wanted or record.state in (ServiceState.STOPPED, ServiceState.STOPPING)
        assert record.state is not ServiceState.FATAL or record.reason


TestAnyLife = AnyLife.TestCase
TestAnyLife.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def test_a_start_that_is_refused_is_looked_at_again_at_a_capped_pace_for_ever():
    standing, pauses = fail(running(), 1.0), []
    for _ in range(50):
        standing = policy.refused(SERVICE, standing, "port 1 is taken", at(100.0), lambda: 1.0)
        pauses.append(standing.until - 100.0)

    assert pauses[:6] == [1, 2, 4, 8, 10, 10]
    assert max(pauses) == 10
    assert (standing.state, standing.record.failures) == (ServiceState.BACKOFF, 1)
    assert policy.begun(SERVICE, standing, "i", "b", at(101.0)).refusals == 0


def test_a_start_that_stays_refused_is_in_its_state_since_the_first_refusal():
    first = policy.refused(SERVICE, policy.fresh("web", at(0)), "port 1 is taken", at(5.0), lambda: 1.0)
    later = policy.refused(SERVICE, first, "port 1 is taken", at(9.0), lambda: 1.0)
    other = policy.refused(SERVICE, later, "port 1 is taken by another", at(15.0), lambda: 1.0)

    assert [one.record.since - at(0).wall for one in (first, later, other)] == [5, 5, 15]
