"""The one place that starts processes: runners, the commands of runs, and what ``neo-lease`` guards."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

from neo_core.errors import NeoError, describe_os_error
from neo_core.lease import words
from neo_core.profiles import PYTHON

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from neo_core.workspace import Workspace

RUN_ID = "NEO_CONSOLE_RUN_ID"
STATE_FOLDER, TASK_NAME = words.STATE_FOLDER, words.TASK_NAME
SERVICE_ID = "NEO_CONSOLE_SERVICE_ID"
SERVICE_NAME = "NEO_CONSOLE_SERVICE_NAME"
RUNNER_MODULE = "neo_core.runs.runner"
ORCHESTRATOR_MODULE = "neo_core.commands.orchestrator"

# What is started with these lives for itself, though a run or a service may have asked for it.
INDEPENDENT_MODULES = (RUNNER_MODULE, ORCHESTRATOR_MODULE)


class SpawnError(NeoError):
    """A program cannot be started."""


def spawn_runner(
    workspace: Workspace,
    run_id: str,
    environment: Mapping[str, str],
    descriptors: tuple[int, ...] = (),
    config: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start the runner of one run, detached from our terminal and session, keeping ``descriptors`` of a lent lease.

    It works by the lease that the caller looked at and, where given, by the configuration ``config``. Signals wait
    until it can answer them by cancelling cleanly. Raises ``SpawnError``.
    """
    root = str(workspace.root)
    command = [*PYTHON, "-m", RUNNER_MODULE, "--workspace", root, "--run", run_id, "--lease", workspace.lease_text]
    if config is not None:
        command += ["--config", str(config)]
    before = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
    try:
        return spawn_command(
            command,
            key="the installation",
            cwd=root,
            # A run that a service asked for is no part of that service, which may be ended without it.
            environment={name: value for name, value in environment.items() if name != SERVICE_ID},
            log=workspace.run_log(run_id),
            descriptors=descriptors,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def spawn_orchestrator(workspace_root: Path, log: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start the orchestrator of a workspace, detached from our terminal and session. Raises ``SpawnError``.

    It is no part of a service that asked for it, which may be ended without it.
    """
    command = [*PYTHON, "-m", ORCHESTRATOR_MODULE, "run", "--workspace", str(workspace_root)]
    return spawn_command(
        command,
        key="the installation",
        cwd=str(workspace_root),
        environment={name: value for name, value in environment.items() if name != SERVICE_ID},
        log=log,
    )


def spawn_command(
    command: Sequence[str],
    *,
    key: str,
    cwd: str,
    environment: Mapping[str, str],
    log: Path,
    descriptors: tuple[int, ...] = (),
) -> subprocess.Popen[bytes]:
    """Start ``command`` in a session of its own, its output appended to ``log``, nothing to read on stdin.

    Only ``descriptors`` stay open in it. Raises ``SpawnError`` naming what is missing and the configuration's ``key``.
    """
    try:
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SpawnError(f"log {log}", f"cannot be written: {describe_os_error(error)}", "Mend its folder.") from error
    try:
        return subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            pass_fds=descriptors,
        )
    except OSError as error:
        raise _spawn_error(command[0], key, cwd, error) from error
    except ValueError as error:
        raise SpawnError(f"program {command[0]!r}", str(error), f"Mend {key}.command.") from error
    finally:
        os.close(output)


def _spawn_error(program: str, key: str, cwd: str, error: OSError) -> SpawnError:
    if not os.path.isdir(cwd):  # noqa: PTH112 - a plain string from the configuration
        cause = "is not a folder" if os.path.lexists(cwd) else "does not exist"
        return SpawnError(f"folder {cwd}", cause, f"Mend {key}.cwd.")
    if isinstance(error, FileNotFoundError):
        return SpawnError(f"program {program!r}", "was not found", f"Install it, or mend {key}.command.")
    return SpawnError(f"program {program!r}", f"cannot be started: {describe_os_error(error)}", f"Mend {key}.command.")
