"""A ledger, rows for it, and other processes that use it."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from neo_core.ledger.models import Outcome, Run, Trigger
from neo_core.ledger.store import Ledger

if TYPE_CHECKING:
    from pathlib import Path

_PR_CAPBSET_DROP = 24
_ROOTS_PASSES = (1, 2, 3)  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite3"


@pytest.fixture
def ledger(path: Path):
    with Ledger(path, busy=0.2) as opened:
        yield opened


@pytest.fixture
def make_run():
    """Make rows in order; ``deferred`` ones are blocked by the lease of dream."""
    count = 0

    def make(task: str = "kbSync", at: float | None = None, **changes) -> Run:
        nonlocal count
        count += 1
        when = 1000.0 + count if at is None else at
        if changes.get("outcome") is Outcome.DEFERRED:
            blocked = {"reason_code": "heavy-maintenance-lease-held", "blocker": "dream", "blocker_pid": 42}
            changes = {**blocked, "ended_at": when, **changes}
        given = {"run_id": f"run{count:04d}", "trigger": Trigger.MANUAL, "heavy": True, **changes}
        return Run(task=task, requested_at=when, last_at=given.pop("last_at", when), **given)

    return make


@pytest.fixture
def program():
    """Start Python programs that use the ledger, and end them with the test."""
    started = []

    def start(script: str, *arguments: object, **options) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", script, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def no_root_passes():
    """Return a ``preexec_fn`` after which permission bits bind root, too; skip where that cannot be."""

    def drop() -> None:
        libc = ctypes.CDLL(None)
        for capability in _ROOTS_PASSES:
            if libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
                os._exit(77)

    if os.geteuid() != 0:
        return None
    if subprocess.run(["true"], preexec_fn=drop, check=False).returncode == 77:
        pytest.skip("root cannot give up its passes here")
    return drop
