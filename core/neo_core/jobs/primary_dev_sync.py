"""The job ``primary-dev-sync``: lets a clean checkout follow its remote branch, by fast-forward and nothing else.

Run it as ``python -m neo_core.jobs.primary_dev_sync --workspace DIR``. It never resets, stashes, checks out or forces.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from neo_core.errors import JobError, NeoError
from neo_core.jobs.cascade import CascadeOutcome, cascade
from neo_core.jobs.checkout.checks import (
    Reason,
    Refusal,
    refusal_here,
    refusal_of_counts,
    refusal_of_fetch,
    refusal_of_merge,
    refusal_of_remote,
)
from neo_core.jobs.checkout.git import SSH_COMMAND, Git, without_master
from neo_core.jobs.support import JobResult, run_job, say
from neo_core.workspace import Workspace

if TYPE_CHECKING:
    from neo_core.config import Config, DevSyncConfig
    from neo_core.jobs.checkout.git import Answer

_CASCADED = "kbSync"
_FETCH_TIMEOUT = 1800.0
_SHORT = 10
_SHOWN = 20
Cascade = Callable[[Workspace, str], CascadeOutcome]


class Moved(NamedTuple):
    """A fast-forward of ``commits`` commits, by full commit ids; none when ``before`` is ``after``."""

    before: str
    after: str
    commits: int


def sync(workspace: Workspace, config: Config, start: Cascade = cascade) -> JobResult:
    """Fast-forward the clean checkout to its remote branch, then run kbSync if that moved it; raises ``JobError``."""
    settings = config.jobs.primary_dev_sync
    done = _pull(Git(workspace.root), settings)
    if isinstance(done, Refusal):
        details = (
            {"moved": False, "paths": list(done.paths[:_SHOWN]), "pathCount": len(done.paths)}
            if done.paths
            else {"moved": False}
        )
        return JobResult(outcome="skipped", reason_code=done.reason, summary=done.sentence, details=details)
    if done.commits == 0:
        summary = f"{settings.branch} is up to date with {settings.remote} at {done.after[:_SHORT]}"
        return JobResult(summary=summary, reason_code=Reason.UP_TO_DATE, details=_details(done, settings))
    moved = f"moved from {done.before[:_SHORT]} to {done.after[:_SHORT]}"
    summary = f"{settings.branch} {moved}, {done.commits} {'commit' if done.commits == 1 else 'commits'}"
    say(summary)
    if not settings.cascade:
        return JobResult(summary=summary, details=_details(done, settings))
    followed = _follow(workspace, start)
    details = {**_details(done, settings), "cascade": {"task": _CASCADED, **followed._asdict()}}
    return JobResult(summary=f"{summary}; cascade: {followed}", details=details)


def _pull(git: Git, settings: DevSyncConfig) -> Moved | Refusal:
    refusal = refusal_here(git, settings) or refusal_of_remote(git, settings)
    if refusal is not None:
        return refusal
    upstream = _fetch(git, settings)
    if isinstance(upstream, Refusal):
        return upstream
    # A fetch takes its time: somebody may have switched the branch or begun to edit.
    return refusal_here(git, settings) or _fast_forward(git, settings, upstream)


def _fetch(git: Git, settings: DevSyncConfig) -> str | Refusal:
    """Fetch the one branch, nothing pruned and no tag moved, and return the remote's commit."""
    tracking = f"refs/remotes/{settings.remote}/{settings.branch}"
    say(f"fetching {settings.branch} from {settings.remote}")
    answer = git.ask(
        *_ssh_without_master(git),
        "fetch",
        "--no-tags",
        "--no-prune",
        "--no-recurse-submodules",
        "--refmap=",
        settings.remote,
        f"+refs/heads/{settings.branch}:{tracking}",
        timeout=_FETCH_TIMEOUT,
    )
    if answer.code == 0:
        return git.read("rev-parse", "--verify", f"{tracking}^{{commit}}").line
    refusal = refusal_of_fetch(answer, settings)
    if refusal is not None:
        return refusal
    raise JobError(
        f"git fetch {settings.remote}",
        f"failed: {answer.complaint.rstrip('.')}",
        f"Check the network and your access: run git fetch {settings.remote} in {git.folder}.",
    )


def _ssh_without_master(git: Git) -> tuple[str, ...]:
    """Let ssh leave no shared connection behind: its master would outlive the job and keep the lease."""
    if SSH_COMMAND in os.environ:
        return ()
    told = git.ask("config", "--get", "core.sshCommand").line or "ssh"
    return ("-c", f"core.sshCommand={without_master(told)}")


def _fast_forward(git: Git, settings: DevSyncConfig, upstream: str) -> Moved | Refusal:
    head = git.read("rev-parse", "--verify", "HEAD^{commit}").line
    counts = git.read("rev-list", "--left-right", "--count", f"{head}...{upstream}").line.split()
    ahead, behind = int(counts[0]), int(counts[1])
    refusal = refusal_of_counts(ahead, behind, settings)
    if refusal is not None:
        return refusal
    if behind:
        answer = _merge(git, upstream)
        if answer.code != 0:
            refusal = refusal_of_merge(answer, settings)
            if refusal is not None:
                return refusal
            raise git.failure(answer, "merge")
    return Moved(head, upstream, behind)


def _merge(git: Git, upstream: str) -> Answer:
    """Fast-forward or refuse; nothing of the user's settings may stash, squash or overwrite ignored files."""
    options = ("--ff-only", "--no-squash", "--no-stat", "--no-overwrite-ignore")
    return git.ask("-c", "merge.autoStash=false", "merge", *options, upstream)


def _follow(workspace: Workspace, start: Cascade) -> CascadeOutcome:
    """Run the cascaded task; the pull is done, so that its trouble is told and not raised."""
    try:
        return start(workspace, _CASCADED)
    except NeoError as error:
        return CascadeOutcome("", "failed", "cascade-not-started", str(error))


def _details(moved: Moved, settings: DevSyncConfig) -> dict[str, Any]:
    return {
        "moved": moved.commits > 0,
        "branch": settings.branch,
        "remote": settings.remote,
        "before": moved.before,
        "after": moved.after,
        "commits": moved.commits,
    }


if __name__ == "__main__":
    sys.exit(run_job("primary_dev_sync", sync))
