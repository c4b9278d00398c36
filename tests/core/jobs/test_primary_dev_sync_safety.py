"""primary-dev-sync loses nothing: local work of every kind stops it, and no setting of git's makes it bolder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from neo_core.config import Config
from neo_core.jobs import cascade as cascade_module
from neo_core.jobs import primary_dev_sync
from neo_core.jobs.cascade import CascadeOutcome, cascade
from neo_core.jobs.checkout import checks
from neo_core.ledger.models import Outcome
from neo_core.workspace import Workspace, resolve_workspace

if TYPE_CHECKING:
    from pathlib import Path

    from neo_core.jobs.support import JobResult


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path, name: str, content: str) -> str:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(content)
    git(folder, "add", "-f", name)
    git(folder, "commit", "-qm", f"{name}: {content}")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout on dev, one commit behind its origin: ``a.md`` was one there and is two."""
    for name in ("GLOBAL", "SYSTEM"):
        monkeypatch.setenv(f"GIT_CONFIG_{name}", os.devnull)
    for name in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{name}_NAME", "Tester")
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "tester@example.org")
    git(tmp_path, "init", "-q", "--bare", "-b", "dev", "origin.git")
    git(tmp_path, "clone", "-q", "origin.git", "other")
    git(tmp_path / "other", "checkout", "-q", "-B", "dev")
    commit(tmp_path / "other", "a.md", "one")
    commit(tmp_path / "other", "b.md", "one")
    git(tmp_path / "other", "push", "-q", "origin", "dev")
    git(tmp_path, "clone", "-q", "origin.git", "here")
    publish(tmp_path / "here", "a.md", "two")
    return tmp_path / "here"


def publish(here: Path, name: str, content: str) -> str:
    other = here.parent / "other"
    made = commit(other, name, content)
    git(other, "push", "-q", "origin", "dev")
    return made


def run(here: Path) -> JobResult:
    return primary_dev_sync.sync(
        resolve_workspace(here), Config(), lambda _workspace, _task: CascadeOutcome("r", "completed", "", "")
    )


def refused(here: Path) -> str:
    head = git(here, "rev-parse", "HEAD")
    result = run(here)
    assert result.outcome == "skipped"
    assert result.summary
    assert git(here, "rev-parse", "HEAD") == head
    return result.reason_code


def test_changed_tracked_file_is_refused_even_where_the_pull_would_not_touch_it(here: Path) -> None:
    (here / "b.md").write_text("mine")
    assert refused(here) == "dirty-checkout"
    assert (here / "b.md").read_text() == "mine"
    assert run(here).details["paths"] == ["b.md"]


def test_staged_file_is_refused_and_stays_staged(here: Path) -> None:
    (here / "new file.md").write_text("mine")
    git(here, "add", "new file.md")
    assert refused(here) == "dirty-checkout"
    assert git(here, "diff", "--cached", "--name-only") == "new file.md"


def test_staged_rename_is_refused(here: Path) -> None:
    git(here, "mv", "b.md", "c.md")
    assert refused(here) == "dirty-checkout"


def test_deleted_file_is_refused_and_not_brought_back(here: Path) -> None:
    (here / "b.md").unlink()
    assert refused(here) == "dirty-checkout"
    assert not (here / "b.md").exists()


def test_merge_in_progress_is_refused(here: Path) -> None:
    git(here, "checkout", "-q", "-b", "side")
    commit(here, "b.md", "side")
    git(here, "checkout", "-q", "dev")
    commit(here, "b.md", "dev")
    with pytest.raises(subprocess.CalledProcessError):
        git(here, "merge", "-q", "side")
    assert refused(here) == "merge-or-rebase-in-progress"


def test_rebase_in_progress_is_refused_before_its_detached_head_is(here: Path) -> None:
    git(here, "checkout", "-q", "-b", "side")
    commit(here, "b.md", "side")
    git(here, "checkout", "-q", "dev")
    commit(here, "b.md", "dev")
    with pytest.raises(subprocess.CalledProcessError):
        git(here, "rebase", "-q", "side")
    assert refused(here) == "merge-or-rebase-in-progress"


def test_conflicts_of_a_stash_are_refused_as_dirty(here: Path) -> None:
    (here / "b.md").write_text("stashed")
    git(here, "stash", "-q")
    commit(here, "b.md", "dev")
    with pytest.raises(subprocess.CalledProcessError):
        git(here, "stash", "pop", "-q")
    assert refused(here) == "dirty-checkout"
    assert run(here).details["paths"] == ["b.md"]


def test_locked_index_is_refused_and_the_lock_stays(here: Path) -> None:
    lock = here / ".git" / "index.lock"
    lock.touch()
    assert refused(here) == "index-locked"
    assert str(lock) in run(here).summary
    assert lock.exists()


def test_untracked_file_alone_hinders_nothing(here: Path) -> None:
    (here / "untracked.md").write_text("mine")
    assert run(here).details["moved"] is True
    assert (here / "untracked.md").read_text() == "mine"


def test_untracked_file_that_the_pull_brings_is_refused_and_kept(here: Path) -> None:
    publish(here, "clash.md", "theirs")
    (here / "clash.md").write_text("mine")
    assert refused(here) == "untracked-would-be-overwritten"
    assert run(here).details["paths"] == ["clash.md"]
    assert (here / "clash.md").read_text() == "mine"
    assert (here / "a.md").read_text() == "one"


def test_ignored_file_that_the_pull_brings_is_refused_and_kept(here: Path) -> None:
    (here / ".git" / "info" / "exclude").write_text(".env\n")
    (here / ".env").write_text("my secret")
    publish(here, ".env", "theirs")
    assert refused(here) == "untracked-would-be-overwritten"
    assert (here / ".env").read_text() == "my secret"


def test_edit_that_git_was_told_not_to_see_is_refused_and_kept(here: Path) -> None:
    git(here, "update-index", "--assume-unchanged", "a.md")
    (here / "a.md").write_text("mine")
    assert refused(here) == "dirty-checkout"
    assert (here / "a.md").read_text() == "mine"


@pytest.mark.parametrize(
    "setting",
    [
        ("merge.autoStash", "true"),
        ("merge.ff", "false"),
        ("pull.rebase", "true"),
        ("branch.dev.mergeOptions", "--squash --no-ff"),
        ("fetch.prune", "true"),
        ("fetch.pruneTags", "true"),
        ("status.showUntrackedFiles", "all"),
        ("status.branch", "true"),
        ("submodule.recurse", "true"),
        ("diff.noprefix", "true"),
        ("core.pager", "false"),
        ("color.ui", "always"),
        ("remote.origin.fetch", "+refs/heads/*:refs/elsewhere/*"),
    ],
)
def test_settings_of_the_user_change_nothing(here: Path, setting: tuple[str, str]) -> None:
    git(here, "tag", "local-tag")
    git(here, "config", *setting)
    (here / "b.md").write_text("mine")
    assert refused(here) == "dirty-checkout"
    git(here, "checkout", "-q", "b.md")
    result = run(here)
    assert (result.outcome, result.details["moved"]) == ("completed", True)
    assert git(here, "rev-list", "--merges", "--count", "HEAD") == "0"
    assert git(here, "-c", "color.ui=false", "status", "--porcelain") == ""
    assert git(here, "tag") == "local-tag"
    assert git(here, "stash", "list") == ""


def test_submodule_that_a_pull_left_behind_does_not_stop_the_next_one(here: Path) -> None:
    other = here.parent / "other"
    module = here.parent / "module"
    git(here.parent, "init", "-q", "-b", "main", "module")
    commit(module, "m.md", "one")
    git(other, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(module), "sub")
    publish(here, "c.md", "with a submodule")
    assert run(here).details["moved"] is True
    git(here, "-c", "protocol.file.allow=always", "submodule", "--quiet", "update", "--init")
    commit(other / "sub", "m.md", "two")
    git(other, "add", "sub")
    publish(here, "c.md", "with a newer one")
    assert run(here).details["moved"] is True
    assert git(here, "status", "--porcelain") == "M sub"
    publish(here, "c.md", "and on")
    assert run(here).details["moved"] is True


def test_branch_switched_during_the_fetch_is_refused(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch = primary_dev_sync._fetch

    def switching(*arguments: object) -> object:
        git(here, "checkout", "-q", "-b", "feature")
        return fetch(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(primary_dev_sync, "_fetch", switching)
    assert refused(here) == "wrong-branch"


def test_post_merge_hook_that_stays_behind_does_not_hold_the_job(here: Path) -> None:
    hook = here / ".git" / "hooks" / "post-merge"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\nsleep 30 &\necho $! > "$(git rev-parse --git-dir)/left"\n')
    hook.chmod(0o755)
    try:
        assert run(here).details["moved"] is True
        assert (here / ".git" / "left").exists()
    finally:
        subprocess.run(["kill", (here / ".git" / "left").read_text().strip()], check=True)


def test_every_skip_has_a_code_of_its_own() -> None:
    codes = [reason.value for reason in checks.Reason]
    assert len(set(codes)) == len(codes) == 13


def test_job_ends_with_its_reason_as_the_last_line(here: Path) -> None:
    (here / "b.md").write_text("mine")
    command = [sys.executable, "-m", "neo_core.jobs.primary_dev_sync", "--workspace", str(here)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["outcome"], told["reasonCode"]) == ("skipped", "dirty-checkout")


def test_cascade_asks_the_engine_for_one_run_and_tells_how_it_ended(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Workspace, str, str]] = []

    class Row:
        run_id = "r7"
        outcome = Outcome.DEFERRED
        reason_code = "heavy-maintenance-lease-held"
        reason = "held by sandman"

    class Engine:
        def __init__(self, workspace: Workspace) -> None:
            self.workspace = workspace

        def run_and_wait(self, task: str, trigger: str) -> Row:
            asked.append((self.workspace, task, trigger))
            return Row()

    monkeypatch.setattr("neo_core.engine.Engine", Engine)
    workspace = resolve_workspace(here)
    told = cascade(workspace, "kbSync")
    assert asked == [(workspace, "kbSync", "cascade")]
    assert told == CascadeOutcome("r7", "deferred", "heavy-maintenance-lease-held", "held by sandman")
    assert str(told) == "deferred (heavy-maintenance-lease-held)"
    assert cascade_module.CascadeOutcome("", "completed", "", "").__str__() == "completed"
