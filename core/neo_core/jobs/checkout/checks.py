"""Why a checkout is left alone: every reason has a code and a sentence, and every check changes nothing."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neo_core.config import DevSyncConfig
    from neo_core.jobs.checkout.git import Answer, Git

_SHOWN = 3
_UNFINISHED = {
    "MERGE_HEAD": "a merge",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase or am",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "BISECT_LOG": "a bisect",
}


class Reason(StrEnum):
    """Every reason code of ``primary-dev-sync``; all but ``UP_TO_DATE`` mean skipped."""

    NOT_A_CHECKOUT = "not-a-git-checkout"
    INDEX_LOCKED = "index-locked"
    IN_PROGRESS = "merge-or-rebase-in-progress"
    DETACHED = "detached-head"
    WRONG_BRANCH = "wrong-branch"
    NO_COMMIT = "no-commit-yet"
    DIRTY = "dirty-checkout"
    NO_REMOTE = "no-such-remote"
    NO_REMOTE_BRANCH = "remote-branch-missing"
    AHEAD = "local-ahead"
    DIVERGED = "diverged"
    UNTRACKED = "untracked-would-be-overwritten"
    UP_TO_DATE = "up-to-date"


class Refusal(NamedTuple):
    """One reason to leave the checkout as it is; ``paths`` are the files concerned, relative to the checkout."""

    reason: Reason
    sentence: str
    paths: tuple[str, ...] = ()


def refusal_here(git: Git, settings: DevSyncConfig) -> Refusal | None:
    """Return why the checkout itself forbids a fast-forward, if it does; raises ``JobError`` when git fails."""
    if not git.in_checkout():
        return Refusal(Reason.NOT_A_CHECKOUT, f"{git.folder} is not inside a git checkout")
    unfinished = _unfinished(Path(git.read("rev-parse", "--absolute-git-dir").line))
    return unfinished or _wrong_head(git, settings.branch) or _dirty(git)


def refusal_of_remote(git: Git, settings: DevSyncConfig) -> Refusal | None:
    """Return a refusal unless the configured remote is one of the checkout's."""
    known = git.read("remote").line.splitlines()
    if settings.remote in known:
        return None
    has = f"its remotes are {', '.join(known)}" if known else "it has none"
    return Refusal(Reason.NO_REMOTE, f"the checkout has no remote {settings.remote}: {has}")


def refusal_of_fetch(answer: Answer, settings: DevSyncConfig) -> Refusal | None:
    """Return the refusal that a failed fetch means; ``None`` when it is a failure."""
    if "couldn't find remote ref" in answer.err.lower():
        return Refusal(Reason.NO_REMOTE_BRANCH, f"{settings.remote} has no branch {settings.branch}")
    return None


def refusal_of_counts(ahead: int, behind: int, settings: DevSyncConfig) -> Refusal | None:
    """Return a refusal unless ``behind`` commits can be had without giving up the ``ahead`` local ones."""
    upstream = f"{settings.remote}/{settings.branch}"
    if ahead and behind:
        sentence = f"{settings.branch} and {upstream} have diverged: local by {ahead}, remote by {behind} commits"
        return Refusal(Reason.DIVERGED, sentence)
    if ahead:
        return Refusal(Reason.AHEAD, f"{settings.branch} is ahead of {upstream} by {ahead}: there is nothing to pull")
    return None


def refusal_of_merge(answer: Answer, settings: DevSyncConfig) -> Refusal | None:
    """Return the refusal that a failed ``merge --ff-only`` means; ``None`` when it is a failure."""
    paths = tuple(line[1:] for line in answer.err.splitlines() if line.startswith("\t"))
    if "untracked working tree files would be" in answer.err or "would lose untracked files" in answer.err:
        sentence = f"the pull would overwrite files that git does not track: {_some(paths)}"
        return Refusal(Reason.UNTRACKED, sentence, paths)
    if "local changes to the following files would be overwritten" in answer.err:
        return Refusal(Reason.DIRTY, f"the pull would overwrite local changes: {_some(paths)}", paths)
    if "index.lock" in answer.err and "File exists" in answer.err:
        return Refusal(Reason.INDEX_LOCKED, "another git has just locked the index of this checkout")
    if "Not possible to fast-forward" in answer.err:
        return Refusal(Reason.DIVERGED, f"{settings.branch} got a local commit just now and cannot be fast-forwarded")
    return None


def _unfinished(folder: Path) -> Refusal | None:
    lock = folder / "index.lock"
    if lock.exists():
        sentence = f"the index is locked by another git; if none runs, remove {lock}"
        return Refusal(Reason.INDEX_LOCKED, sentence)
    for name, what in _UNFINISHED.items():
        if (folder / name).exists():
            return Refusal(Reason.IN_PROGRESS, f"{what} is in progress in this checkout; finish or abort it")
    return None


def _wrong_head(git: Git, branch: str) -> Refusal | None:
    here = git.ask("symbolic-ref", "--quiet", "HEAD")
    if here.code != 0:
        return Refusal(Reason.DETACHED, f"HEAD is detached, not on branch {branch}")
    current = here.line.removeprefix("refs/heads/")
    if current != branch:
        return Refusal(Reason.WRONG_BRANCH, f"the checkout is on branch {current}, not on {branch}")
    if git.ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}").code != 0:
        return Refusal(Reason.NO_COMMIT, f"branch {branch} has no commit yet")
    return None


def _dirty(git: Git) -> Refusal | None:
    listed = git.read("status", "--porcelain=v2", "-z", "--untracked-files=no", "--no-renames").paths
    paths = tuple(path for path in map(_changed_path, listed) if path)
    if not paths:
        return None
    return Refusal(Reason.DIRTY, f"the checkout has changes that are not committed: {_some(paths)}", paths)


def _changed_path(entry: bytes) -> str:
    """Return the path of a changed entry of ``status --porcelain=v2``; empty for what no fast-forward touches."""
    fields = entry.split(b" ", 10 if entry.startswith(b"u ") else 8)
    if entry.startswith(b"u ") and len(fields) == 11:
        return fields[10].decode("utf-8", "replace")
    if not entry.startswith(b"1 ") or len(fields) != 9:
        return ""
    # A submodule that only its own folder has moved (X is "."): a pull before this one may have left it so.
    if fields[2].startswith(b"S") and fields[1].startswith(b"."):
        return ""
    return fields[8].decode("utf-8", "replace")


def _some(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(paths[:_SHOWN]) + more
