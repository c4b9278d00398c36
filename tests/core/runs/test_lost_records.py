"""Removing the state folder under a living job lets no second one in, and loses nothing that is still to be known."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys

import pytest

from neo_core.engine import Engine
from neo_core.errors import NeoError
from neo_core.lease.store import LeaseStore
from neo_core.ledger.models import LeaseRole, Outcome
from neo_core.processes.procfs import ProcFs
from neo_core.processes.source import identity_of, is_alive
from neo_core.snapshot_strays import StrayEnd, StrayKind
from neo_core.workspace import ensure_state

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="locks of lost files are read from /proc")


@pytest.fixture
def crunch(root, workspace, until, kill_later):
    """A heavy run at work: the engine, the run, and who works."""
    (root / "neo-console.toml").write_text(
        '[tasks.crunch]\ncommand = ["sh", "-c", "while [ ! -e release ] && kill -0 $TESTED_BY; do sleep 0.02; done"]\n'
        'grace = "1s"\n'
        '[tasks.other]\ncommand = ["true"]\n[tasks.light]\nclass = "light"\ncommand = ["sleep", "60"]\n'
    )
    engine = Engine(workspace)
    run_id = engine.trigger("crunch").run_id
    run = until(lambda: (row := engine.run(run_id)).started_at and row)
    kill_later(run.runner_pid)
    kill_later(run.child_pid)
    return engine, run


def lose(workspace):
    """Remove everything; who takes the lease again meanwhile is removed once more."""
    while workspace.data.exists():
        shutil.rmtree(workspace.data, ignore_errors=True)


def orphan(run, source=None):
    source = source or ProcFs()
    os.kill(run.runner_pid, signal.SIGKILL)
    while source.start_time(run.runner_pid) is not None:
        pass


def test_nobody_takes_the_lease_beside_a_living_run_whose_records_are_lost(crunch, workspace):
    _, run = crunch
    lose(workspace)
    ensure_state(workspace)
    attempt = LeaseStore(workspace.lease).acquire("second", "test")
    assert (str(attempt.status), attempt.hold) == ("held", None)
    found = attempt.before
    # The living runner may have taken its lease again before we looked.
    named = {one.pid for one in found.scan.carriers} | ({found.lease.pid} if found.lease else set())
    assert run.runner_pid in named


def test_a_living_run_takes_its_lease_again_and_writes_itself_down_anew(crunch, root, workspace, until):
    _, run = crunch
    before = LeaseStore(workspace.lease).inspect().lease
    lose(workspace)
    engine = Engine(workspace)
    until(lambda: workspace.ledger.exists() and engine.history(task="crunch"), what="the row")
    until(engine.lease_history, what="the event")
    event = engine.lease_history()[0]
    row, again = engine.run(run.run_id), LeaseStore(workspace.lease).inspect()
    assert (row.live, row.runner, row.lease_role) == (True, run.runner, LeaseRole.HOLDER)
    assert "its records were removed while it ran" in row.warning
    assert (event.event, event.run_id, event.generation > run.generation) == ("retaken", run.run_id, True)
    assert (str(again.status), again.lease.pid, again.lease.token) == ("active", run.runner_pid, before.token)
    deferred = engine.run(engine.trigger("other").run_id)
    assert (deferred.outcome, deferred.blocker) == (Outcome.DEFERRED, "crunch")
    (root / "release").touch()
    assert engine.wait(run.run_id, timeout=20).outcome is Outcome.COMPLETED
    assert engine.run_and_wait("other").outcome is Outcome.COMPLETED


def test_what_a_killed_runner_left_is_named_until_it_is_ended(crunch, workspace, until):
    _, run = crunch
    orphan(run)
    lose(workspace)
    engine = Engine(workspace)
    refused = engine.trigger("other").decision.blocking
    assert "crunch from before the records were lost still works" in refused.sentence
    assert str(run.child_pid) in refused.sentence
    assert f"neo-console strays stop {run.child_pid}" in refused.clears_when
    picture = engine.snapshot()
    (stray,) = picture.strays.value.found
    assert (stray.kind, stray.pid, stray.owner, stray.run_id) == (StrayKind.RUN, run.child_pid, "crunch", run.run_id)
    assert stray.keeps_lease
    assert picture.lease.value.mend == stray.mend
    assert [tree.kind for tree in picture.processes.value if tree.owner == "crunch"] == ["run-orphan"]
    assert engine.stop_stray(stray.pid).end is not StrayEnd.SURVIVED
    assert not is_alive(identity_of(run.child_pid, ProcFs()) or run.runner, ProcFs())
    assert engine.run_and_wait("other").outcome is Outcome.COMPLETED
    (told,) = engine.stray_stops()
    assert (told.requested_by != "", f"run {run.run_id} of crunch" in told.because) == (True, True)


def test_what_is_left_of_a_lost_run_says_in_its_row_who_ended_it(crunch, until):
    engine, run = crunch
    orphan(run)
    engine.stop(run.run_id, because="it hangs")
    row = engine.run(run.run_id)
    assert row.outcome is Outcome.LOST
    assert "what was left of it was asked to end by" in row.reason
    assert row.reason.endswith("(it hangs)")


def test_a_copied_hold_file_proves_nothing(crunch, workspace, tmp_path):
    _, run = crunch
    orphan(run)
    copy = tmp_path / "copy"
    shutil.copytree(workspace.state, copy)
    lose(workspace)
    shutil.copytree(copy, workspace.state)
    workspace.lease.unlink()
    attempt = LeaseStore(workspace.lease).acquire("second", "test")
    assert {one.pid for one in attempt.before.scan.carriers} >= {run.child_pid}
    assert attempt.hold is None


def test_a_folder_that_was_moved_away_is_lost_too(crunch, workspace, tmp_path):
    _, run = crunch
    orphan(run)
    workspace.state.rename(tmp_path / "moved")
    ensure_state(workspace)
    attempt = LeaseStore(workspace.lease).acquire("second", "test")
    assert run.child_pid in {one.pid for one in attempt.before.scan.carriers}


def test_a_guarded_command_keeps_the_lease_when_its_records_are_lost(workspace, until):
    guarded = subprocess.Popen(
        [sys.executable, "-m", "neo_core.commands.lease", "run", "--owner", "nightly", "--", "sleep", "60"],
        cwd=workspace.root,
        stderr=subprocess.PIPE,
        text=True,
    )
    store = LeaseStore(workspace.lease)
    try:
        until(lambda: store.inspect().lease, what="the lease")
        lose(workspace)
        ensure_state(workspace)
        assert store.acquire("second", "test").hold is None
        until(lambda: store.inspect().lease, what="the lease again")
        assert store.inspect().lease.owner == "nightly"
    finally:
        guarded.terminate()
        assert "the lease record was removed; it was taken again" in guarded.communicate(timeout=20)[1]
    taken = store.acquire("second", "test")
    assert taken.hold is not None
    taken.hold.release()


def test_who_removes_the_whole_workspace_gets_no_new_one(crunch, root, until):
    _, run = crunch
    while root.exists():
        shutil.rmtree(root, ignore_errors=True)
    os.kill(run.runner_pid, signal.SIGTERM)
    until(lambda: ProcFs().start_time(run.runner_pid) is None, timeout=90, what="the runner's end")
    assert not root.exists()


def test_a_process_of_a_lost_run_is_named_to_who_would_stop_it(crunch, root, workspace, capsys):
    from neo_console.cli.main import main

    _, run = crunch
    orphan(run)
    lose(workspace)
    for name in ("crunch", run.run_id):
        assert main(["--workspace", str(root), "stop", name]) == 1
        said = capsys.readouterr().err
        assert f"works on for run {run.run_id} of crunch, whose records were removed" in said
        assert said.endswith(f"End it: neo-console strays stop {run.child_pid}\n")
    with pytest.raises(NeoError, match="not in the ledger"):
        Engine(workspace).run(run.run_id)
