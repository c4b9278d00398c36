"""Workspaces with second-scale schedules, and the orchestrators that run them, each gone when the test is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from neo_core.ledger.store import Ledger
from neo_core.processes.source import system_source
from neo_core.workspace import ensure_state, resolve_workspace

if TYPE_CHECKING:
    from pathlib import Path

QUIET = '[tasks.backup]\nevery = "0"\n[tasks.kbSync]\nevery = "0"\n[tasks.primary-dev-sync]\nevery = "0"\n'
FAST = '[orchestrator]\npoll_every = "100ms"\n'

# Writes down when it worked, by a clock that all processes share.
JOB = """
import sys, time
name, seconds, path = sys.argv[1], float(sys.argv[2]), sys.argv[3]
began = time.monotonic_ns()
time.sleep(seconds)
with open(path, "a") as file:
    file.write(f"{name} {began} {time.monotonic_ns()}\\n")
"""


class Place:
    """One workspace and the orchestrators in it."""

    def __init__(self, root: Path, until) -> None:
        self.root = root
        self.workspace = resolve_workspace(root)
        self.until = until
        self.started: list[subprocess.Popen[str]] = []
        (root / "job.py").write_text(JOB)

    def configure(self, text: str, *, quiet: bool = True, fast: bool = True, resolve: bool = True) -> None:
        """Put a configuration in place, as an editor does; one that says nothing is not to be resolved anew."""
        new = self.root / "neo-console.toml.new"
        new.write_text((FAST if fast else "") + (QUIET if quiet else "") + text)
        new.rename(self.root / "neo-console.toml")
        if resolve:
            self.workspace = resolve_workspace(self.root)
        ensure_state(self.workspace)

    def job(self, name: str, seconds: float = 0.05, into: Path | None = None) -> str:
        """Return the command of a task that notes its interval."""
        command = [sys.executable, str(self.root / "job.py"), name, str(seconds), str(into or self.root / "intervals")]
        return f"[tasks.{name}]\ncommand = {command!r}\n".replace("'", '"')

    def run(self, *arguments: str) -> subprocess.Popen[str]:
        """Start an orchestrator here."""
        process = subprocess.Popen(
            [sys.executable, "-m", "neo_core.commands.orchestrator", "run", "--workspace", str(self.root), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def up(self) -> subprocess.Popen[str]:
        """Start one and wait until it polls."""
        process = self.run()
        self.until(lambda: f"[PID:{process.pid}] [INFO] Started" in self.log() or process.poll() is not None)
        assert process.poll() is None, process.communicate()
        return process

    def down(self, process: subprocess.Popen[str], number: int = signal.SIGTERM) -> int:
        """End one with a signal and return its exit code."""
        process.send_signal(number)
        return process.wait(timeout=20)

    def log(self) -> str:
        """Return what the orchestrators wrote."""
        path = self.workspace.orchestrator_log
        return path.read_text() if path.exists() else ""

    def rows(self, task: str = ""):
        """Return the ledger's rows, oldest first."""
        with Ledger(self.workspace.ledger, writable=False) as ledger:
            return ledger.runs.history(task=task)[::-1]

    def ended(self, task: str):
        """Return the runs of a task that really ran and ended."""
        return [row for row in self.rows(task) if row.started_at is not None and row.outcome is not None]

    def intervals(self, path: Path | None = None) -> list[tuple[int, int, str]]:
        """Return what the jobs wrote: begin, end, name."""
        path = path or self.root / "intervals"
        lines = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        return sorted((int(began), int(ended), name) for name, began, ended in lines)

    def clear_away(self) -> None:
        """End what the test left running: the orchestrators, then the runs."""
        for process in self.started:
            if process.poll() is None:
                process.kill()
            process.communicate(timeout=20)
        live = [row for row in self.rows() if row.live and row.runner_pid]
        for row in live:
            for pid in (row.child_pid, row.runner_pid):
                _kill(pid)
        source = system_source()
        self.until(lambda: not [row for row in live if source.start_time(row.runner_pid) == row.runner_start])


def _kill(pid: int | None) -> None:
    if pid is not None:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return


@pytest.fixture
def places(tmp_path, until):
    """Make workspaces by name."""
    made: list[Place] = []

    def make(name: str = "workspace") -> Place:
        root = tmp_path / name
        (root / ".neo-ai-data").mkdir(parents=True)
        made.append(Place(root, until))
        return made[-1]

    yield make
    for place in made:
        place.clear_away()


@pytest.fixture
def place(places) -> Place:
    return places()
