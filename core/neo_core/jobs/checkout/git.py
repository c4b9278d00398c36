"""The one place where the jobs start git: no prompt, no pager, no translation, nothing that outlives the job."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from typing import TYPE_CHECKING, NamedTuple

from neo_core.durations import format_duration
from neo_core.errors import JobError

if TYPE_CHECKING:
    from pathlib import Path

# Variables by which a surrounding git (a hook, an alias) would point this one at another repository.
_FOREIGN_VARIABLES = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_DIR",
    "GIT_INDEX_FILE",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_WORK_TREE",
)
# An empty GIT_ASKPASS also keeps git from asking SSH_ASKPASS's window.
_SURROUNDINGS = {
    "GIT_ASKPASS": "",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PAGER": "cat",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
    "SSH_ASKPASS_REQUIRE": "never",
}
SSH_COMMAND = "GIT_SSH_COMMAND"
_SETTINGS = ("gc.auto=0", "maintenance.auto=false", "core.fsmonitor=false", "submodule.recurse=false")
_PASSWORD = re.compile(r"://[^/@\s]+@")
_NO_CHECKOUT = "not a git repository"
_GRACE = 5.0


class GitError(JobError):
    """Git itself says no; ``cause`` carries its own words."""


class Answer(NamedTuple):
    """How one git command ended: its exit code, its bytes and its words, passwords in addresses left out."""

    code: int
    out: bytes
    err: str

    @property
    def line(self) -> str:
        """The output as one text, without the line's end."""
        return self.out.decode("utf-8", "replace").strip()

    @property
    def paths(self) -> list[bytes]:
        """The output of a ``-z`` listing, byte for byte."""
        return [path for path in self.out.split(b"\0") if path]

    @property
    def complaint(self) -> str:
        """The line of stderr that says why: the last ``fatal:`` or ``error:``, else the last one."""
        lines = [line.strip() for line in self.err.splitlines() if line.strip()]
        told = [number for number, line in enumerate(lines) if line.startswith(("fatal:", "error:"))]
        if not told:
            return lines[-1] if lines else f"exit code {self.code}"
        last = told[-1]
        if last and "Could not read from remote repository" in lines[last]:
            return f"{lines[last - 1]} ({lines[last]})"
        return lines[last]


class Git:
    """Git in one folder. Every method raises ``JobError`` when git is missing or gives no answer in time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def ask(self, *arguments: str, timeout: float | None = None) -> Answer:
        """Run git and return its answer, whatever the exit code; ``timeout`` is in seconds."""
        settings = [part for setting in _SETTINGS for part in ("-c", setting)]
        command = ["git", "--no-pager", *settings, *arguments]
        # Files and not pipes: a process that a hook leaves behind would keep a pipe open for ever.
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            try:
                child = subprocess.Popen(
                    command, cwd=self.folder, env=_environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=err
                )
            except OSError as error:
                raise self._cannot_start(error) from error
            verb = next(word for word in arguments if not word.startswith("-") and "=" not in word)
            code = _wait(child, f"git {verb}", timeout)
            out.seek(0)
            err.seek(0)
            words = _PASSWORD.sub("://", err.read().decode("utf-8", "replace"))
            return Answer(code, out.read(), words)

    def read(self, *arguments: str, timeout: float | None = None) -> Answer:
        """Run git and return its answer; raises ``GitError`` with git's own words unless it succeeded."""
        answer = self.ask(*arguments, timeout=timeout)
        if answer.code != 0:
            raise self.failure(answer, *arguments)
        return answer

    def in_checkout(self) -> bool:
        """Return whether the folder lies in a work tree; raises ``GitError`` when git refuses to say."""
        answer = self.ask("rev-parse", "--is-inside-work-tree")
        if answer.code != 0 and _NO_CHECKOUT not in answer.err:
            raise self.failure(answer, "rev-parse")
        return answer.code == 0 and answer.line == "true"

    def failure(self, answer: Answer, *arguments: str) -> GitError:
        """Return the error that a failed ``answer`` means."""
        return GitError(
            f"git {arguments[0]} in {self.folder}",
            f"failed: {answer.complaint.rstrip('.')}",
            "Run it there by hand, mend what git says, then run the job again.",
        )

    def _cannot_start(self, error: OSError) -> JobError:
        if not self.folder.is_dir():
            return JobError(f"folder {self.folder}", "is not there any more", "Name an existing folder.")
        if isinstance(error, FileNotFoundError):
            return JobError("git", "is not installed, or not on PATH", "Install git (https://git-scm.com), run again.")
        return JobError("git", f"cannot be started: {error.strerror}", "Mend the installation of git, run again.")


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _FOREIGN_VARIABLES}
    if SSH_COMMAND in kept:
        kept[SSH_COMMAND] = without_master(kept[SSH_COMMAND])
    return {**kept, **_SURROUNDINGS}


def without_master(command: str) -> str:
    """Return an ssh command line that leaves no connection master behind; another program's stays as it is."""
    words = command.split()
    return f"{command} -o ControlMaster=no" if words and words[0].rsplit("/", 1)[-1] == "ssh" else command


def _wait(child: subprocess.Popen[bytes], name: str, timeout: float | None) -> int:
    try:
        return child.wait(timeout)
    except subprocess.TimeoutExpired as error:
        _end(child)
        raise JobError(
            name,
            f"gave no answer within {format_duration(timeout or 0)}",
            "Run it by hand to see what it waits for, then run the job again.",
        ) from error
    except BaseException:
        _end(child)
        raise


def _end(child: subprocess.Popen[bytes]) -> None:
    """End git as git wants it: on SIGTERM it removes its own lock files, on SIGKILL it cannot."""
    child.terminate()
    try:
        child.wait(_GRACE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
