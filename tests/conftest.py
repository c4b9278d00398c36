"""What every test shares: a workspace of its own, an environment without traces of ours, and waiting for conditions."""

from __future__ import annotations

import gc
import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from neo_core.workspace import Workspace, resolve_workspace

if TYPE_CHECKING:
    from pathlib import Path

_OURS = ("NEO_", "NO_COLOR")
os.environ["TESTED_BY"] = str(os.getpid())  # a command that would wait for ever ends with the tests that started it
_OBJECTS_BETWEEN_LOOKS = 200_000


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """More workers than cores: about half of a test's time is waiting for a process, a timer or a disk."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    cores = os.cpu_count() or 1
    return cores + min(cores, 4)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long ones, so that no worker is left alone with one of them at the end."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def pytest_collection_finish() -> None:
    """Take what was imported and collected out of the garbage collector's sight, and let it look less often.

    An app makes and drops ten thousands of objects; to look at them after every 700 is a third of all the work.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_LOOKS)


def pytest_sessionfinish() -> None:
    """Let the collector pass over what is left: the process ends, and with it everything."""
    gc.freeze()


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(_OURS):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True, scope="session")
def _hangups_mean_something() -> None:
    """Under nohup a hangup is ignored by us and by everything we start; the tests are about those who hear it."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder that is a workspace by its own marker, whatever lies above it."""
    folder = tmp_path / "workspace"
    (folder / ".neo-ai-data").mkdir(parents=True)
    return folder


@pytest.fixture
def workspace(root: Path) -> Workspace:
    return resolve_workspace(root)


@pytest.fixture
def until():
    """Wait for a condition, and say which one never came."""

    def wait(condition, *, timeout: float = 20.0, what: str = "the condition"):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            time.sleep(0.01)
        pytest.fail(f"{what} did not come within {timeout} s")

    return wait


@pytest.fixture
def kill_later():
    """Kill, by pid, what a test started and may leave behind."""
    pids: list[int] = []
    yield pids.append
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
