"""One picture of everything: what it shows, what it costs the workspace, and how it says what cannot be read."""

from __future__ import annotations

import os
import subprocess

from neo_core.engine import Engine
from neo_core.ledger.models import Outcome
from neo_core.snapshot import LeaseLight, TaskState


def _task(snapshot, name):
    return next(task for task in snapshot.schedule.value.tasks if task.name == name)


def test_looking_at_a_fresh_folder_creates_nothing(tmp_path, monkeypatch):
    from neo_core.workspace import resolve_workspace

    monkeypatch.chdir(tmp_path)
    (tmp_path / "neo-console.toml").touch()
    snapshot = Engine(resolve_workspace()).snapshot()
    assert snapshot.lease.value.light is LeaseLight.FREE
    assert snapshot.outcomes.value == ()
    assert sorted(os.listdir(tmp_path)) == ["neo-console.toml"]


def test_a_held_lease_shows_holder_tree_and_the_start_that_was_deferred(root, workspace, until):
    (root / "neo-console.toml").write_text(
        '[tasks.hold]\ncommand = ["sh", "-c", "while [ ! -e release ] && kill -0 $TESTED_BY; do sleep 0.05; done"]\n'
    )
    engine = Engine(workspace)
    (root / "release").touch()
    engine.run_and_wait("hold")
    (root / "release").unlink()
    attempt = engine.trigger("hold")
    until(lambda: engine.run(attempt.run_id).started_at)
    engine.trigger("kbSync")
    snapshot = engine.snapshot()
    (root / "release").touch()
    lease = snapshot.lease.value
    assert (lease.light, lease.owner, lease.run_id) == (LeaseLight.HELD, "hold", attempt.run_id)
    tree = next(tree for tree in snapshot.processes.value if tree.kind == "run")
    assert (tree.owner, tree.run_id, tree.processes[0].pid) == ("hold", attempt.run_id, lease.pid)
    assert tree.memory > 0
    assert _task(snapshot, "hold").state is TaskState.RUNNING
    assert _task(snapshot, "hold").last_outcome is Outcome.COMPLETED
    refused = _task(snapshot, "kbSync")
    assert (refused.state, refused.streak, refused.deferral.blocker) == (TaskState.DUE, 0, "hold")
    assert refused.decision.blocking.reason == "heavy-maintenance-backpressure"
    assert engine.wait(attempt.run_id).outcome is Outcome.COMPLETED


def test_an_unreadable_lease_is_said_and_starts_nothing_heavy(workspace):
    workspace.lease.mkdir(parents=True)
    engine = Engine(workspace)
    view = engine.snapshot().lease.value
    assert view.light is LeaseLight.UNREADABLE
    assert view.mend
    attempt = engine.trigger("kbSync")
    assert not attempt.started
    assert engine.run(attempt.run_id).reason_code == "heavy-maintenance-lease-acquire-error"
    assert workspace.lease.is_dir()


def test_a_damaged_ledger_is_an_error_in_its_sections_and_is_left_alone(workspace):
    workspace.state.mkdir(parents=True)
    workspace.ledger.write_bytes(b"not a database at all" * 100)
    snapshot = Engine(workspace).snapshot()
    assert "damaged" in snapshot.schedule.error
    assert snapshot.schedule.value is None
    assert "damaged" in snapshot.outcomes.error
    assert snapshot.lease.value.light is LeaseLight.FREE
    assert workspace.ledger.read_bytes() == b"not a database at all" * 100


def test_a_snoozed_task_says_until_when_and_who_ends_it(workspace):
    engine = Engine(workspace)
    engine.defer("backup", 3600, "travelling")
    task = _task(engine.snapshot(), "backup")
    assert (task.state, task.snoozed_because) == (TaskState.SNOOZED, "travelling")
    assert "neo-console resume backup" in task.decision.blocking.clears_when
    assert engine.resume("backup")
    assert _task(engine.snapshot(), "backup").state is TaskState.DUE


def test_a_pause_blocks_every_task_also_light_ones(root, workspace):
    (root / "neo-console.toml").write_text('[tasks.tiny]\nclass = "light"\ncommand = ["true"]\n')
    engine = Engine(workspace)
    engine.pause("maintenance window")
    snapshot = engine.snapshot()
    assert snapshot.schedule.value.pause.because == "maintenance window"
    attempt = engine.trigger("tiny")
    assert engine.run(attempt.run_id).reason_code == "paused"
    assert engine.unpause()
    assert engine.run_and_wait("tiny").outcome is Outcome.COMPLETED


def test_a_script_that_holds_the_lease_is_a_tree_of_its_own(workspace):
    from neo_core import hold_lease

    with hold_lease("my-job", workspace=workspace.root):
        snapshot = Engine(workspace).snapshot()
        assert [(tree.owner, tree.kind) for tree in snapshot.processes.value] == [("my-job", "lease")]
    assert Engine(workspace).snapshot().lease.value.light is LeaseLight.FREE


def test_what_a_living_script_left_behind_is_in_its_tree_though_its_parent_is_gone(workspace):
    from neo_core import hold_lease

    with hold_lease("my-job", workspace=workspace.root):
        made = subprocess.run(["sh", "-c", "sleep 600 >&2 & echo $!"], stdout=subprocess.PIPE, text=True, check=True)
        left = int(made.stdout)
        try:
            (tree,) = Engine(workspace).snapshot().processes.value
        finally:
            os.kill(left, 9)
    assert (tree.owner, tree.kind) == ("my-job", "lease")
    assert tree.processes[-1].pid == left
    assert os.getpid() in [one.pid for one in tree.processes]


def test_reading_the_log_follows_from_where_it_ended(root, workspace):
    (root / "neo-console.toml").write_text('[tasks.talk]\ncommand = ["sh", "-c", "echo one; echo two"]\n')
    engine = Engine(workspace)
    run = engine.run_and_wait("talk")
    first = engine.log(run.run_id, after=0, limit=4)
    assert (first.text, first.end) == ("one\n", 4)
    assert engine.log(run.run_id, after=first.end).text.startswith("two\n")
    assert engine.log("0" * 12).missing


def test_a_character_on_the_edge_of_a_chunk_stays_whole(workspace):
    engine = Engine(workspace)
    workspace.logs.mkdir(parents=True)
    told = "aé€😀z" * 40
    workspace.run_log("abc").write_text(told, encoding="utf-8")
    for limit in range(5, 12):
        text, offset = "", 0
        while chunk := engine.log("abc", after=offset, limit=limit).text:
            text += chunk
            offset = engine.log("abc", after=offset, limit=limit).end
        assert text == told
