"""The task catalogue: what a workspace maintains, resolved once from its profile and the configuration.

In a checkout of neo the tasks are its npm scripts, elsewhere the built-in jobs. The configuration precedes upstream's
environment variables, and those the defaults.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

import msgspec

from neo_core.config import Config, TaskConfig
from neo_core.config_sections import resolved_each, told_or
from neo_core.durations import Window
from neo_core.errors import ConfigError
from neo_core.neo_checkout import (
    MANUAL_SCRIPTS,
    PACKAGE,
    TASK_SCRIPTS,
    Checkout,
    UpstreamEnvironment,
    npm_run,
    read_checkout,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neo_core.workspace import Workspace

T = TypeVar("T")

# The workspace is the current folder of what we start; -P keeps its modules from standing in for ours.
PYTHON = (sys.executable, "-P")

_TIME_LIMIT = 2 * 3600.0
_GRACE = 10.0


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A named maintenance job as it would be started. ``every``, ``jitter``, ``time_limit``, ``grace`` and
    ``retry_after`` are in seconds; ``trigger_file`` and ``trigger_glob`` are absolute. ``needs`` names services.

    An empty ``command`` means not configured; ``missing_key`` then names the key to set, and ``missing_script`` the npm
    script that a checkout of neo could have for it.
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
    missing_script: str = ""

    @property
    def configured(self) -> bool:
        """Whether there is a command to start."""
        return bool(self.command)

    @property
    def mend(self) -> str:
        """What is missing and the key to set, for a task that is not configured."""
        missing = f"{PACKAGE} has no script {self.missing_script!r}; " if self.missing_script else ""
        return f"{missing}set {self.missing_key} in neo-console.toml"


class _Entry(msgspec.Struct, frozen=True):
    every: float
    title: str
    module: str = ""
    time_limit: float = _TIME_LIMIT


# Exactly these six names are the default heavy set (upstream's #11513); backup is first in line.
HEAVY_SIX: dict[str, _Entry] = {
    "backup": _Entry(86_400, "copies and verifies every database below .neo-ai-data", "neo_core.jobs.backup", 3600),
    "kbSync": _Entry(1_800, "keeps the full-text index of the workspace", "neo_core.jobs.kb_sync"),
    "primary-dev-sync": _Entry(600, "fast-forwards the checkout", "neo_core.jobs.primary_dev_sync"),
    "summary": _Entry(600, "summarises agent sessions"),
    "dream": _Entry(3_600, "extracts a graph from summarised sessions"),
    "golden-path": _Entry(3_600, "ranks the graph into a hand-off file"),
}


# Upstream starts these by hand only.
_MANUAL: dict[str, _Entry] = {
    "sandman": _Entry(0, "digests sessions into the graph"),
    "syncGithubWorkflow": _Entry(0, "mirrors issues and pull requests"),
}
# What a script does otherwise than the job of ours in its place.
_SCRIPT_TITLES = {"kbSync": "re-indexes the knowledge base", "backup": "exports and verifies every database"}


def resolve_tasks(
    workspace: Workspace,
    config: Config,
    variables: Mapping[str, str] | None = None,
    *,
    mistakes: list[ConfigError] | None = None,
) -> dict[str, Task]:
    """Return every task by name: the six first, a checkout's manual scripts, then the user's own.

    ``variables`` are upstream's (default: the environment). Raises ``ConfigError`` for the first mistake; given a list
    of ``mistakes``, it leaves out the tasks that cannot be meant and appends every one.
    """
    profile = _Profile(workspace, config, variables)
    names = [*HEAVY_SIX, *(name for name in _MANUAL if profile.command(name))]
    names += [name for name in config.tasks if name not in names]
    return resolved_each(names, profile.task, mistakes)


class _Profile:
    """One workspace's way to turn a name into a task."""

    def __init__(self, workspace: Workspace, config: Config, variables: Mapping[str, str] | None) -> None:
        self._workspace = workspace
        self._config = config
        self._checkout: Checkout = read_checkout(workspace.root)
        self._environment = UpstreamEnvironment(variables)

    def command(self, name: str) -> tuple[str, ...]:
        """Return what the task is here when the configuration says nothing: a script, a job of ours, or empty."""
        script = _script(name)
        if script in self._checkout.scripts:
            return npm_run(script)
        entry = HEAVY_SIX.get(name)
        if entry is None or not entry.module:
            return ()
        return (*PYTHON, "-m", entry.module, "--workspace", str(self._workspace.root))

    def task(self, name: str) -> Task:
        """Return the task as it would be started. Raises ``ConfigError``."""
        told = self._config.tasks.get(name)
        command = (told.command if told else None) or self.command(name)
        if told is not None and not command:
            raise _no_command(self._workspace, name, heavy=told.task_class != "light")
        return self._task(name, told or TaskConfig(), command)

    def _task(self, name: str, told: TaskConfig, command: tuple[str, ...]) -> Task:
        root, defaults = self._workspace.root, self._config.orchestrator
        entry = HEAVY_SIX.get(name) or _MANUAL.get(name) or _Entry(0, "")
        return Task(
            name=name,
            heavy=told.task_class != "light",
            every=self._every(name, told, entry),
            command=command,
            cwd=str(root / told.cwd) if told.cwd else str(root),
            env=told.env,
            time_limit=float(told_or(told.time_limit, entry.time_limit)),
            grace=float(told_or(told.grace, _GRACE)),
            window=told.window,
            cron=told.cron or "",
            jitter=float(told.jitter or 0),
            trigger_file=str(root / told.trigger_file) if told.trigger_file else "",
            trigger_glob=str(root / told.trigger_glob) if told.trigger_glob else "",
            trigger_count=told.trigger_count,
            retries=told_or(told.retries, defaults.retries),
            retry_after=float(told_or(told.retry_after, defaults.retry_after)),
            needs=told.needs,
            title=told_or(told.title, self._title(name, entry)),
            missing_key="" if command else f"tasks.{name}.command",
            missing_script=_script(name) if self._checkout.is_neo and not command else "",
        )

    def _title(self, name: str, entry: _Entry) -> str:
        scripted = _script(name) in self._checkout.scripts
        return _SCRIPT_TITLES.get(name, entry.title) if scripted else entry.title

    def _every(self, name: str, told: TaskConfig, entry: _Entry) -> float:
        """Return the seconds between starts. Raises ``ConfigError`` for a bad variable that would be used."""
        if told.cron:
            return 0.0
        if told.every is not None:
            return float(told.every)
        said = self._environment.every(name) if self._checkout.is_neo else None
        return entry.every if said is None else said


def _script(name: str) -> str:
    return TASK_SCRIPTS.get(name) or MANUAL_SCRIPTS.get(name, "")


def _no_command(workspace: Workspace, name: str, *, heavy: bool) -> ConfigError:
    kind = "heavy" if heavy else "light"
    return ConfigError(
        f"{workspace.config}: tasks.{name}.command",
        f"the {kind} task {name} has no command",
        'Set it, like command = ["npm", "run", "ai:dream"].',
    )
