"""``neo-console.toml`` as typed, strict structs; one clear error per mistake.

Every error names the file, the key, the cause and the mend. A workspace without the file has the defaults.
"""

from __future__ import annotations

import difflib
import stat
import tomllib
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

from neo_core.durations import Duration, Window, format_duration, parse_duration, parse_window
from neo_core.errors import ConfigError, describe_os_error
from neo_core.lease.words import GENERATION, INHERITED_TOKEN
from neo_core.workspace import STATE_VARIABLE

if TYPE_CHECKING:
    from pathlib import Path

S = TypeVar("S", bound=msgspec.Struct)

_MAX_BYTES = 1_048_576


class LeaseConfig(msgspec.Struct, frozen=True, kw_only=True):
    """``[lease]``: how long a record promises to live, and how often the promise is renewed."""

    ttl: Duration = Duration(21_600)
    renew_every: Duration = Duration(60)
    allow_network_filesystem: bool = False


class OrchestratorConfig(msgspec.Struct, frozen=True, kw_only=True):
    """``[orchestrator]``: how often due tasks are looked for."""

    poll_every: Duration = Duration(3)


class ConsoleConfig(msgspec.Struct, frozen=True, kw_only=True):
    """``[console]``: how the console refreshes and looks."""

    refresh_every: Duration = Duration(1)
    theme: str = "neo-dark"


class TaskConfig(msgspec.Struct, frozen=True, kw_only=True, rename={"task_class": "class"}):
    """``[tasks.NAME]``: what differs from the catalogue, or a task of the user's own.

    ``every`` is the interval between starts (0 disables it); ``window`` limits scheduled starts to a part of the day.
    """

    command: tuple[str, ...] | None = None
    task_class: Literal["heavy", "light"] | None = None
    every: Duration | None = None
    time_limit: Duration | None = None
    grace: Duration | None = None
    window: Window | None = None
    cwd: str | None = None
    env: dict[str, str] = msgspec.field(default_factory=dict)
    title: str | None = None


class BackupConfig(msgspec.Struct, frozen=True, kw_only=True):
    """``[jobs.backup]``: where bundles go, what else goes in, how many stay. Relative paths are the workspace's."""

    folder: str = ".neo-ai-data/backups"
    include: tuple[str, ...] = ()
    keep: int = 3
    max_age: Duration = Duration(7 * 86400)


class KbSyncConfig(msgspec.Struct, frozen=True, kw_only=True):
    """``[jobs.kbSync]``: what the full-text index takes; ``exclude`` holds glob patterns of workspace paths."""

    exclude: tuple[str, ...] = ()
    max_file_bytes: int = 1_048_576


class DevSyncConfig(msgspec.Struct, frozen=True, kw_only=True):
    """``[jobs.primary-dev-sync]``: which branch follows which remote, and what runs when something moved."""

    branch: str = "dev"
    remote: str = "origin"
    cascade: bool = True


class JobsConfig(msgspec.Struct, frozen=True, kw_only=True):
    """``[jobs.*]``: the built-in jobs' own settings."""

    backup: BackupConfig = BackupConfig()
    kb_sync: KbSyncConfig = KbSyncConfig()
    primary_dev_sync: DevSyncConfig = DevSyncConfig()


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a workspace configures. ``keys`` maps action ids to keys and is checked by the console."""

    lease: LeaseConfig = LeaseConfig()
    orchestrator: OrchestratorConfig = OrchestratorConfig()
    console: ConsoleConfig = ConsoleConfig()
    tasks: dict[str, TaskConfig] = msgspec.field(default_factory=dict)
    jobs: JobsConfig = JobsConfig()
    keys: dict[str, str] = msgspec.field(default_factory=dict)


# What a task may not change: it would run under another lease, or write into another ledger, than its runner.
_OURS = frozenset({STATE_VARIABLE, INHERITED_TOKEN, GENERATION, "NEO_CONSOLE_RUN_ID"})
_SECTIONS = ("lease", "orchestrator", "console", "tasks", "jobs", "keys")
_JOBS = ("backup", "kbSync", "primary-dev-sync")


def load_config(path: Path) -> Config:
    """Read and check the file; a missing one means the defaults. Raises ``ConfigError``."""
    try:
        raw = _read(path)
    except FileNotFoundError:
        return Config()
    except OSError as error:
        raise ConfigError(
            str(path), f"cannot be read: {describe_os_error(error)}", "Make it a file that you can read."
        ) from error
    try:
        table = tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), f"is not UTF-8 (byte {error.start})", "Save it as UTF-8.") from error
    except RecursionError as error:
        raise ConfigError(str(path), "is not TOML: it is nested too deeply", "Write it with fewer brackets.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(path), f"is not TOML: {error}", "Mend that line.") from error
    except ValueError as error:  # Python's own limit
        cause = "holds a number of thousands of digits"
        raise ConfigError(str(path), cause, "Write one that can be meant.") from error
    return _Reader(path).config(table)


def _read(path: Path) -> bytes:
    """Return the file's bytes without waiting for a FIFO or swallowing a device. Raises ``OSError``."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(0, "it is not a regular file")
    if status.st_size > _MAX_BYTES:
        raise OSError(0, f"it is {status.st_size} bytes long, no configuration is longer than {_MAX_BYTES}")
    return path.read_bytes()


class _Reader:
    """Turns one parsed file into a ``Config``, remembering its path for the errors."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def config(self, table: dict[str, Any]) -> Config:
        self._only(table, _SECTIONS, "")
        tasks = self._table(table.get("tasks", {}), "tasks")
        config = Config(
            lease=self._struct(LeaseConfig, table.get("lease", {}), "lease"),
            orchestrator=self._struct(OrchestratorConfig, table.get("orchestrator", {}), "orchestrator"),
            console=self._struct(ConsoleConfig, table.get("console", {}), "console"),
            tasks={name: self._task(name, told) for name, told in tasks.items()},
            jobs=self._jobs(self._table(table.get("jobs", {}), "jobs")),
            keys=self._keys(table.get("keys", {})),
        )
        self._check(config)
        return config

    def _jobs(self, table: dict[str, Any]) -> JobsConfig:
        self._only(table, _JOBS, "jobs.")
        return JobsConfig(
            backup=self._struct(BackupConfig, table.get("backup", {}), "jobs.backup"),
            kb_sync=self._struct(KbSyncConfig, table.get("kbSync", {}), "jobs.kbSync"),
            primary_dev_sync=self._struct(DevSyncConfig, table.get("primary-dev-sync", {}), "jobs.primary-dev-sync"),
        )

    def _task(self, name: str, told: object) -> TaskConfig:
        if not name or not all(char.isalnum() or char in "-_." for char in name) or len(name) > 64:
            raise self._error(
                f"tasks.{name}", "is not a task name", "Use letters, digits, '-', '_' and '.', at most 64 of them."
            )
        return self._struct(TaskConfig, told, f"tasks.{name}")

    def _keys(self, told: object) -> dict[str, str]:
        table = self._table(told, "keys")
        for name, key in table.items():
            if not isinstance(key, str) or not key.strip():
                raise self._error(f"keys.{name}", f"{key!r} is not a key", 'Write it like keys.trigger = "t".')
        return dict(table)

    def _struct(self, kind: type[S], told: object, prefix: str) -> S:
        table = self._table(told, prefix)
        names = {field.encode_name for field in msgspec.structs.fields(kind)}
        self._only(table, tuple(sorted(names)), f"{prefix}.")
        try:
            return msgspec.convert(table, kind, dec_hook=_decode)
        except msgspec.ValidationError as error:
            cause, _, place = str(error).partition(" - at `$")
            key = prefix + place.rstrip("`").replace("[...]", "")
            cause = cause.replace(" | null`", "`")
            mends = {"class": 'Write "heavy" or "light".', "command": 'Write it like ["npm", "run", "ai:dream"].'}
            mend = mends.get(key.rpartition(".")[2], "Mend the value.")
            raise self._error(key, cause[:1].lower() + cause[1:], mend) from error

    def _check(self, config: Config) -> None:
        """Refuse what is well-formed but can never work."""
        lease, poll = config.lease, config.orchestrator.poll_every
        self._at_least(lease.renew_every, 1, "lease.renew_every")
        self._at_least(poll, 0.1, "orchestrator.poll_every")
        self._at_least(config.console.refresh_every, 0.1, "console.refresh_every")
        if lease.ttl < 3 * lease.renew_every:
            cause = f"{format_duration(lease.ttl)} is less than three renewals of {format_duration(lease.renew_every)}"
            raise self._error("lease.ttl", cause, "Raise it, or lower lease.renew_every.")
        if config.jobs.backup.keep < 1:
            raise self._error("jobs.backup.keep", "less than one backup would be kept", "Set it to 1 or more.")
        if config.jobs.kb_sync.max_file_bytes < 1:
            raise self._error("jobs.kbSync.max_file_bytes", "no file would be indexed", "Set it to 1 or more.")
        for key, text in (
            ("backup.folder", config.jobs.backup.folder),
            ("primary-dev-sync.branch", config.jobs.primary_dev_sync.branch),
            ("primary-dev-sync.remote", config.jobs.primary_dev_sync.remote),
        ):
            if not text.strip() or "\0" in text:
                raise self._error(f"jobs.{key}", f"{text!r} names nothing", "Name one, or leave it out.")
        for name, task in config.tasks.items():
            self._check_task(name, task, poll)

    def _check_task(self, name: str, task: TaskConfig, poll: float) -> None:
        prefix = f"tasks.{name}"
        if task.command is not None and (not task.command or not task.command[0] or "\0" in "".join(task.command)):
            raise self._error(f"{prefix}.command", "names no program", 'Write it like ["npm", "run", "ai:dream"].')
        if task.cwd is not None and (not task.cwd or "\0" in task.cwd):
            raise self._error(f"{prefix}.cwd", "names no folder", "Name one, or leave it out for the workspace.")
        if task.time_limit is not None:
            self._at_least(task.time_limit, 1, f"{prefix}.time_limit")
        if task.every and task.every < poll:
            cause = f"{format_duration(task.every)} is shorter than orchestrator.poll_every ({format_duration(poll)})"
            raise self._error(f"{prefix}.every", cause, "Raise it, or set it to 0 to disable the task.")
        if task.window is not None and task.window.length < max(poll, 60):
            cause = f"the window {task.window} is never open long enough to start in"
            raise self._error(f"{prefix}.window", cause, "Give it different ends, or leave it out.")
        for variable in task.env:
            if variable in _OURS:
                cause = f"{variable} is set by neo-console itself for every run"
                raise self._error(f"{prefix}.env", cause, "Leave it out.")
            if not variable or "=" in variable or "\0" in variable + task.env[variable]:
                raise self._error(f"{prefix}.env", f"{variable!r} is not a variable's name", "Rename it.")

    def _at_least(self, value: float, least: float, key: str) -> None:
        if value < least:
            cause = f"{format_duration(value)} is too short"
            raise self._error(key, cause, f"Set it to {format_duration(least)} or more.")

    def _table(self, told: object, key: str) -> dict[str, Any]:
        if not isinstance(told, dict):
            raise self._error(key, f"{told!r} is a value where a table belongs", f"Write it as [{key}].")
        return told

    def _only(self, table: dict[str, Any], known: tuple[str, ...], prefix: str) -> None:
        for name in table:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                mend = f"Did you mean {prefix}{near[0]}?" if near else f"Known here: {', '.join(known)}."
                raise self._error(f"{prefix}{name}", "is not a known key", mend)

    def _error(self, key: str, cause: str, mend: str) -> ConfigError:
        return ConfigError(f"{self._path}: {key}", cause, mend)


def _decode(kind: type[object], value: object) -> object:
    """Give msgspec the two types it does not know; raises ``ValueError`` with the operator's sentence."""
    if kind is Duration:
        if isinstance(value, str):
            return parse_duration(value)
        if value == 0 and not isinstance(value, bool):
            return Duration(0)
        raise ValueError(f'{value!r} has no unit; write a duration like "30s", "10m" or "7d"')
    if kind is Window:
        if isinstance(value, str):
            return parse_window(value)
        raise ValueError(f'{value!r} is not a daily window; write it like "22:00-06:30"')
    raise NotImplementedError(kind)
