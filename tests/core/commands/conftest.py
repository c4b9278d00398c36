"""``neo-lease`` as the real command, in a workspace of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

NEO_LEASE = (sys.executable, "-m", "neo_core.commands.lease")

# Says that it works, then waits for a file called release.
WAITS = "echo working; while [ ! -e release ] && kill -0 $TESTED_BY; do sleep 0.02; done; exit 5"


class Lease:
    """The command, started in ``root``; whatever a test leaves behind is killed after it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.started: list[subprocess.Popen[str]] = []
        self.left_behind: list[int] = []

    def start(self, *arguments: str, **options) -> subprocess.Popen[str]:
        """Start it in a process group of its own, so that nothing reaches it by accident."""
        process = subprocess.Popen(
            [*NEO_LEASE, *arguments],
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **options,
        )
        self.started.append(process)
        return process

    def working(self, script: str = WAITS, *options: str, **more) -> subprocess.Popen[str]:
        """Start a run and return once its command works."""
        process = self.start("run", *options, "--", "sh", "-c", script, **more)
        assert process.stdout.readline() == "working\n", process.communicate()
        return process

    def __call__(self, *arguments: str, **options) -> subprocess.CompletedProcess[str]:
        options = {"cwd": self.root, "stdin": subprocess.DEVNULL, "timeout": 60, **options}
        return subprocess.run([*NEO_LEASE, *arguments], capture_output=True, text=True, check=False, **options)

    def run(self, script: str, *options: str, **more) -> subprocess.CompletedProcess[str]:
        return self("run", *options, "--", "sh", "-c", script, **more)

    def inspect(self) -> dict:
        return json.loads(self("inspect", "--json").stdout)

    def release(self) -> None:
        (self.root / "release").touch()

    def clean(self) -> None:
        self.release()
        for process in self.started:
            process.kill()
            process.wait()
            process.stdout.close()
            process.stderr.close()
        for pid in self.left_behind:
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                continue


@pytest.fixture
def lease(root: Path):
    made = Lease(root)
    yield made
    made.clean()


@pytest.fixture
def record(workspace) -> Path:
    return workspace.lease
