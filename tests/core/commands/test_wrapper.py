"""What goes wrong while a guarded command works is said, and ends neither the watch nor the lease."""

from __future__ import annotations

import os
import signal

import pytest

from neo_core.errors import LeaseError
from neo_core.lease.store import LeaseStore
from neo_core.lease.words import RenewStatus
from neo_core.runs import wrapper


@pytest.fixture
def hold(workspace):
    workspace.state.mkdir()
    store = LeaseStore(workspace.lease)
    taken = store.acquire("me", "test").hold
    yield taken, store
    taken.release()


@pytest.fixture
def no_handlers_stay():
    numbers = (*wrapper._FORWARDED, signal.SIGCHLD)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    signal.set_wakeup_fd(-1)
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_command_that_became_another_user_is_still_watched(hold, no_handlers_stay, monkeypatch, capfd, until):
    """As ``sudo`` does: the signal is refused, and the lease stays with the command."""
    real_kill = os.kill

    def refuse(pid: int, number: int) -> None:
        if pid != os.getpid():
            raise PermissionError(1, "Operation not permitted")
        real_kill(pid, number)

    monkeypatch.setattr(os, "kill", refuse)
    script = f"kill -TERM {os.getpid()}; sleep 0.3; exit 6"
    assert wrapper.run_guarded(["sh", "-c", script], *hold) == 6
    assert "SIGTERM could not be passed on" in capfd.readouterr().err


def test_processes_that_cannot_be_listed_end_the_wait_and_are_said(hold, no_handlers_stay, monkeypatch, capfd):
    def refuse(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(wrapper, "find_carriers", refuse)
    assert wrapper.run_guarded(["sh", "-c", "exit 4"], *hold) == 4
    assert "what the command left behind cannot be looked for: permission denied" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (RenewStatus.RENEWED, ""),
        (RenewStatus.NOT_OWNER, "COLLISION: the lease record is no longer ours (not-owner)"),
        (LeaseError("lease x", "cannot be changed", "Free space."), "could not be renewed, trying again: lease x"),
    ],
    ids=["renewed", "lost", "failed"],
)
def test_a_renewal_that_does_not_succeed_is_said_and_the_command_goes_on(
    hold, no_handlers_stay, monkeypatch, capfd, answer, said
):
    def renew():
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(wrapper, "RENEW_EVERY", 0.01)
    monkeypatch.setattr(hold[0], "renew", renew)
    assert wrapper.run_guarded(["sh", "-c", "sleep 0.2; exit 2"], *hold) == 2
    told = capfd.readouterr().err
    assert said in told
    assert bool(told) is bool(said)


def test_a_stderr_that_cannot_be_written_ends_nothing(monkeypatch):
    with open("/dev/full", "w", buffering=1) as full:
        monkeypatch.setattr("sys.stderr", full)
        wrapper._say("something")
        monkeypatch.undo()
        with pytest.raises(OSError, match="No space"):
            full.flush()
        os.dup2(os.open(os.devnull, os.O_WRONLY), full.fileno())
