"""Starting and stopping the orchestrator from elsewhere: a process of its own, and a row that it acts on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from neo_core.clock import Clock, SystemClock
from neo_core.errors import NeoError
from neo_core.incumbent import Incumbent, read_incumbent
from neo_core.lease.inherit import without_lease
from neo_core.ledger.models import ControlKind
from neo_core.ledger.store import Ledger
from neo_core.orchestrator.instance import IncumbentError
from neo_core.processes.source import ProcessSource, system_source
from neo_core.requests import user_name
from neo_core.runs.spawn import RUN_ID, SERVICE_ID, spawn_orchestrator
from neo_core.workspace import ensure_state

if TYPE_CHECKING:
    import subprocess

    from neo_core.workspace import Workspace

_PAUSE = 0.05
_TAIL = 4096
_started: set[int] = set()


class NotRunningError(NeoError):
    """There is no orchestrator to be stopped."""

    exit_code = 3


def start_detached(
    workspace: Workspace,
    *,
    timeout: float = 30.0,
    clock: Clock | None = None,
    source: ProcessSource | None = None,
) -> int:
    """Start the orchestrator so that it outlives us and our terminal; return its pid once it is ready.

    ``timeout`` is in seconds. Raises ``IncumbentError`` (exit code 3) naming the one that runs already, and
    ``NeoError`` with its last words when it does not come up.
    """
    clock, source = clock or SystemClock(), source or system_source()
    ensure_state(workspace)
    _refuse_beside(workspace, source)
    environment = {name: value for name, value in without_lease(os.environ).items() if name not in (RUN_ID, SERVICE_ID)}
    log = workspace.orchestrator_log
    offset = log.stat().st_size if log.exists() else 0
    process = spawn_orchestrator(workspace.root, log, environment)
    deadline = clock.monotonic() + timeout
    while clock.monotonic() < deadline:
        incumbent = _incumbent(workspace, source)
        if incumbent is not None and incumbent.alive and incumbent.pid == process.pid:
            process.returncode = 0  # it is meant to outlive us, of which Popen would complain
            _started.add(process.pid)
            return process.pid
        if process.poll() is not None:
            raise _not_started(workspace, process, offset)
        clock.sleep(_PAUSE)
    process.terminate()
    raise NeoError("orchestrator", f"was not ready within {timeout:.0f} s", f"Read its log: {log}.")


def request_stop(
    workspace: Workspace,
    because: str = "",
    *,
    timeout: float = 60.0,
    clock: Clock | None = None,
    source: ProcessSource | None = None,
) -> bool:
    """Ask the orchestrator to stop; true once it is gone, false when it still lives after ``timeout`` seconds.

    Raises ``NotRunningError`` (exit code 3) when there is none.
    """
    clock, source = clock or SystemClock(), source or system_source()
    incumbent = read_incumbent(workspace, source)
    if incumbent is None or not incumbent.alive:
        raise NotRunningError(
            f"orchestrator of {workspace.root}", "is not running", "Start it with: neo-console orchestrator start."
        )
    with Ledger(workspace.ledger) as ledger:
        ledger.controls.add(
            ControlKind.ORCHESTRATOR_STOP, "", at=clock.now(), because=because, requested_by=user_name()
        )
    deadline = clock.monotonic() + timeout
    while not _is_gone(incumbent, source):
        if clock.monotonic() >= deadline:
            return False
        clock.sleep(_PAUSE)
    _collect()
    return True


def _collect() -> None:
    """Let go of what we started ourselves and what has ended, for who lives as long as a console."""
    for pid in tuple(_started):
        try:
            ended = os.waitpid(pid, os.WNOHANG)[0] == pid
        except ChildProcessError:
            ended = True
        if ended:
            _started.discard(pid)


def _is_gone(incumbent: Incumbent, source: ProcessSource) -> bool:
    return source.start_time(incumbent.pid) != incumbent.start_time


def _incumbent(workspace: Workspace, source: ProcessSource) -> Incumbent | None:
    try:
        return read_incumbent(workspace, source)
    except NeoError:
        return None


def _refuse_beside(workspace: Workspace, source: ProcessSource) -> None:
    incumbent = _incumbent(workspace, source)
    if incumbent is not None and incumbent.alive:
        raise IncumbentError.of(workspace, incumbent)


def _not_started(workspace: Workspace, process: subprocess.Popen[bytes], offset: int) -> NeoError:
    """Return why the process ended instead of coming up, in its own words."""
    try:
        with workspace.orchestrator_log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(offset, end - _TAIL))
            lines = file.read().decode("utf-8", "replace").split("\n")
    except OSError:
        lines = []
    said = [line.strip() for line in lines if line.strip()]
    cause = (said[-1] if said else "it said nothing").removeprefix("neo-orchestrator: ").rstrip(".")
    if process.returncode == IncumbentError.exit_code:
        return IncumbentError("orchestrator", cause, f"See {workspace.orchestrator_lock}.")
    mend = f"Read {workspace.orchestrator_log}."
    return NeoError("orchestrator", f"ended with exit code {process.returncode}: {cause}", mend)
