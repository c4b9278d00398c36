"""``neo-console.toml`` as typed, strict structs; one clear error per mistake.

Every error names the file, the key, the cause and the mend. A workspace without the file has the defaults.
"""

from __future__ import annotations

import stat
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from neo_core.config_checks import as_arguments, check_config
from neo_core.config_sections import (
    BackupConfig,
    Config,
    ConsoleConfig,
    DevSyncConfig,
    JobsConfig,
    KbSyncConfig,
    LeaseConfig,
    MemoryConfig,
    OrchestratorConfig,
    ServiceConfig,
    TaskConfig,
    UnloadConfig,
)
from neo_core.durations import Duration, Window, parse_duration, parse_window
from neo_core.errors import ConfigError, describe_os_error, nearest
from neo_core.sizes import Size, parse_size
from neo_core.workspace import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "BackupConfig",
    "Config",
    "ConsoleConfig",
    "DevSyncConfig",
    "JobsConfig",
    "KbSyncConfig",
    "LeaseConfig",
    "MemoryConfig",
    "OrchestratorConfig",
    "ServiceConfig",
    "TaskConfig",
    "UnloadConfig",
    "load_config",
    "load_config_anyway",
]

S = TypeVar("S", bound=msgspec.Struct)

_MAX_BYTES = 1_048_576


_MENDS = {
    "class": 'Write "heavy" or "light".',
    "command": 'Write it like ["npm", "run", "ai:dream"].',
    "method": 'Write "POST", "GET", "PUT", "PATCH" or "DELETE".',
    "probe": 'Write "http", "tcp", "exec" or "none".',
    "restart": 'Write "always", "on-failure" or "never".',
    "stop_signal": 'Write "TERM", "INT", "QUIT", "HUP" or "KILL".',
    "on_stop": 'Write "leave" or "stop".',
}
_A_NAME = {"tasks": "a task name", "services": "a service name", "unload": "a model server's name"}
_JOBS = ("backup", "kbSync", "primary-dev-sync")


def load_config(path: Path) -> Config:
    """Read and check the file; a missing one means the defaults. Raises ``ConfigError`` for the first mistake."""
    config, mistakes = load_config_anyway(path)
    if mistakes:
        raise mistakes[0]
    return config


def load_config_anyway(path: Path) -> tuple[Config, list[ConfigError]]:
    """Read what of the file can be meant, with defaults for the rest, and every mistake in it; never raises."""
    try:
        table = _parse(path)
    except ConfigError as error:
        return Config(), [error]
    reader = _Reader(path)
    return reader.config(table), reader.mistakes


def _parse(path: Path) -> dict[str, Any]:
    """Return the file as TOML; an empty table when it is not there. Raises ``ConfigError``."""
    try:
        raw = _read(path)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(
            str(path), f"cannot be read: {describe_os_error(error)}", "Make it a file that you can read."
        ) from error
    import tomllib  # many workspaces have no file

    try:
        return tomllib.loads(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(str(path), f"is not UTF-8 (byte {error.start})", "Save it as UTF-8.") from error
    except RecursionError as error:
        raise ConfigError(str(path), "is not TOML: it is nested too deeply", "Write it with fewer brackets.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(path), f"is not TOML: {error}", "Mend that line.") from error
    except ValueError as error:  # Python's own limit
        cause = "holds a number of thousands of digits"
        raise ConfigError(str(path), cause, "Write one that can be meant.") from error


def _read(path: Path) -> bytes:
    """Return the file's bytes without waiting for a FIFO or swallowing a device. Raises ``OSError``."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(0, "it is not a regular file")
    if status.st_size > _MAX_BYTES:
        raise OSError(0, f"it is {status.st_size} bytes long, no configuration is longer than {_MAX_BYTES}")
    return path.read_bytes()


class _Reader:
    """Turns one parsed file into a ``Config``, leaving out what cannot be meant and keeping why in ``mistakes``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._left_out: set[str] = set()
        self.mistakes: list[ConfigError] = []

    def config(self, table: dict[str, Any]) -> Config:
        self._only(table, SECTIONS, "")
        tasks = self._table(table.get("tasks", {}), "tasks")
        services = self._table(table.get("services", {}), "services")
        unload = self._table(table.get("unload", {}), "unload")
        config = Config(
            lease=self._struct(LeaseConfig, table.get("lease", {}), "lease"),
            orchestrator=self._struct(OrchestratorConfig, table.get("orchestrator", {}), "orchestrator"),
            memory=self._struct(MemoryConfig, table.get("memory", {}), "memory"),
            console=self._struct(ConsoleConfig, table.get("console", {}), "console"),
            tasks={name: self._named(TaskConfig, "tasks", name, told) for name, told in tasks.items()},
            services={name: self._named(ServiceConfig, "services", name, told) for name, told in services.items()},
            unload={name: self._named(UnloadConfig, "unload", name, told) for name, told in unload.items()},
            jobs=self._jobs(self._table(table.get("jobs", {}), "jobs")),
            keys=self._keys(table.get("keys", {})),
        )
        check_config(config, self._complain)
        return config

    def _jobs(self, table: dict[str, Any]) -> JobsConfig:
        self._only(table, _JOBS, "jobs.")
        return JobsConfig(
            backup=self._struct(BackupConfig, table.get("backup", {}), "jobs.backup"),
            kb_sync=self._struct(KbSyncConfig, table.get("kbSync", {}), "jobs.kbSync"),
            primary_dev_sync=self._struct(DevSyncConfig, table.get("primary-dev-sync", {}), "jobs.primary-dev-sync"),
        )

    def _named(self, kind: type[S], section: str, name: str, told: object) -> S:
        if not name or not all(char.isalnum() or char in "-_." for char in name) or len(name) > 64:
            cause = f"is not {_A_NAME[section]}"
            mend = "Use letters, digits, '-', '_' and '.', at most 64 of them."
            self._complain(f"{section}.{name}", cause, mend)
        return self._struct(kind, told, f"{section}.{name}")

    def _keys(self, told: object) -> dict[str, str]:
        table = self._table(told, "keys")
        wrong = [name for name, key in table.items() if not isinstance(key, str) or not key.strip()]
        for name in wrong:
            self._complain(f"keys.{name}", f"{table[name]!r} is not a key", 'Write it like keys.trigger = "t".')
        return {name: key for name, key in table.items() if name not in wrong}

    def _struct(self, kind: type[S], told: object, prefix: str) -> S:
        table = self._table(told, prefix)
        known = self._only(table, _names(kind), f"{prefix}.")
        try:
            return msgspec.convert(known, kind, dec_hook=_decode)
        except msgspec.ValidationError:  # which tells of one key only
            return msgspec.convert(dict(self._good(kind, known, prefix)), kind, dec_hook=_decode)

    def _good(self, kind: type[msgspec.Struct], table: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
        """Yield the keys that mean something, and complain about the others."""
        for name, value in table.items():
            try:
                msgspec.convert({name: value}, kind, dec_hook=_decode)
            except msgspec.ValidationError as error:
                cause, _, place = str(error).partition(" - at `$")
                key = prefix + place.rstrip("`").replace("[...]", "")
                cause = cause.replace(" | null`", "`")
                wrong = key.rpartition(".")[2]
                mend = _MENDS.get(wrong, "Mend the value.")
                if wrong.endswith("command") and isinstance(value, str):
                    mend = f"Write it like {as_arguments(value)}."
                self._complain(key, cause[:1].lower() + cause[1:], mend)
                self._left_out.add(f"{prefix}.{name}")
            else:
                yield name, value

    def _table(self, told: object, key: str) -> dict[str, Any]:
        if isinstance(told, dict):
            return told
        self._complain(key, f"{told!r} is a value where a table belongs", f"Write it as [{key}].")
        return {}

    def _only(self, table: dict[str, Any], known: tuple[str, ...], prefix: str) -> dict[str, Any]:
        """Return what of the table is known, and complain about the rest."""
        for name in table:
            if name not in known:
                near = nearest(name, known)
                mend = f"Did you mean {prefix}{near}?" if near else f"Known here: {', '.join(known)}."
                self._complain(f"{prefix}{name}", "is not a known key", mend)
        return {name: value for name, value in table.items() if name in known}

    def _complain(self, key: str, cause: str, mend: str) -> None:
        if key in self._left_out:  # that the value is missing then is no mistake of its own
            return
        self.mistakes.append(ConfigError(f"{self._path}: {key}", cause, mend))


@cache
def _names(kind: type[msgspec.Struct]) -> tuple[str, ...]:
    """Return the keys of a section, sorted; resolving the types anew for thousands of tasks takes seconds."""
    return tuple(sorted(field.encode_name for field in msgspec.structs.fields(kind)))


def _decode(kind: type[object], value: object) -> object:
    """Give msgspec the types it does not know; raises ``ValueError`` with the operator's sentence."""
    if kind is Duration:
        if isinstance(value, str):
            return parse_duration(value)
        if value == 0 and not isinstance(value, bool):
            return Duration(0)
        raise ValueError(f'{value!r} has no unit; write a duration like "30s", "10m" or "7d"')
    if kind is Size:
        if isinstance(value, str):
            return parse_size(value)
        raise ValueError(f'{value!r} has no unit; write a size like "10MiB"')
    if kind is Window:
        if isinstance(value, str):
            return parse_window(value)
        raise ValueError(f'{value!r} is not a daily window; write it like "22:00-06:30"')
    raise NotImplementedError(kind)
