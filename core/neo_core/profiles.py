"""The task catalogue: what a workspace maintains, resolved once from the built-in six and the configuration."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

import msgspec

from neo_core.config import Config, TaskConfig
from neo_core.durations import Window
from neo_core.errors import ConfigError

if TYPE_CHECKING:
    from neo_core.workspace import Workspace

T = TypeVar("T")

# The workspace is the current folder of what we start; -P keeps its modules from standing in for ours.
PYTHON = (sys.executable, "-P")

_TIME_LIMIT = 2 * 3600.0
_GRACE = 10.0


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A named maintenance job as it would be started. ``every``, ``jitter``, ``time_limit``, ``grace`` and
    ``retry_after`` are in seconds; ``trigger_file`` and ``trigger_glob`` are absolute. ``needs`` names services.

    An empty ``command`` means not configured; ``missing_key`` then names the key to set.
    """

    name: str
    heavy: bool
    every: float
    command: tuple[str, ...] = ()
    cwd: str = ""
    env: dict[str, str] = msgspec.field(default_factory=dict)
    time_limit: float = _TIME_LIMIT
    grace: float = _GRACE
    window: Window | None = None
    cron: str = ""
    jitter: float = 0.0
    trigger_file: str = ""
    trigger_glob: str = ""
    trigger_count: int = 1
    retries: int = 0
    retry_after: float = 60.0
    needs: tuple[str, ...] = ()
    title: str = ""
    missing_key: str = ""

    @property
    def configured(self) -> bool:
        """Whether there is a command to start."""
        return bool(self.command)


class _Entry(msgspec.Struct, frozen=True):
    every: float
    title: str
    module: str = ""
    time_limit: float = _TIME_LIMIT


# Exactly these six names are the default heavy set (upstream's #11513); backup is first in line.
HEAVY_SIX: dict[str, _Entry] = {
    "backup": _Entry(86_400, "copies and verifies every database", "neo_core.jobs.backup", 3600),
    "kbSync": _Entry(1_800, "keeps the full-text index of the workspace", "neo_core.jobs.kb_sync"),
    "primary-dev-sync": _Entry(600, "fast-forwards the checkout", "neo_core.jobs.primary_dev_sync"),
    "summary": _Entry(600, "summarises agent sessions"),
    "dream": _Entry(3_600, "extracts a graph from summarised sessions"),
    "golden-path": _Entry(3_600, "ranks the graph into a hand-off file"),
}


def resolve_tasks(workspace: Workspace, config: Config) -> dict[str, Task]:
    """Return every task by name: the six first, then the user's own. Raises ``ConfigError``."""
    tasks = {name: _builtin(workspace, config, name, entry) for name, entry in HEAVY_SIX.items()}
    for name, told in config.tasks.items():
        if name not in tasks:
            tasks[name] = _own(workspace, config, name, told)
    return tasks


def _builtin(workspace: Workspace, config: Config, name: str, entry: _Entry) -> Task:
    told = config.tasks.get(name)
    if told is None:
        told = TaskConfig()
    elif told.command is None and not entry.module:
        raise _no_command(workspace, name, heavy=told.task_class != "light")
    command = told.command or _module_command(workspace, entry)
    return _task(workspace, config, name, told, command, every=entry.every, title=entry.title, limit=entry.time_limit)


def _own(workspace: Workspace, config: Config, name: str, told: TaskConfig) -> Task:
    if told.command is None:
        raise _no_command(workspace, name, heavy=told.task_class != "light")
    return _task(workspace, config, name, told, told.command, every=0.0, title="", limit=_TIME_LIMIT)


def _task(
    workspace: Workspace,
    config: Config,
    name: str,
    told: TaskConfig,
    command: tuple[str, ...],
    *,
    every: float,
    title: str,
    limit: float,
) -> Task:
    return Task(
        name=name,
        heavy=told.task_class != "light",
        every=0.0 if told.cron else float(_first(told.every, every)),
        command=command,
        cwd=str(workspace.root / told.cwd) if told.cwd else str(workspace.root),
        env=told.env,
        time_limit=float(_first(told.time_limit, limit)),
        grace=float(_first(told.grace, _GRACE)),
        window=told.window,
        cron=told.cron or "",
        jitter=float(told.jitter or 0),
        trigger_file=str(workspace.root / told.trigger_file) if told.trigger_file else "",
        trigger_glob=str(workspace.root / told.trigger_glob) if told.trigger_glob else "",
        trigger_count=told.trigger_count,
        retries=_first(told.retries, config.orchestrator.retries),
        retry_after=float(_first(told.retry_after, config.orchestrator.retry_after)),
        needs=told.needs,
        title=_first(told.title, title),
        missing_key="" if command else f"tasks.{name}.command",
    )


def _first(told: T | None, default: T) -> T:
    return default if told is None else told


def _module_command(workspace: Workspace, entry: _Entry) -> tuple[str, ...]:
    if not entry.module:
        return ()
    return (*PYTHON, "-m", entry.module, "--workspace", str(workspace.root))


def _no_command(workspace: Workspace, name: str, *, heavy: bool) -> ConfigError:
    kind = "heavy" if heavy else "light"
    return ConfigError(
        f"{workspace.config}: tasks.{name}.command",
        f"the {kind} task {name} has no command",
        'Set it, like command = ["npm", "run", "ai:dream"].',
    )
