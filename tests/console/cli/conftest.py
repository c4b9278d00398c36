"""``neo-console`` as the real command, in a workspace with small tasks made of real programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from neo_core.lease.store import LeaseStore

if TYPE_CHECKING:
    from pathlib import Path

NEO_CONSOLE = (sys.executable, "-m", "neo_console.cli.main")

CONFIGURATION = """
[tasks.quick]
command = ["echo", "done quickly"]

[tasks.waits]
command = ["sh", "-c", "echo begun; while [ ! -e release ]; do sleep 0.02; done; echo ended"]
grace = "5s"

[tasks.fails]
command = ["sh", "-c", "echo broken; exit 7"]

[tasks.stubborn]
command = ["sh", "-c", "trap '' TERM; echo begun; while :; do sleep 0.05; done"]
grace = "1m"

[tasks.light]
command = ["sh", "-c", "echo begun; while [ ! -e release ]; do sleep 0.02; done"]
class = "light"
"""


class Console:
    """The command in ``root``; what a test leaves running is stopped after it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.started: list[subprocess.Popen[str]] = []

    def __call__(self, *arguments: str, **options) -> subprocess.CompletedProcess[str]:
        options = {"cwd": self.root, "timeout": 60, "stdin": subprocess.DEVNULL, **options}
        return subprocess.run([*NEO_CONSOLE, *arguments], capture_output=True, text=True, check=False, **options)

    def json(self, *arguments: str) -> Any:
        done = self(*arguments, "--json")
        assert done.stderr == ""
        return json.loads(done.stdout)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*NEO_CONSOLE, *arguments],
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self.started.append(process)
        return process

    def running(self, task: str, until) -> str:
        """Start a task detached and return its run once its command works."""
        run_id = self("run", task, "--detach").stdout.strip()
        log = self.root / ".neo-ai-data" / "orchestrator-daemon" / "runs" / f"{run_id}.log"
        until(lambda: log.exists() and "begun" in log.read_text(), what=f"the start of {task}")
        until(lambda: self.json("history")[0]["startedAt"], what="its row")
        return run_id

    def ended(self, run_id: str, until) -> dict[str, Any]:
        """Return a run's row once it has ended and its runner, which then lets the lease go, is gone."""

        def look() -> dict[str, Any] | None:
            row = next(row for row in self.json("history") if row["runId"] == run_id)
            return row if row["outcome"] and not os.path.exists(f"/proc/{row['runnerPid']}") else None

        return until(look, what=f"the end of {run_id}")

    def clean(self) -> None:
        (self.root / "release").touch()
        for row in json.loads(self("history", "--json").stdout or "[]"):
            if row["outcome"] is None:
                self("stop", row["runId"], "--force")
        for process in self.started:
            process.kill()
            process.wait()
            process.stdout.close()
            process.stderr.close()


@pytest.fixture
def console(root: Path):
    (root / "neo-console.toml").write_text(CONFIGURATION)
    made = Console(root)
    yield made
    made.clean()


@pytest.fixture
def held(workspace):
    """Hold the lease as a script of this test's process would."""
    workspace.state.mkdir(parents=True, exist_ok=True)
    attempt = LeaseStore(workspace.lease).acquire("sandman", "manual-cli")
    yield attempt.hold.lease
    attempt.hold.release()
