"""A real checkout follows its remote: two runs, parent and borrower, and one acquisition of the lease."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from neo_core.engine import Engine
from neo_core.jobs.index.database import search
from neo_core.ledger.models import LeaseRole, Outcome, Trigger
from neo_core.workspace import resolve_workspace

if TYPE_CHECKING:
    from pathlib import Path


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def clones(tmp_path, monkeypatch):
    """(the writer's clone, the maintained clone) of one bare origin, both on dev."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    git(tmp_path, "init", "-q", "--bare", "-b", "dev", "origin.git")
    git(tmp_path, "clone", "-q", "origin.git", "writer")
    writer = tmp_path / "writer"
    git(writer, "checkout", "-q", "-b", "dev")
    (writer / "first.md").write_text("the first document\n")
    git(writer, "add", ".")
    git(writer, "commit", "-q", "-m", "one")
    git(writer, "push", "-q", "origin", "dev")
    git(tmp_path, "clone", "-q", "-b", "dev", "origin.git", "primary")
    return writer, tmp_path / "primary"


def test_a_pull_that_moved_something_cascades_one_borrowed_index_run(clones):
    writer, primary = clones
    (writer / "second.md").write_text("an unmistakable zebra\n")
    git(writer, "add", ".")
    git(writer, "commit", "-q", "-m", "two")
    git(writer, "push", "-q", "origin", "dev")
    workspace = resolve_workspace(primary)
    engine = Engine(workspace)
    parent = engine.run_and_wait("primary-dev-sync")
    rows = engine.history()
    child = next(run for run in rows if run.task == "kbSync")
    assert len(rows) == 2
    assert (parent.outcome, parent.lease_role) == (Outcome.COMPLETED, LeaseRole.HOLDER)
    assert (child.outcome, child.lease_role) == (Outcome.COMPLETED, LeaseRole.BORROWER)
    assert (child.trigger, child.parent_run_id) == (Trigger.CASCADE, parent.run_id)
    assert parent.started_at <= child.started_at <= child.ended_at <= parent.ended_at
    events = [(event.event, event.run_id, event.generation) for event in reversed(engine.lease_history())]
    assert events == [
        ("acquired", parent.run_id, 1),
        ("inherited", child.run_id, 1),
        ("released", parent.run_id, 1),
    ]
    assert [hit.path for hit in search(workspace, "zebra", 5)] == ["second.md"]


def test_nothing_new_cascades_nothing(clones):
    _, primary = clones
    engine = Engine(resolve_workspace(primary))
    run = engine.run_and_wait("primary-dev-sync")
    assert (run.outcome, run.reason_code) == (Outcome.COMPLETED, "up-to-date")
    assert [row.task for row in engine.history()] == ["primary-dev-sync"]


def test_a_refusal_is_skipped_with_its_code(clones):
    _, primary = clones
    git(primary, "checkout", "-q", "-b", "feature")
    engine = Engine(resolve_workspace(primary))
    run = engine.run_and_wait("primary-dev-sync")
    assert (run.outcome, run.reason_code) == (Outcome.SKIPPED, "wrong-branch")
