"""``neo-console`` as the real command, in a workspace with small tasks made of real programs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from neo_core.errors import LedgerError
from neo_core.lease.store import LeaseStore
from neo_core.ledger.store import Ledger
from neo_core.workspace import resolve_workspace

from .preloaded import Preloaded

if TYPE_CHECKING:
    from pathlib import Path

    from neo_core.ledger.models import Run, ServiceRecord

NEO_CONSOLE = (sys.executable, "-m", "neo_console.cli.main")

CONFIGURATION = """
[tasks.quick]
command = ["echo", "done quickly"]

[tasks.waits]
command = ["sh", "-c", "echo begun; while [ ! -e release ] && kill -0 $TESTED_BY; do sleep 0.02; done; echo ended"]
grace = "5s"

[tasks.fails]
command = ["sh", "-c", "echo broken; exit 7"]

[tasks.stubborn]
command = ["sh", "-c", "trap '' TERM; echo begun; while kill -0 $TESTED_BY; do sleep 0.05; done"]
grace = "1m"

[tasks.light]
command = ["sh", "-c", "echo begun; while [ ! -e release ] && kill -0 $TESTED_BY; do sleep 0.02; done"]
class = "light"
"""


_PRELOADED = Preloaded()


class Console:
    """The command in ``root``; what a test leaves running is stopped after it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.started: list[subprocess.Popen[str]] = []

    def __call__(self, *arguments: str, **options) -> subprocess.CompletedProcess[str]:
        if not options and (done := _PRELOADED.run(arguments, cwd=self.root, timeout=60)) is not None:
            return done
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
        until(lambda: self.runs()[0].started_at, what="its row")
        return run_id

    def ended(self, run_id: str, until) -> dict[str, Any]:
        """Return a run's row once it has ended and its runner, which then lets the lease go, is gone."""

        def over() -> bool:
            run = next(run for run in self.runs() if run.run_id == run_id)
            return bool(run.outcome) and not os.path.exists(f"/proc/{run.runner_pid}")

        until(over, what=f"the end of {run_id}")
        return next(row for row in self.json("history") if row["runId"] == run_id)

    def runs(self) -> list[Run]:
        """Return the ledger's runs, newest first; none where there is no ledger that can be read."""
        try:
            with Ledger(resolve_workspace(self.root).ledger, writable=False) as ledger:
                return ledger.runs.history()
        except LedgerError:
            return []

    def services(self) -> dict[str, ServiceRecord]:
        """Return what the ledger knows of the services."""
        with Ledger(resolve_workspace(self.root).ledger, writable=False) as ledger:
            return ledger.services.all()

    def clean(self) -> None:
        (self.root / "release").touch()
        for run in self.runs():
            if run.outcome is None:
                self("stop", run.run_id, "--force")
        for process in self.started:
            process.kill()
            process.wait()
            process.stdout.close()
            process.stderr.close()


@pytest.fixture(autouse=True, scope="session")
def _preloaded_ends():
    yield
    _PRELOADED.stop()


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
