"""The service catalogue: which processes should always run here, resolved once from the profile and configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from neo_core.config import Config, ServiceConfig
from neo_core.errors import ConfigError

if TYPE_CHECKING:
    from neo_core.workspace import Workspace

T = TypeVar("T")

Probe = Literal["http", "tcp", "exec", "none"]
Restart = Literal["always", "on-failure", "never"]

# Upstream's service commands (upstream-facts.md); enabled elsewhere by services.NAME.enabled or a command of one's own.
KNOWN: dict[str, ServiceConfig] = {
    "chroma": ServiceConfig(
        command=("chroma", "run", "--path", ".neo-ai-data/chroma/knowledge-base", "--port", "8000"),
        port=8000,
        host="localhost",
        probe="http",
        probe_path="/api/v2/heartbeat",
        title="the vector database",
    ),
    "bridgeDaemon": ServiceConfig(
        command=("node", "ai/scripts/bridge-daemon.mjs"), probe="none", title="the bridge between agents"
    ),
    "mlx": ServiceConfig(
        port=11435, host="localhost", probe="http", probe_path="/v1/models", title="the local model server"
    ),
}


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A process that should always run. Times are in seconds, sizes in bytes, ``memory_limit`` 0 means none.

    The fields mean what they mean in ``ServiceConfig``; ``cwd`` is absolute.
    """

    name: str
    command: tuple[str, ...]
    cwd: str
    env: dict[str, str] = msgspec.field(default_factory=dict)
    host: str = "127.0.0.1"
    port: int | None = None
    probe: Probe = "none"
    probe_path: str = "/"
    probe_command: tuple[str, ...] = ()
    probe_every: float = 10.0
    probe_timeout: float = 2.0
    probe_failures: int = 3
    start_grace: float = 30.0
    restart: Restart = "always"
    backoff: float = 1.0
    backoff_max: float = 60.0
    stable_after: float = 60.0
    give_up_after: int = 10
    stop_signal: str = "TERM"
    stop_grace: float = 10.0
    log_max: int = 10 * 1024 * 1024
    log_keep: int = 3
    memory_limit: int = 0
    title: str = ""


def resolve_services(workspace: Workspace, config: Config) -> dict[str, Service]:
    """Return every enabled service by name, in the order of the configuration. Raises ``ConfigError``."""
    found: dict[str, Service] = {}
    for name, told in config.services.items():
        known = KNOWN.get(name, ServiceConfig())
        if told.enabled is not False:
            found[name] = _service(workspace, name, told, known)
    return found


def _service(workspace: Workspace, name: str, told: ServiceConfig, known: ServiceConfig) -> Service:
    command = told.command or known.command
    if command is None:
        raise ConfigError(
            f"{workspace.config}: services.{name}.command",
            f"the service {name} has no command",
            'Set it, like command = ["chroma", "run", "--port", "8000"].',
        )
    port = _first(told.port, known.port)
    probe: Probe = _first(told.probe, known.probe) or ("tcp" if port else "none")
    if probe in ("http", "tcp") and port is None:
        raise ConfigError(
            f"{workspace.config}: services.{name}.port",
            f"the {probe} probe of {name} has no port",
            "Set it, or choose another probe.",
        )
    given = {
        field: value
        for field in (*_PLAIN, "host", "probe_path", "title")
        if (value := _first(getattr(told, field), getattr(known, field))) is not None
    }
    return Service(
        name=name,
        command=command,
        cwd=str(workspace.root / told.cwd) if told.cwd else str(workspace.root),
        env=told.env,
        port=port,
        probe=probe,
        probe_command=told.probe_command or (),
        **given,
    )


_PLAIN = (
    "probe_every",
    "probe_timeout",
    "probe_failures",
    "start_grace",
    "restart",
    "backoff",
    "backoff_max",
    "stable_after",
    "give_up_after",
    "stop_signal",
    "stop_grace",
    "log_max",
    "log_keep",
    "memory_limit",
)


def _first(told: T | None, known: T | None) -> T | None:
    return known if told is None else told
