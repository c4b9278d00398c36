"""The jobs' git: its own words as the cause, no secrets in them, and nothing left running."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from neo_core.config import Config
from neo_core.errors import JobError
from neo_core.jobs.checkout.git import Answer, Git, GitError
from neo_core.jobs.primary_dev_sync import sync
from neo_core.workspace import resolve_workspace

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("GLOBAL", "SYSTEM"):
        monkeypatch.setenv(f"GIT_CONFIG_{name}", os.devnull)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    folder = tmp_path / "checkout"
    subprocess.run(["git", "init", "-q", "-b", "dev", str(folder)], check=True)
    return folder


def commit(folder: Path) -> None:
    named = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *named, "commit", "-q", "--allow-empty", "-m", "one"], cwd=folder, check=True)


@pytest.fixture
def fifo(tmp_path: Path) -> Path:
    """A pipe that ``git hash-object`` waits on for ever."""
    path = tmp_path / "fifo"
    os.mkfifo(path)
    return path


def children() -> set[int]:
    """Our children that live or wait to be collected; other tests of this process may have left some."""
    return {child.pid for child in psutil.Process().children()}


def is_waiting(thread: int) -> bool:
    """Whether that thread has git's process in hand and waits for its end."""
    frame = sys._current_frames()[thread]
    while frame.f_back is not None and frame.f_code.co_filename == subprocess.__file__:
        frame = frame.f_back
    return frame.f_code.co_name == "_wait"


def test_refused_login_is_told_in_gits_words_without_the_password(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text("#!/bin/sh\necho 'Permission denied for https://u:hunter2@host/x (publickey).' >&2\nexit 255\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(ssh))
    subprocess.run(["git", "remote", "add", "origin", "ssh://u@host/x"], cwd=checkout, check=True)
    commit(checkout)
    with pytest.raises(JobError) as caught:
        sync(resolve_workspace(checkout), Config(), lambda *_: pytest.fail("nothing moved"))
    assert caught.value.thing == "git fetch origin"
    assert "Permission denied for https://host/x (publickey)" in caught.value.cause
    assert "fatal: Could not read from remote repository" in caught.value.cause
    assert "hunter2" not in str(caught.value)


def test_complaint_is_the_line_that_says_why() -> None:
    assert Answer(1, b"", "hint: x\nfatal: the cause\nhint: try this\n").complaint == "fatal: the cause"
    assert Answer(1, b"", "one\ntwo\n\n").complaint == "two"
    assert Answer(3, b"", "").complaint == "exit code 3"


def test_failed_command_raises_its_own_words(checkout: Path) -> None:
    with pytest.raises(GitError, match=r"git rev-parse in .* failed: fatal: .*no-such-thing"):
        Git(checkout).read("rev-parse", "no-such-thing")


def test_broken_repository_is_an_error_and_not_a_missing_checkout(checkout: Path) -> None:
    (checkout / ".git" / "config").write_text("[core\n")
    with pytest.raises(GitError, match="bad config line 1"):
        Git(checkout).in_checkout()


def test_missing_git_says_to_install_it(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(checkout))
    with pytest.raises(JobError, match=r"git: is not installed, or not on PATH\. Install git"):
        sync(resolve_workspace(checkout), Config())


def test_vanished_folder_is_not_blamed_on_git(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="is not there any more"):
        Git(tmp_path / "gone").ask("status")


def test_git_that_gives_no_answer_is_ended_in_time(checkout: Path, fifo: Path) -> None:
    before = children()
    with pytest.raises(JobError, match="git hash-object: gave no answer within 200ms"):
        Git(checkout).ask("hash-object", str(fifo), timeout=0.2)
    assert children() <= before


def test_git_is_ended_with_the_job_that_is_asked_to_leave(checkout: Path, fifo: Path) -> None:
    done, main = threading.Event(), threading.get_ident()

    def leave(*_: object) -> None:
        raise SystemExit(143)

    def ask_to_leave() -> None:
        # Opens once git reads, so git is running by then; kept open, so that git goes on waiting.
        with fifo.open("wb"):
            while not is_waiting(main):
                time.sleep(0.001)
            os.kill(os.getpid(), signal.SIGUSR1)
            done.wait(20)

    mine = children()
    before = signal.signal(signal.SIGUSR1, leave)
    asker = threading.Thread(target=ask_to_leave)
    asker.start()
    try:
        with pytest.raises(SystemExit):
            Git(checkout).ask("hash-object", str(fifo), timeout=20)
        assert children() <= mine
    finally:
        done.set()
        asker.join()
        signal.signal(signal.SIGUSR1, before)
