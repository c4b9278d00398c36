"""A workspace with small tasks made of real programs, and its engine."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from neo_core.engine import Engine
from neo_core.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from neo_core.workspace import Workspace

SHELL = {
    "hold": "while [ ! -e release ] && kill -0 $TESTED_BY; do sleep 0.05; done; echo done",
    "other": "echo other",
    "fails": "echo broken >&2; exit 7",
    "killed": "kill -9 $$",
    "stubborn": "trap '' TERM; echo $$ > pid; while kill -0 $TESTED_BY; do sleep 0.05; done",
    "says-deferred": 'echo work; echo \'{"deferred": true, "reasonCode": "busy", "reason": "later"}\'; echo note >&2',
    "prints-line": "echo 'Deferred: heavy-maintenance lease held by x (reason=y, pid=1).'; echo '   This script'",
    "says-skipped": 'echo \'{"outcome": "skipped", "reasonCode": "wrong-branch", "summary": "on main"}\'',
    "environment": "env > environment",
    "light": "env > light-environment",
    "leaves": "(while [ ! -e release ] && kill -0 $TESTED_BY; do sleep 0.05; done) & echo left",
}

ESCAPES = """
import os, sys, time
LAST = "import os, time; open('escaped', 'w').write(str(os.getpid())); time.sleep(600)"
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(3, 20)
        os.execve(sys.executable, [sys.executable, "-c", LAST], {})
    os._exit(0)
time.sleep(600)
"""

CASCADES = """
from neo_core.jobs.cascade import cascade
from neo_core.workspace import resolve_workspace
print(cascade(resolve_workspace("."), "other").outcome)
"""

EATS = "import time; block = bytearray(80_000_000); time.sleep(0.8)"

GROWS = """
import os, time
while not os.path.exists("grow"):
    time.sleep(0.01)
block = bytearray(80_000_000)
open("grown", "w").close()
time.sleep(60)
"""

PYTHON = {"wedged": ESCAPES, "parent": CASCADES, "eats": EATS, "grows": GROWS}

EXTRA = {
    "stubborn": 'grace = "1s"',
    "wedged": 'time_limit = "1s"\ngrace = "0"',
    "light": 'class = "light"',
}


def add_task(root: Path, name: str, command: list[str], extra: str = "") -> None:
    quoted = ", ".join(f"'{part}'" for part in command)
    with (root / "neo-console.toml").open("a") as file:
        file.write(f"[tasks.{name}]\ncommand = [{quoted}]\n{extra}\n")


@pytest.fixture
def tasks(root: Path) -> Path:
    for name, script in SHELL.items():
        (root / f"{name}.sh").write_text(script + "\n")
        add_task(root, name, ["sh", f"{name}.sh"], EXTRA.get(name, ""))
    for name, script in PYTHON.items():
        (root / f"{name}.py").write_text(script)
        add_task(root, name, [sys.executable, f"{name}.py"], EXTRA.get(name, ""))
    add_task(root, "missing", ["no-such-program-here"])
    return root


@pytest.fixture
def engine(tasks: Path, workspace: Workspace):
    made = Engine(workspace)
    yield made
    (tasks / "release").touch()
    for run in made.history():
        if run.live:
            with suppress(UsageError):  # it has ended since the list was read
                made.stop(run.run_id, force=True)
            made.wait(run.run_id, timeout=20)
