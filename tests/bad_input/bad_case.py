"""One bad input: what is arranged, what an operator types, and what must be said; and how it is tried."""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import resource
import stat
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

MESSAGE = r"^(?:neo-console|neo-lease(?: run)?(?:: error)?|Error): "
UNREADABLE = r"✗ unreadable: "
FAILED = r"^✗ failed: "
FINDING = r"^✗ "
DEFERRED = r"^deferred: "

_PR_CAPBSET_DROP = 24
_ROOTS_PASSES = (1, 2, 3)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER
_MODULES = {"neo-console": "neo_console.cli.main", "neo-lease": "neo_core.commands.lease"}


class CannotTryError(Exception):
    """This machine cannot arrange the case."""


@dataclass
class Place:
    """Where a case happens: a workspace ``root`` in a folder of its own, the environment, and what to undo."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    before_start: list[Callable[[], None]] = field(default_factory=list)
    undo: list[Callable[[], object]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.root = self.cwd = self.folder / "workspace"
        self.data = self.root / ".neo-ai-data"
        self.state = self.data / "orchestrator-daemon"
        self.lease = self.state / "heavy-maintenance-lease.json"
        self.ledger = self.state / "ledger.sqlite3"
        self.config = self.root / "neo-console.toml"
        self.data.mkdir(parents=True)
        (self.root / "notes.md").write_text("the user's own\n")
        (self.folder / "bin").mkdir()
        for name, module in _MODULES.items():
            command = self.folder / "bin" / name
            command.write_text(f'#!/bin/sh\nexec {sys.executable} -m {module} "$@"\n')
            command.chmod(0o755)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("NEO_", "PYTHONIO"))}
        self.environment = {**kept, "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}

    def without_roots_passes(self) -> None:
        """Let permission bits bind also when the tests run as root."""

        def drop() -> None:
            libc = ctypes.CDLL(None)
            for capability in _ROOTS_PASSES:
                if libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
                    os._exit(77)

        if os.geteuid() != 0:
            return
        if not sys.platform.startswith("linux") or subprocess.run(["true"], preexec_fn=drop, check=False).returncode:
            raise CannotTryError("root cannot give up its passes here")
        self.before_start.append(drop)

    def limit_file_size(self, size: int) -> None:
        self.before_start.append(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))

    def chmod(self, path: Path, mode: int) -> None:
        """Change a mode for the case, and back for whoever cleans up."""
        self.without_roots_passes()
        before = path.stat().st_mode & 0o7777
        path.chmod(mode)
        self.undo.append(lambda: path.chmod(before))

    def contents(self) -> dict[str, str]:
        """Return every file's hash, every other thing's kind, by path."""
        found: dict[str, str] = {}
        for folder, folders, files in os.walk(self.folder):
            for name in (*folders, *files):
                path = Path(folder, name)
                plain = path.is_file() and not path.is_symlink()
                kind = str(stat.S_IFMT(path.lstat().st_mode))
                found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest() if plain else kind
        return found


def nothing(_place: Place) -> None:
    """Arrange nothing."""


@dataclass(frozen=True)
class Case:
    """``words`` must all be in the one message, which the pattern ``said`` finds; ``may_change`` are names of ours.

    ``called`` says that the command may be called in the test's process: others like it have a process of their own.
    """

    id: str
    command: str
    words: tuple[str, ...]
    arrange: Callable[[Place], object] = nothing
    code: int = 1
    said: str = MESSAGE
    may_change: tuple[str, ...] = ()
    called: bool = False


@dataclass(frozen=True)
class Answer:
    """What happened: the exit code, everything printed, its messages (each once), and what of the user's is gone."""

    code: int
    output: str
    messages: tuple[str, ...]
    lost: tuple[str, ...]


def typed(case: Case, place: Place) -> tuple[int, str]:
    """Return the exit code and the output of the case's command, typed at a shell."""
    done = subprocess.run(
        ["/bin/sh", "-c", case.command],
        cwd=place.cwd,
        env=place.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: [prepare() for prepare in place.before_start] and None,
    )
    return done.returncode, (done.stdout + done.stderr).decode("utf-8", "replace")


def attempt(case: Case, folder: Path, how: Callable[[Case, Place], tuple[int, str]] = typed) -> Answer:
    """Arrange the case in ``folder``, type its command, undo what was arranged."""
    place = Place(folder)
    try:
        case.arrange(place)
        before = place.contents()
        code, output = how(case, place)
        after = place.contents()
    finally:
        for undo in reversed(place.undo):
            undo()
    lost = [
        path for path, hashed in before.items() if after.get(path) != hashed and Path(path).name not in case.may_change
    ]
    lines = [line[found.start() :] for line in output.splitlines() if (found := re.search(case.said, line))]
    return Answer(code, output, tuple(dict.fromkeys(lines)), tuple(lost))
