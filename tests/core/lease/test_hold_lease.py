"""``hold_lease`` in one process: block, decorator, nesting, waiting, and what its body sees."""

import os
import signal
import threading

import pytest

from neo_core import LeaseHeldError
from neo_core.errors import LeaseError
from neo_core.lease import hold as hold_module
from neo_core.lease.store import LeaseStore
from neo_core.lease.words import GENERATION, INHERITED_TOKEN


@pytest.fixture
def held_by_other(place, participant):
    def start():
        place.state.mkdir(parents=True)
        other = participant(place.lease)
        other.ask("acquire", owner="sandman")
        return other

    return start


def test_the_block_holds_and_releases(hold, place):
    with hold(reason="because") as held:
        seen = LeaseStore(place.lease).inspect()
        assert (held.status, held.generation) == ("acquired", 1)
        assert (seen.status, seen.lease.owner, seen.lease.reason) == ("active", "nightly", "because")
        assert seen.lease.metadata["source"] == "hold_lease"
        assert seen.lease.pid == os.getpid()
    assert not place.lease.exists()
    with hold() as held:
        assert held.generation == 2


def test_the_environment_lets_children_inherit_and_is_restored(hold, monkeypatch):
    monkeypatch.setenv(GENERATION, "old")
    with hold() as held:
        assert os.environ[INHERITED_TOKEN] == held.lease.token
        assert os.environ[GENERATION] == "1"
    assert INHERITED_TOKEN not in os.environ
    assert os.environ[GENERATION] == "old"


def test_a_function_holds_during_each_call(hold, place):
    @hold()
    def work(x, *, y):
        """Do it."""
        assert place.lease.exists()
        return x + y, LeaseStore(place.lease).inspect().lease.holder.generation

    assert (work.__name__, work.__doc__) == ("work", "Do it.")
    assert not place.lease.exists()
    assert [work(1, y=2), work(3, y=4)] == [(3, 1), (7, 2)]
    assert not place.lease.exists()


def test_a_recursive_function_holds_once(hold, place):
    @hold()
    def count(n):
        assert place.lease.exists()
        return n if n == 0 else count(n - 1)

    assert count(3) == 0
    assert not place.lease.exists()


async def coroutine():
    """Work later."""


def generator():
    yield


async def asynchronous_generator():
    yield


@pytest.mark.parametrize("function", [coroutine, generator, asynchronous_generator])
def test_a_function_that_works_after_its_call_is_refused(hold, function):
    with pytest.raises(TypeError, match="does its work after it was called"):
        hold()(function)


def test_a_nested_block_borrows(hold, place):
    with hold("outer") as outer:
        with hold("inner") as inner:
            assert (inner.status, inner.lease, inner.generation) == ("inherited", outer.lease, 1)
        assert place.lease.exists()
        assert os.environ[INHERITED_TOKEN] == outer.lease.token
    assert not place.lease.exists()


def test_the_same_object_may_be_nested_and_used_again(hold, place):
    same = hold()
    with same as outer:
        with same as inner:
            assert inner.status == "inherited"
        assert LeaseStore(place.lease).inspect().lease == outer.lease
    assert not place.lease.exists()
    with same as again:
        assert (again.status, again.generation) == ("acquired", 2)
    assert not place.lease.exists()


def test_a_token_of_somebody_else_is_no_inheritance(hold, monkeypatch):
    monkeypatch.setenv(INHERITED_TOKEN, "11111111-1111-4111-8111-111111111111")
    with hold() as held:
        assert held.status == "acquired"
    assert os.environ[INHERITED_TOKEN] == "11111111-1111-4111-8111-111111111111"


def test_when_it_is_held_the_body_does_not_run(hold, held_by_other):
    other = held_by_other()
    ran = []

    with pytest.raises(LeaseHeldError) as caught, hold():
        ran.append(1)

    acquired = caught.value.attempt.before.lease.acquired_text
    assert str(caught.value) == (
        "⏸️  Deferred: heavy-maintenance lease held by 'sandman' "
        f"(reason='test', pid={other.pid}, acquiredAt={acquired}).\n"
        "   This script will not run while another heavy-maintenance task is active."
    )
    assert caught.value.attempt.status == "held"
    assert (ran, INHERITED_TOKEN in os.environ) == ([], False)


def test_waiting_ends_when_the_holder_does(hold, held_by_other):
    other = held_by_other()
    timer = threading.Timer(0.1, other.kill)
    timer.start()

    with hold(wait=20) as held:
        assert held.status == "acquired-after-stale"
    timer.join()


def test_waiting_ends_when_its_time_is_over(hold, held_by_other, clock):
    held_by_other()

    with pytest.raises(LeaseHeldError), hold(wait=30, clock=clock):
        pass

    assert sum(clock.slept) == pytest.approx(30.0)
    assert max(clock.slept) <= 1.0


def test_an_unreadable_lease_is_an_error_at_once(hold, place, clock):
    place.lease.mkdir(parents=True)

    with pytest.raises(LeaseError, match="is a folder"), hold(wait=30, clock=clock):
        pass
    assert clock.slept == []


def test_the_bodys_exception_comes_out_and_the_lease_is_released(hold, place):
    with pytest.raises(ZeroDivisionError), hold():
        raise ZeroDivisionError
    assert not place.lease.exists()


def break_the_lease(place):
    place.lease.unlink()
    place.lease.mkdir()


def test_a_failed_release_does_not_hide_the_bodys_exception(hold, place, capsys):
    @hold()
    def work():
        break_the_lease(place)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert "the lease was not released cleanly" in capsys.readouterr().err


@pytest.mark.parametrize("stderr", ["there", "gone"])
def test_a_failed_release_does_not_hide_the_bodys_result(hold, place, monkeypatch, stderr):
    @hold()
    def work():
        break_the_lease(place)
        if stderr == "gone":
            monkeypatch.setattr("sys.stderr", None)
        return "done"

    assert work() == "done"


def test_a_body_that_closed_every_descriptor_ends_well(hold, place):
    with hold() as held:
        hidden = os.stat(f"{place.lease}.hold").st_ino
        for name in os.listdir("/dev/fd"):
            try:
                if os.fstat(int(name)).st_ino == hidden:
                    os.close(int(name))
            except OSError:
                continue
        assert held.lease.pid == os.getpid()
    assert not place.lease.exists()


def test_sigterm_is_caught_in_the_block_only(hold):
    before = signal.getsignal(signal.SIGTERM)
    with hold():
        assert signal.getsignal(signal.SIGTERM) is hold_module._leave
        with hold():
            pass
        assert signal.getsignal(signal.SIGTERM) is hold_module._leave
    assert signal.getsignal(signal.SIGTERM) is before is signal.SIG_DFL


def test_a_scripts_own_handler_stays(hold, monkeypatch):
    def mine(number, frame):
        raise AssertionError

    before = signal.signal(signal.SIGTERM, mine)
    try:
        with hold():
            assert signal.getsignal(signal.SIGTERM) is mine
        assert signal.getsignal(signal.SIGTERM) is mine
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with hold():
            signal.signal(signal.SIGTERM, mine)
        assert signal.getsignal(signal.SIGTERM) is mine
    finally:
        signal.signal(signal.SIGTERM, before)


def test_it_works_in_another_thread_than_the_first(hold, place):
    said = []

    def work():
        with hold() as held:
            said.append((held.status, place.lease.exists()))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert said == [("acquired", True)]
    assert not place.lease.exists()
