"""Runs that are ended from outside: stops, time limits, signals, and runners that are killed."""

from __future__ import annotations

import os
import signal
import sys

import pytest

from neo_core.lease.store import LeaseStore
from neo_core.lease.words import HolderState, RecordStatus
from neo_core.ledger.models import Outcome
from neo_core.processes.source import system_source


def _alive(pid: int) -> bool:
    return system_source().start_time(pid) is not None


def test_a_stop_ends_the_run_as_cancelled_and_is_acknowledged(engine, workspace, tasks, until):
    attempt = engine.trigger("hold")
    until(lambda: engine.run(attempt.run_id).started_at)
    engine.stop(attempt.run_id, because="too hot")
    run = engine.wait(attempt.run_id)
    assert (run.outcome, run.reason_code) == (Outcome.CANCELLED, "operator")
    assert "too hot" in run.reason
    assert LeaseStore(workspace.lease).inspect().status is RecordStatus.MISSING


def test_a_run_that_ignores_term_is_killed_after_its_grace(engine, tasks, until):
    attempt = engine.trigger("stubborn")
    pid = int(until(lambda: (tasks / "pid").exists() and (tasks / "pid").read_text()))
    engine.stop(attempt.run_id)
    assert engine.wait(attempt.run_id).outcome is Outcome.CANCELLED
    assert not _alive(pid)


def test_a_forced_stop_does_not_wait_for_the_grace(engine, tasks, until):
    attempt = engine.trigger("stubborn")
    until((tasks / "pid").exists)
    engine.stop(attempt.run_id, force=True)
    run = engine.wait(attempt.run_id)
    assert run.outcome is Outcome.CANCELLED
    assert "by force" in run.reason


def test_the_time_limit_ends_the_whole_tree_also_what_left_the_session(engine, workspace, tasks, until):
    attempt = engine.trigger("wedged")
    escaped = int(until(lambda: (tasks / "escaped").exists() and (tasks / "escaped").read_text()))
    run = engine.wait(attempt.run_id)
    assert (run.outcome, run.reason_code) == (Outcome.TIMED_OUT, "time-limit")
    assert not _alive(escaped)
    assert not _alive(run.child_pid)
    assert LeaseStore(workspace.lease).inspect().status is RecordStatus.MISSING


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_runner_cancels_cleanly(engine, workspace, tasks, until, number):
    attempt = engine.trigger("hold")
    run = until(lambda: (r := engine.run(attempt.run_id)).started_at and r)
    os.kill(run.runner_pid, number)
    ended = engine.wait(attempt.run_id)
    assert (ended.outcome, ended.reason_code) == (Outcome.CANCELLED, "signal")
    assert LeaseStore(workspace.lease).inspect().status is RecordStatus.MISSING


def test_a_hangup_does_not_end_a_run(engine, tasks, until):
    attempt = engine.trigger("hold")
    run = until(lambda: (r := engine.run(attempt.run_id)).started_at and r)
    os.kill(run.runner_pid, signal.SIGHUP)
    (tasks / "release").touch()
    assert engine.wait(attempt.run_id).outcome is Outcome.COMPLETED


def test_a_killed_runner_reads_lost_and_its_child_blocks_until_it_ends(engine, workspace, tasks, until, kill_later):
    attempt = engine.trigger("hold")
    run = until(lambda: (r := engine.run(attempt.run_id)).started_at and r)
    kill_later(run.child_pid)
    os.kill(run.runner_pid, signal.SIGKILL)
    until(lambda: not _alive(run.runner_pid))
    lost = next(row for row in engine.history() if row.run_id == run.run_id)
    assert (lost.outcome, lost.reason_code) == (Outcome.LOST, "runner-gone")
    store = LeaseStore(workspace.lease)
    seen = store.inspect()
    assert (seen.status, seen.holder) == (RecordStatus.ACTIVE, HolderState.ORPHANED)
    blocking = engine.preview("other").blocking
    assert blocking.reason == "heavy-maintenance-lease-held"
    assert str(run.child_pid) in blocking.sentence
    assert not engine.trigger("other").started
    (tasks / "release").touch()
    until(lambda: not _alive(run.child_pid))
    assert engine.run_and_wait("other").outcome is Outcome.COMPLETED


def test_an_orphan_without_environment_still_blocks_by_its_descriptor(engine, tasks, until, kill_later):
    (tasks / "keeps.py").write_text(
        "import os, sys\n"
        'code = \'import time, os; open("kept", "w").write(str(os.getpid())); time.sleep(600)\'\n'
        "os.execve(sys.executable, [sys.executable, '-c', code], {})\n"
    )
    with (tasks / "neo-console.toml").open("a") as file:
        file.write(f'[tasks.keeps]\ncommand = ["{sys.executable}", "keeps.py"]\n')
    engine = type(engine)(engine.workspace)
    attempt = engine.trigger("keeps")
    pid = int(until(lambda: (tasks / "kept").exists() and (tasks / "kept").read_text()))
    kill_later(pid)
    runner = engine.run(attempt.run_id).runner_pid
    os.kill(runner, signal.SIGKILL)
    until(lambda: not _alive(runner))
    blocking = engine.preview("other").blocking
    assert str(pid) in blocking.sentence
    os.kill(pid, signal.SIGKILL)
    until(lambda: not _alive(pid))
    assert engine.run_and_wait("other").outcome is Outcome.COMPLETED


def test_a_request_whose_runner_never_came_is_lost_after_a_minute(workspace, tasks):
    from neo_core.engine import Engine
    from neo_core.ledger.models import Run, Trigger
    from neo_core.ledger.store import Ledger
    from neo_core.workspace import ensure_state

    class Later:
        offset = 0.0

        def now(self):
            return 1_000_000.0 + self.offset

        def monotonic(self):
            return self.offset

        def sleep(self, seconds):
            self.offset += seconds

    clock = Later()
    ensure_state(workspace)
    request = Run(
        run_id="abc", task="other", heavy=True, trigger=Trigger.MANUAL, requested_at=clock.now(), last_at=clock.now()
    )
    with Ledger(workspace.ledger) as ledger:
        ledger.runs.insert(request)
    engine = Engine(workspace, clock=clock)
    assert engine.history()[0].live
    clock.offset = 61
    lost = engine.history()[0]
    assert (lost.outcome, lost.reason_code) == (Outcome.LOST, "not-started")
