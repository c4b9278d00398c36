"""The sections of ``neo-console.toml`` as frozen structs with their defaults; reading and checking is ``config``'s."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from neo_core.durations import Duration, Window
from neo_core.errors import ConfigError
from neo_core.sizes import Size

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")


def told_or(told: T | None, default: T) -> T:
    """Return what the configuration says, or the default where it says nothing."""
    return default if told is None else told


def resolved_each(
    names: Iterable[str], resolve: Callable[[str], T | None], mistakes: list[ConfigError] | None
) -> dict[str, T]:
    """Return what ``resolve`` makes of each name, without those of which it makes nothing.

    Raises its first ``ConfigError``; given a list of ``mistakes``, appends each one there and goes on.
    """
    found: dict[str, T] = {}
    for name in names:
        try:
            made = resolve(name)
        except ConfigError as error:
            if mistakes is None:
                raise
            mistakes.append(error)
            continue
        if made is not None:
            found[name] = made
    return found


class LeaseConfig(msgspec.Struct, frozen=True, kw_only=True):
    """``[lease]``: where the record is, how long it promises to live, and how often the promise is renewed.

    ``path`` (default: in the state folder; relative ones are the workspace's) lets several workspaces share one lease.
    """

    path: str | None = None
    ttl: Duration = Duration(21_600)
    renew_every: Duration = Duration(60)
    allow_network_filesystem: bool = False


class OrchestratorConfig(msgspec.Struct, frozen=True, kw_only=True):
    """``[orchestrator]``: how often due tasks are looked for, and what happens to what does not go well.

    A task that waits longer than ``starved_after`` is told as starved. A failed run is tried again ``retries`` times,
    first after ``retry_after``, then after twice as long each time. ``on_stop`` is what becomes of the services when
    the orchestrator ends. Logs of runs are removed ``keep_run_logs`` after their last line.
    """

    poll_every: Duration = Duration(3)
    starved_after: Duration = Duration(3600)
    retries: int = 3
    retry_after: Duration = Duration(60)
    on_stop: Literal["leave", "stop"] = "leave"
    log_max: Size = Size(5 * 1024 * 1024)
    log_keep: int = 3
    keep_run_logs: Duration = Duration(14 * 86400)


class MemoryConfig(msgspec.Struct, frozen=True, kw_only=True):
    """``[memory]``: how often memory is looked at, and from where on heavy work is kept out of it.

    ``elevated_some``, ``critical_full`` and ``critical_available`` are percentages: of the last 10 s in which somebody
    or everybody waited for memory, and of memory that is available. ``reserve`` stays free beside what a task is
    forecast to need. Growth is measured since ``window`` before an incident. Samples are kept for ``keep``. What a
    relief freed is measured ``relief_settle`` after it.
    """

    sample_every: Duration = Duration(5)
    elevated_some: float = 10.0
    critical_full: float = 5.0
    critical_full_for: Duration = Duration(10)
    critical_available: float = 10.0
    calm_for: Duration = Duration(60)
    wake_grace: Duration = Duration(30)
    window: Duration = Duration(600)
    reserve: Size = Size(512 * 1024 * 1024)
    keep: Duration = Duration(86_400)
    relief_settle: Duration = Duration(15)


class UnloadConfig(msgspec.Struct, frozen=True, kw_only=True):
    """``[unload.NAME]``: the HTTP call that makes a model server of this machine give its memory back.

    ``body`` goes out as it is, as JSON unless ``headers`` say another ``Content-Type``; the whole call has ``timeout``.
    ``service`` names the service whose process tree gives the memory; without it that is who listens on the URL's port.
    """

    url: str = ""
    method: Literal["POST", "GET", "PUT", "PATCH", "DELETE"] = "POST"
    body: str = ""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    timeout: Duration = Duration(10)
    service: str | None = None


class ConsoleConfig(msgspec.Struct, frozen=True, kw_only=True):
    """``[console]``: how the console refreshes and looks."""

    refresh_every: Duration = Duration(1)
    theme: str = "neo-dark"


class TaskConfig(msgspec.Struct, frozen=True, kw_only=True, rename={"task_class": "class"}):
    """``[tasks.NAME]``: what differs from the catalogue, or a task of the user's own.

    ``every`` is the interval between starts (0 disables it); ``cron`` is an expression in its place, in local time;
    ``jitter`` delays each start by a part of itself; ``window`` limits scheduled starts to a part of the day. A
    ``trigger_file`` newer than the last start makes the task due at once, and so do ``trigger_count`` files that match
    ``trigger_glob`` and are newer than it. ``needs`` names services that must be up.
    """

    command: tuple[str, ...] | None = None
    task_class: Literal["heavy", "light"] | None = None
    every: Duration | None = None
    time_limit: Duration | None = None
    grace: Duration | None = None
    window: Window | None = None
    cron: str | None = None
    jitter: Duration | None = None
    trigger_file: str | None = None
    trigger_glob: str | None = None
    trigger_count: int = 1
    retries: int | None = None
    retry_after: Duration | None = None
    needs: tuple[str, ...] = ()
    cwd: str | None = None
    env: dict[str, str] = msgspec.field(default_factory=dict)
    title: str | None = None


class ServiceConfig(msgspec.Struct, frozen=True, kw_only=True):
    """``[services.NAME]``: a process that should always run, or what differs from the catalogue's.

    ``probe`` says how to ask whether it is well: ``http`` (GET ``probe_path`` on ``host``:``port``, a status below
    400), ``tcp`` (a connection), ``exec`` (``probe_command`` exits 0), ``none`` (alive is well). It may fail during
    ``start_grace``; ``probe_failures`` in a row afterwards mean a restart. The pause before a restart doubles from
    ``backoff`` to ``backoff_max``, begins again after ``stable_after`` without a fault, and ``give_up_after`` starts in
    a row end in *fatal*. ``memory_limit`` is the resident memory of its tree in bytes above which it is restarted.
    """

    command: tuple[str, ...] | None = None
    enabled: bool | None = None
    cwd: str | None = None
    env: dict[str, str] = msgspec.field(default_factory=dict)
    host: str | None = None
    port: int | None = None
    probe: Literal["http", "tcp", "exec", "none"] | None = None
    probe_path: str | None = None
    probe_command: tuple[str, ...] | None = None
    probe_every: Duration | None = None
    probe_timeout: Duration | None = None
    probe_failures: int | None = None
    start_grace: Duration | None = None
    restart: Literal["always", "on-failure", "never"] | None = None
    backoff: Duration | None = None
    backoff_max: Duration | None = None
    stable_after: Duration | None = None
    give_up_after: int | None = None
    stop_signal: Literal["TERM", "INT", "QUIT", "HUP", "KILL"] | None = None
    stop_grace: Duration | None = None
    log_max: Size | None = None
    log_keep: int | None = None
    memory_limit: Size | None = None
    model: str | None = None
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
    memory: MemoryConfig = MemoryConfig()
    console: ConsoleConfig = ConsoleConfig()
    tasks: dict[str, TaskConfig] = msgspec.field(default_factory=dict)
    services: dict[str, ServiceConfig] = msgspec.field(default_factory=dict)
    unload: dict[str, UnloadConfig] = msgspec.field(default_factory=dict)
    jobs: JobsConfig = JobsConfig()
    keys: dict[str, str] = msgspec.field(default_factory=dict)
