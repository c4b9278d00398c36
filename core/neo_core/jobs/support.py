"""What every built-in job does alike: arguments, its last line, and leaving cleanly.

A job prints progress as plain lines and ends with one JSON object as the last line of stdout; the runner reads it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from neo_core.config import Config, load_config
from neo_core.errors import NeoError, WorkspaceError
from neo_core.workspace import CONFIG_VARIABLE, Workspace, resolve_workspace, resolve_workspace_anyway

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType


class JobResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """How a job ended when it did not fail.

    ``skipped`` and ``deferred`` carry a ``reason_code``; ``details`` holds counts and paths for the record.
    """

    outcome: Literal["completed", "skipped", "deferred"] = "completed"
    summary: str = ""
    reason_code: str = ""
    details: dict[str, Any] = msgspec.field(default_factory=dict)


def say(text: str) -> None:
    """Print one line of progress at once, so that a follower of the log sees it."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def run_job(name: str, work: Callable[[Workspace, Config], JobResult], arguments: list[str] | None = None) -> int:
    """Run ``work`` as a program: exit 0 with the result as last line, 1 with one clear message.

    SIGTERM raises ``SystemExit`` inside ``work``, so that its clean-up runs.
    """
    parser = argparse.ArgumentParser(prog=f"neo_core.jobs.{name}", description=work.__doc__)
    parser.add_argument("--workspace", metavar="DIR", help="the folder to maintain (default: found from here)")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _leave)
    try:
        result = work(*_configured(given.workspace))
    except NeoError as error:
        sys.stderr.write(f"{name}: {error}\n")
        return error.exit_code
    except OSError as error:
        failure = WorkspaceError(str(error.filename or name), str(error.strerror or error), "Mend it and run again.")
        sys.stderr.write(f"{name}: {failure}\n")
        return failure.exit_code
    report(result)
    return 0


def _configured(told: str | None) -> tuple[Workspace, Config]:
    """Return the workspace and the configuration that our runner works by, which an edited file does not change."""
    workspace, _ = resolve_workspace_anyway(told)
    if os.environ.get(CONFIG_VARIABLE) == str(workspace.config_in_force):
        return workspace, load_config(workspace.config_in_force)
    workspace = resolve_workspace(told)
    return workspace, load_config(workspace.config)


def report(result: JobResult) -> None:
    """Print the last line: one JSON object with ``deferred`` as scripts of every origin say it."""
    told = {"outcome": result.outcome, "deferred": result.outcome == "deferred", **msgspec.to_builtins(result)}
    say(msgspec.json.encode(told).decode())


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
