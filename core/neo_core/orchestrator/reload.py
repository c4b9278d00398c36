"""The configuration as it is in force: read again when its file changes, and kept when the new one is wrong."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from neo_core.catalogue import read_catalogue
from neo_core.config import Config
from neo_core.errors import ConfigError, NeoError, describe_os_error
from neo_core.neo_checkout import PACKAGE
from neo_core.profiles import Task
from neo_core.services.catalogue import Service
from neo_core.workspace import resolve_workspace

if TYPE_CHECKING:
    from pathlib import Path

    from neo_core.workspace import Workspace


_TRIES = 3


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One configuration with everything that follows from it."""

    config: Config
    tasks: dict[str, Task]
    services: dict[str, Service]


def in_force(workspace: Workspace) -> Path:
    """Return the copy of the configuration in force, by which runs work while the file itself is wrong."""
    return workspace.config_in_force


def load_settings(workspace: Workspace) -> Settings:
    """Read and resolve everything, and keep a copy of it. Raises ``NeoError``, also for a lease that has moved."""
    for _ in range(_TRIES):
        before = _state_of(workspace.config)
        settings = _resolve(workspace)
        content = _content(workspace.config)
        if _state_of(workspace.config) == before:
            _keep(in_force(workspace), content)
            return settings
    raise ConfigError(str(workspace.config), "is being written all the time", "Leave it alone for a moment.")


class ConfigWatch:
    """Notices that the configuration's file, or the package of a neo checkout, is another one than before."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._seen = self._look()

    def changed(self) -> bool:
        """Return whether either changed since the last time that this was asked."""
        now = self._look()
        changed, self._seen = now != self._seen, now
        return changed

    def ask_again(self) -> None:
        """Let the next ``changed`` be true: what came of this change could not be written down."""
        self._seen = ()

    def load(self) -> tuple[Settings | None, str]:
        """Return the new settings, or why there are none."""
        try:
            return load_settings(self._workspace), ""
        except NeoError as error:
            return None, str(error)

    def _look(self) -> tuple[tuple[int, ...], ...]:
        return tuple(_state_of(path) for path in (self._workspace.config, self._workspace.root / PACKAGE))


def _resolve(workspace: Workspace) -> Settings:
    found = read_catalogue(workspace)
    settings = Settings(config=found.config, tasks=found.tasks, services=found.services)
    lease = resolve_workspace(workspace.root).lease
    if lease != workspace.lease:
        raise ConfigError(
            f"{workspace.config}: lease.path",
            f"moves the lease from {workspace.lease} to {lease}",
            "Restart the orchestrator for that, or take it back.",
        )
    return settings


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise ConfigError(str(path), f"cannot be read: {describe_os_error(error)}", "Make it readable.") from error


def _keep(path: Path, content: bytes) -> None:
    new = path.with_name(f"{path.name}.new")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        new.replace(path)
    except OSError as error:
        raise NeoError(f"file {path}", f"cannot be written: {describe_os_error(error)}", "Mend its folder.") from error


def _state_of(path: Path) -> tuple[int, ...]:
    try:
        status = path.stat()
    except FileNotFoundError:
        return ()
    except OSError as error:
        return (error.errno or -1,)
    return (status.st_mtime_ns, status.st_size, status.st_ino, status.st_mode)


def file_at(path: Path) -> tuple[int, int]:
    """Return which file is at a place; zeros when there is none that can be asked."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0
    return status.st_dev, status.st_ino
