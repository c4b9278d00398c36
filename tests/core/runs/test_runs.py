"""One run from its request to its outcome, with real runners and real commands."""

from __future__ import annotations

import os

from neo_core.lease.store import LeaseStore
from neo_core.lease.words import RecordStatus
from neo_core.ledger.models import LeaseRole, Outcome


def test_a_completed_run_is_in_the_ledger_and_the_lease_is_free(engine, workspace):
    run = engine.run_and_wait("other")
    assert (run.outcome, run.exit_code, run.lease_role, run.generation) == (Outcome.COMPLETED, 0, LeaseRole.HOLDER, 1)
    assert run.took is not None
    assert LeaseStore(workspace.lease).inspect().status is RecordStatus.MISSING
    assert [event.event for event in engine.lease_history()] == ["released", "acquired"]
    assert engine.log(run.run_id).text.startswith("other\n")


def test_the_lease_names_the_runner_while_the_work_lives(engine, workspace, tasks, until):
    attempt = engine.trigger("hold")
    run = until(lambda: (r := engine.run(attempt.run_id)).started_at and r)
    lease = LeaseStore(workspace.lease).inspect().lease
    assert (lease.pid, lease.owner, lease.metadata["runId"]) == (run.runner_pid, "hold", run.run_id)
    assert run.child_pid not in (None, run.runner_pid)
    (tasks / "release").touch()
    assert engine.wait(run.run_id).outcome is Outcome.COMPLETED


def test_a_failure_carries_its_exit_code_and_last_line(engine):
    run = engine.run_and_wait("fails")
    assert (run.outcome, run.exit_code, run.reason) == (Outcome.FAILED, 7, "exit code 7: broken")


def test_a_command_killed_from_outside_names_the_signal(engine):
    run = engine.run_and_wait("killed")
    assert (run.outcome, run.exit_code, run.reason) == (Outcome.FAILED, 137, "ended by SIGKILL")


def test_a_missing_program_fails_with_its_name_and_frees_the_lease(engine, workspace):
    run = engine.run_and_wait("missing")
    assert (run.outcome, run.reason_code) == (Outcome.FAILED, "spawn-error")
    assert "no-such-program-here" in run.reason
    assert LeaseStore(workspace.lease).inspect().status is RecordStatus.MISSING


def test_a_child_that_reports_a_deferral_is_deferred_though_it_exits_0(engine):
    run = engine.run_and_wait("says-deferred")
    assert (run.outcome, run.reason_code, run.reason, run.exit_code) == (Outcome.DEFERRED, "busy", "later", 0)


def test_upstreams_deferral_line_is_a_deferral(engine):
    run = engine.run_and_wait("prints-line")
    assert (run.outcome, run.reason_code) == (Outcome.DEFERRED, "heavy-maintenance-lease-held")


def test_a_child_that_skips_keeps_its_code(engine):
    run = engine.run_and_wait("says-skipped")
    assert (run.outcome, run.reason_code, run.reason) == (Outcome.SKIPPED, "wrong-branch", "on main")


def test_heavy_commands_inherit_the_token_and_light_ones_never_do(engine, tasks, monkeypatch):
    monkeypatch.setenv("NEO_HEAVY_MAINTENANCE_LEASE_INHERITED_TOKEN", "stale-token")
    heavy = engine.run_and_wait("environment")
    engine.run_and_wait("light")
    told = dict(line.split("=", 1) for line in (tasks / "environment").read_text().splitlines() if "=" in line)
    assert told["NEO_HEAVY_MAINTENANCE_LEASE_GENERATION"] == "1"
    assert len(told["NEO_HEAVY_MAINTENANCE_LEASE_INHERITED_TOKEN"]) == 36
    assert told["NEO_CONSOLE_RUN_ID"] == heavy.run_id
    assert "INHERITED_TOKEN" not in (tasks / "light-environment").read_text()
    assert "inherited lease is gone" in heavy.warning


def test_a_second_heavy_start_is_deferred_with_reason_and_holder(engine, tasks, until):
    first = engine.trigger("hold")
    run = until(lambda: (r := engine.run(first.run_id)).started_at and r)
    second = engine.trigger("other")
    row = engine.run(second.run_id)
    assert not second.started
    assert (row.outcome, row.reason_code, row.blocker) == (Outcome.DEFERRED, "heavy-maintenance-backpressure", "hold")
    assert row.blocker_pid == run.runner_pid
    assert engine.trigger("other").run_id == row.run_id
    assert engine.run(row.run_id).count == 2


def test_the_same_task_twice_at_once_is_skipped(engine, tasks, until):
    first = engine.trigger("hold")
    until(lambda: engine.run(first.run_id).started_at)
    second = engine.trigger("hold")
    assert engine.run(second.run_id).reason_code == "already-running"


def test_a_light_task_runs_beside_a_heavy_one(engine, tasks, until):
    first = engine.trigger("hold")
    until(lambda: engine.run(first.run_id).started_at)
    assert engine.run_and_wait("light").outcome is Outcome.COMPLETED
    assert engine.run(first.run_id).live


def test_a_cascaded_run_borrows_and_shows_its_parent(engine):
    parent = engine.run_and_wait("parent")
    child = next(run for run in engine.history() if run.task == "other")
    assert (parent.outcome, child.outcome) == (Outcome.COMPLETED, Outcome.COMPLETED)
    assert (child.parent_run_id, child.lease_role, str(child.trigger)) == (parent.run_id, LeaseRole.BORROWER, "cascade")
    events = [(event.event, event.generation) for event in engine.lease_history()]
    assert events.count(("acquired", 1)) == 1
    assert {generation for _, generation in events} == {1}
    assert "inherited" in {word for word, _ in events}


def test_the_release_waits_for_what_the_command_left_behind(engine, workspace, tasks, until):
    attempt = engine.trigger("leaves")
    until(lambda: "waiting for" in engine.log(attempt.run_id).text)
    assert engine.run(attempt.run_id).live
    assert not LeaseStore(workspace.lease).inspect().takeable
    (tasks / "release").touch()
    assert engine.wait(attempt.run_id).outcome is Outcome.COMPLETED
    assert LeaseStore(workspace.lease).inspect().status is RecordStatus.MISSING


def test_peak_memory_is_sampled_over_the_tree(engine):
    run = engine.run_and_wait("eats")
    assert run.peak_memory is not None
    assert run.peak_memory > 80_000_000


def test_the_peak_of_a_run_that_is_stopped_is_no_less_than_what_was_shown_of_it(engine, tasks, until):
    run_id = engine.trigger("grows").run_id
    until(lambda: engine.run(run_id).started_at)
    (tasks / "grow").touch()
    until((tasks / "grown").exists)
    (shown,) = [tree.memory for tree in engine.snapshot().processes.value if tree.run_id == run_id]
    engine.stop(run_id)
    assert engine.wait(run_id).peak_memory >= shown > 80_000_000


def test_run_files_are_private(engine, workspace):
    run = engine.run_and_wait("other")
    assert workspace.run_log(run.run_id).stat().st_mode & 0o777 == 0o600
    assert workspace.ledger.stat().st_mode & 0o777 == 0o600
    assert workspace.state.stat().st_mode & 0o777 == 0o700
    assert os.stat(f"{workspace.lease}.hold").st_mode & 0o777 == 0o600
