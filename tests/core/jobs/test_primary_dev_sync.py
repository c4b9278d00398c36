"""primary-dev-sync: a clean checkout follows its remote by fast-forward; everything else is refused with a reason."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from neo_core.config import Config, DevSyncConfig, JobsConfig
from neo_core.errors import JobError, LedgerError
from neo_core.jobs.cascade import CascadeOutcome
from neo_core.jobs.primary_dev_sync import sync
from neo_core.workspace import Workspace, resolve_workspace

if TYPE_CHECKING:
    from pathlib import Path

    from neo_core.jobs.support import JobResult


class Clones(NamedTuple):
    """A bare origin with a branch dev, the checkout under test, and another clone that pushes."""

    origin: Path
    here: Path
    other: Path


class Cascades:
    """Stands in for the engine: remembers what was started and ends it as told."""

    def __init__(self, outcome: CascadeOutcome | Exception) -> None:
        self.outcome = outcome
        self.started: list[tuple[Path, str]] = []

    def __call__(self, workspace: Workspace, task: str) -> CascadeOutcome:
        self.started.append((workspace.root, task))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def clone(origin: Path, to: Path) -> Path:
    git(origin.parent, "clone", "-q", str(origin), str(to))
    git(to, "config", "user.name", "Tester")
    git(to, "config", "user.email", "tester@example.org")
    return to


def commit(folder: Path, name: str, content: str) -> str:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(content)
    git(folder, "add", "-f", name)
    git(folder, "commit", "-qm", f"{name}: {content}")
    return git(folder, "rev-parse", "HEAD")


def publish(clones: Clones, name: str = "a.md", content: str = "two") -> str:
    """Let the other clone push a commit; return it."""
    made = commit(clones.other, name, content)
    git(clones.other, "push", "-q", "origin", "HEAD:dev")
    return made


@pytest.fixture
def clones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clones:
    for name, value in (("GLOBAL", os.devnull), ("SYSTEM", os.devnull)):
        monkeypatch.setenv(f"GIT_CONFIG_{name}", value)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    origin = tmp_path / "origin.git"
    git(tmp_path, "init", "-q", "--bare", "-b", "dev", str(origin))
    other = clone(origin, tmp_path / "other")
    git(other, "checkout", "-q", "-B", "dev")
    commit(other, "a.md", "one")
    git(other, "push", "-q", "origin", "dev")
    return Clones(origin, clone(origin, tmp_path / "here"), other)


@pytest.fixture
def cascades() -> Cascades:
    return Cascades(CascadeOutcome("r1", "completed", "", "done"))


def run(folder: Path, cascades: Cascades, **settings: object) -> JobResult:
    config = Config(jobs=JobsConfig(primary_dev_sync=DevSyncConfig(**settings)))  # type: ignore[arg-type]
    return sync(resolve_workspace(folder), config, cascades)


def everything(folder: Path) -> tuple[str, ...]:
    """All that a refusal must leave alone: commits, branches, index, files and stashes."""
    files = sorted(
        f"{path.relative_to(folder)}={path.read_bytes()!r}"
        for path in folder.rglob("*")
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    )
    state = (("status", "--porcelain=v2"), ("stash", "list"), ("for-each-ref", "refs/heads", "refs/tags"))
    return (*files, *(git(folder, *arguments) for arguments in state))


def assert_refused(clones: Clones, cascades: Cascades, code: str, says: str, **settings: object) -> JobResult:
    before = everything(clones.here)
    result = run(clones.here, cascades, **settings)
    assert (result.outcome, result.reason_code) == ("skipped", code)
    assert says in result.summary
    assert result.details["moved"] is False
    assert everything(clones.here) == before
    assert cascades.started == []
    return result


def test_new_commits_are_fast_forwarded_and_cascade_one_kb_sync(clones: Clones, cascades: Cascades) -> None:
    before = git(clones.here, "rev-parse", "HEAD")
    publish(clones)
    after = publish(clones, "b.md", "new")
    result = run(clones.here, cascades)
    assert (result.outcome, result.reason_code) == ("completed", "")
    assert git(clones.here, "rev-parse", "HEAD") == git(clones.here, "rev-parse", "origin/dev") == after
    assert git(clones.here, "symbolic-ref", "HEAD") == "refs/heads/dev"
    assert (clones.here / "b.md").read_text() == "new"
    assert git(clones.here, "status", "--porcelain") == ""
    assert cascades.started == [(clones.here, "kbSync")]
    told = {name: result.details[name] for name in ("moved", "before", "after", "commits", "branch", "remote")}
    assert told == {
        "moved": True, "before": before, "after": after, "commits": 2, "branch": "dev", "remote": "origin",
    }  # fmt: skip
    assert result.details["cascade"]["run_id"] == "r1"
    assert result.summary == f"dev moved from {before[:10]} to {after[:10]}, 2 commits; cascade: completed"


def test_nothing_new_is_completed_and_cascades_nothing(clones: Clones, cascades: Cascades) -> None:
    before = everything(clones.here)
    result = run(clones.here, cascades)
    assert (result.outcome, result.reason_code, result.details["moved"]) == ("completed", "up-to-date", False)
    assert everything(clones.here) == before
    assert cascades.started == []


def test_second_run_after_a_pull_cascades_nothing_more(clones: Clones, cascades: Cascades) -> None:
    publish(clones)
    run(clones.here, cascades)
    assert run(clones.here, cascades).reason_code == "up-to-date"
    assert len(cascades.started) == 1


def test_pull_fetched_by_hand_before_still_moves_and_cascades(clones: Clones, cascades: Cascades) -> None:
    after = publish(clones)
    git(clones.here, "fetch", "-q")
    assert run(clones.here, cascades).details["after"] == after
    assert len(cascades.started) == 1


def test_cascade_can_be_switched_off(clones: Clones, cascades: Cascades) -> None:
    publish(clones)
    result = run(clones.here, cascades, cascade=False)
    assert result.details["moved"] is True
    assert "cascade" not in result.details
    assert cascades.started == []


def test_deferred_cascade_is_told_and_the_pull_stays_completed(clones: Clones) -> None:
    deferred = Cascades(CascadeOutcome("r2", "deferred", "heavy-maintenance-lease-held", "held by sandman"))
    publish(clones)
    result = run(clones.here, deferred)
    assert result.outcome == "completed"
    assert result.summary.endswith("cascade: deferred (heavy-maintenance-lease-held)")
    assert result.details["cascade"] == {
        "task": "kbSync",
        "run_id": "r2",
        "outcome": "deferred",
        "reason_code": "heavy-maintenance-lease-held",
        "sentence": "held by sandman",
    }


def test_cascade_that_cannot_be_started_is_told_and_the_pull_stays_completed(clones: Clones) -> None:
    publish(clones)
    result = run(clones.here, Cascades(LedgerError("ledger x", "is locked", "Wait.")))
    assert result.outcome == "completed"
    assert result.summary.endswith("cascade: failed (cascade-not-started)")
    assert result.details["cascade"]["sentence"] == "ledger x: is locked. Wait."


def test_other_branch_and_remote_can_be_configured(clones: Clones, cascades: Cascades) -> None:
    git(clones.other, "checkout", "-q", "-b", "next/major")
    after = commit(clones.other, "c.md", "c")
    git(clones.other, "push", "-q", "origin", "next/major")
    git(clones.here, "remote", "rename", "origin", "upstream")
    git(clones.here, "checkout", "-q", "-b", "next/major")
    result = run(clones.here, cascades, branch="next/major", remote="upstream")
    assert result.details["after"] == git(clones.here, "rev-parse", "HEAD") == after


def test_folder_of_no_checkout_is_refused(clones: Clones, cascades: Cascades, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    result = run(plain, cascades)
    assert (result.outcome, result.reason_code) == ("skipped", "not-a-git-checkout")
    assert str(plain) in result.summary


def test_bare_repository_is_no_checkout(clones: Clones, cascades: Cascades) -> None:
    assert run(clones.origin, cascades).reason_code == "not-a-git-checkout"


def test_missing_remote_is_refused(clones: Clones, cascades: Cascades) -> None:
    assert_refused(clones, cascades, "no-such-remote", "its remotes are origin", remote="upstream")
    git(clones.here, "remote", "remove", "origin")
    assert_refused(clones, cascades, "no-such-remote", "it has none")


def test_detached_head_is_refused(clones: Clones, cascades: Cascades) -> None:
    publish(clones)
    git(clones.here, "checkout", "-q", "--detach")
    assert_refused(clones, cascades, "detached-head", "HEAD is detached")


def test_other_branch_is_refused(clones: Clones, cascades: Cascades) -> None:
    publish(clones)
    git(clones.here, "checkout", "-q", "-b", "feature")
    assert_refused(clones, cascades, "wrong-branch", "on branch feature, not on dev")


def test_branch_without_a_commit_is_refused(clones: Clones, cascades: Cascades) -> None:
    git(clones.here, "checkout", "-q", "--orphan", "dev2")
    assert_refused(clones, cascades, "no-commit-yet", "no commit yet", branch="dev2")


def test_branch_missing_on_the_remote_is_refused(clones: Clones, cascades: Cascades) -> None:
    git(clones.here, "checkout", "-q", "-b", "local")
    assert_refused(clones, cascades, "remote-branch-missing", "origin has no branch local", branch="local")


def test_diverged_branches_are_refused(clones: Clones, cascades: Cascades) -> None:
    publish(clones)
    commit(clones.here, "mine.md", "mine")
    assert_refused(clones, cascades, "diverged", "local by 1, remote by 1")


def test_rewritten_remote_is_refused_as_diverged(clones: Clones, cascades: Cascades) -> None:
    git(clones.other, "commit", "-q", "--amend", "-m", "rewritten")
    git(clones.other, "push", "-q", "-f", "origin", "dev")
    assert_refused(clones, cascades, "diverged", "have diverged")


def test_local_commits_alone_are_refused_as_ahead(clones: Clones, cascades: Cascades) -> None:
    commit(clones.here, "mine.md", "mine")
    assert_refused(clones, cascades, "local-ahead", "ahead of origin/dev by 1")


def test_fetch_that_fails_is_an_error_in_gits_words(clones: Clones, cascades: Cascades, tmp_path: Path) -> None:
    git(clones.here, "remote", "set-url", "origin", str(tmp_path / "away.git"))
    before = everything(clones.here)
    with pytest.raises(JobError, match=r"git fetch origin: failed: fatal: .*away\.git") as caught:
        run(clones.here, cascades)
    assert caught.value.exit_code == 1
    assert everything(clones.here) == before
    assert cascades.started == []
