"""Kills, full disks, locked ledgers and hasty operators: what happened is told, and told right."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys

import pytest

from neo_core.clock import SystemClock
from neo_core.engine import Engine
from neo_core.ledger.models import Finished, Outcome
from neo_core.ledger.store import Ledger
from neo_core.processes.source import system_source
from neo_core.runs.lost import is_lost
from neo_core.runs.runner import say


def _alive(pid):
    return system_source().start_time(pid) is not None


def _add(root, name, *command, extra=""):
    quoted = ", ".join(f"'{part}'" for part in command)
    with (root / "neo-console.toml").open("a") as file:
        file.write(f"[tasks.{name}]\ncommand = [{quoted}]\n{extra}\n")


def _console(*words):
    return (sys.executable, "-m", "neo_console.cli.main", *words)


@pytest.fixture
def parent(tasks, workspace):
    """outer runs inner through the command line, as a task of a user would."""
    (tasks / "inner.sh").write_text(
        "echo $$ > inner.pid\nwhile [ ! -e release ] && kill -0 $TESTED_BY; do sleep 0.05; done\n"
    )
    _add(tasks, "inner", "sh", "inner.sh", extra='grace = "2s"')
    _add(tasks, "outer", *_console("run", "inner"), extra='grace = "2s"')
    return Engine(workspace)


def test_a_line_that_cannot_be_logged_costs_only_the_line(monkeypatch):
    class Full:
        def write(self, text):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stderr", Full())
    say(SystemClock(), "INFO", "x")


def test_an_outcome_that_the_ledger_would_not_take_is_taken_over_by_the_next_reader(engine, workspace, tasks, until):
    attempt = engine.trigger("hold")
    run = until(lambda: (r := engine.run(attempt.run_id)).started_at and r)
    lock = sqlite3.connect(workspace.ledger, isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    (tasks / "release").touch()
    aside = workspace.logs / f"{run.run_id}.outcome.json"
    until(aside.exists, what="the outcome beside the log")
    os.kill(run.runner_pid, signal.SIGKILL)
    until(lambda: not _alive(run.runner_pid))
    lock.execute("ROLLBACK")
    lock.close()
    ended = next(row for row in engine.history() if row.run_id == run.run_id)
    assert (ended.outcome, ended.exit_code) == (Outcome.COMPLETED, 0)
    assert not aside.exists()


def test_modules_of_the_workspace_do_not_stand_in_for_ours(engine, tasks):
    for name in ("argparse", "signal", "json"):
        (tasks / f"{name}.py").write_text("raise SystemExit('the wrong module')\n")
    assert engine.run_and_wait("other").outcome is Outcome.COMPLETED
    assert engine.run_and_wait("kbSync").outcome is Outcome.COMPLETED


def test_a_borrowers_command_keeps_the_kernel_lock_too(parent, tasks, until, kill_later):
    code = "import os, time; open('bare', 'w').write(str(os.getpid())); time.sleep(600)"
    (tasks / "inner.sh").write_text(f'exec env -i {sys.executable} -c "{code}"\n')
    outer = parent.trigger("outer")
    bare = int(until(lambda: (tasks / "bare").exists() and (tasks / "bare").read_text()))
    kill_later(bare)
    rows = until(lambda: len(r := [run for run in parent.history() if run.started_at]) == 2 and r)
    front = parent.run(outer.run_id).child_pid
    for pid in (front, *(run.runner_pid for run in rows)):
        os.kill(pid, signal.SIGKILL)
    until(lambda: not any(_alive(pid) for pid in (front, *(run.runner_pid for run in rows))))
    blocking = parent.preview("other").blocking
    assert str(bare) in blocking.sentence
    os.kill(bare, signal.SIGKILL)
    until(lambda: not _alive(bare))
    assert parent.run_and_wait("other").outcome is Outcome.COMPLETED


@pytest.mark.parametrize("force", [False, True])
def test_stopping_a_parent_cancels_its_cascaded_run(parent, tasks, until, force):
    (tasks / "inner.sh").write_text(
        "trap '' TERM\necho $$ > inner.pid\nwhile kill -0 $TESTED_BY; do sleep 0.05; done\n"
    )
    outer = parent.trigger("outer")
    until((tasks / "inner.pid").exists)
    until(lambda: any(run.task == "inner" and run.started_at for run in parent.history()))
    parent.stop(outer.run_id, force=force)
    assert parent.wait(outer.run_id).outcome is Outcome.CANCELLED
    inner = next(run for run in parent.history() if run.task == "inner")
    assert inner.outcome is Outcome.CANCELLED


def test_two_runs_do_not_work_under_one_inherited_lease_at_once(tasks, workspace, until):
    (tasks / "first.sh").write_text("while [ ! -e release ] && kill -0 $TESTED_BY; do sleep 0.05; done\n")
    _add(tasks, "first", "sh", "first.sh")
    words = " ".join(_console("run", "first")), " ".join(_console("run", "other"))
    (tasks / "both.sh").write_text(
        f"{words[0]} & while [ ! -e go ] && kill -0 $TESTED_BY; do sleep 0.05; done\n"
        f"{words[1]} > said; touch release; wait\n"
    )
    _add(tasks, "both", "sh", "both.sh")
    engine = Engine(workspace)
    attempt = engine.trigger("both")
    until(lambda: any(run.task == "first" and run.started_at for run in engine.history()))
    (tasks / "go").touch()
    assert engine.wait(attempt.run_id).outcome is Outcome.COMPLETED
    ended = {run.task: run for run in engine.history()}
    assert ended["first"].outcome is Outcome.COMPLETED
    assert (ended["other"].outcome, ended["other"].reason_code) == (
        *(Outcome.DEFERRED, "heavy-maintenance-backpressure"),
    )


def test_a_signal_to_a_runner_that_has_just_begun_cancels_cleanly(engine, tasks):
    for _ in range(5):
        attempt = engine.trigger("hold")
        os.kill(list(engine._starter._runners)[-1], signal.SIGTERM)
        run = engine.wait(attempt.run_id, timeout=20)
        assert (run.outcome, run.reason_code) == (Outcome.CANCELLED, "signal")


def test_a_stop_before_the_command_began_lets_it_never_begin(engine, tasks):
    _add(tasks, "marks", "touch", "it-ran")
    engine = Engine(engine.workspace)
    attempt = engine.trigger("marks")
    engine.stop(attempt.run_id)
    run = engine.wait(attempt.run_id)
    assert run.outcome is Outcome.CANCELLED
    assert (run.started_at is None) is not (tasks / "it-ran").exists()


def test_the_runner_of_a_light_task_carries_nothing_of_a_lease(tasks, workspace, until):
    _add(tasks, "waits", "sh", "hold.sh", extra='class = "light"')
    _add(tasks, "outer", *_console("run", "--detach", "waits"))
    engine = Engine(workspace)
    assert engine.run_and_wait("outer").outcome is Outcome.COMPLETED
    run = until(lambda: next((r for r in engine.history() if r.task == "waits" and r.started_at), None))
    assert b"INHERITED_TOKEN" not in system_source().environ(run.runner_pid)
    (tasks / "release").touch()
    assert engine.wait(run.run_id).outcome is Outcome.COMPLETED


def test_a_command_may_be_hung_up_like_any_other(tasks, workspace):
    _add(tasks, "mask", "sh", "-c", "grep SigIgn /proc/self/status > mask")
    assert Engine(workspace).run_and_wait("mask").outcome is Outcome.COMPLETED
    assert int((tasks / "mask").read_text().split()[1], 16) & (1 << (signal.SIGHUP - 1)) == 0


def test_the_orphans_of_a_lost_run_can_be_ended(engine, tasks, until, kill_later):
    attempt = engine.trigger("hold")
    run = until(lambda: (r := engine.run(attempt.run_id)).started_at and r)
    kill_later(run.child_pid)
    os.kill(run.runner_pid, signal.SIGKILL)
    until(lambda: not _alive(run.runner_pid))
    assert not engine.preview("other").may_start
    engine.stop(run.run_id, force=True, because="it hangs")
    until(lambda: engine.preview("other").may_start)
    assert not _alive(run.child_pid)


def test_a_runner_in_another_namespace_is_not_judged_and_its_own_word_replaces_lost(engine, workspace, tasks, until):
    attempt = engine.trigger("hold")
    run = until(lambda: (r := engine.run(attempt.run_id)).started_at and r)

    class Elsewhere:
        def __getattr__(self, name):
            return getattr(system_source(), name)

        def pid_namespace(self):
            return "pid:[1]"

        def start_time(self, pid):
            return None

    assert not is_lost(run, Elsewhere(), run.requested_at)
    with Ledger(workspace.ledger) as ledger:
        assert ledger.runs.finish(run.run_id, Finished(at=1.0, outcome=Outcome.LOST))
    (tasks / "release").touch()
    until(lambda: engine.run(run.run_id).outcome is Outcome.COMPLETED)


def test_a_deferral_that_the_child_reports_does_not_move_when_it_is_due(engine, workspace):
    engine.run_and_wait("says-deferred")
    engine.run_and_wait("says-deferred")
    with Ledger(workspace.ledger, writable=False) as ledger:
        record = ledger.runs.record_of("says-deferred")
        assert (record.last_started, record.streak, record.last_deferred.task) == (None, 0, "says-deferred")


def test_the_ledger_names_the_command_that_really_ran(engine, tasks):
    (tasks / "other.sh").write_text("echo changed\n")
    config = (tasks / "neo-console.toml").read_text()
    (tasks / "neo-console.toml").write_text(config.replace("'sh', 'other.sh'", "'sh', '-e', 'other.sh'"))
    assert engine.run_and_wait("other").command == "sh -e other.sh"
