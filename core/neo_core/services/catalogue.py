"""The service catalogue: which processes should always run here, resolved once from the profile and configuration.

In a checkout of neo ``chroma`` and ``bridgeDaemon`` are on by themselves; elsewhere nothing is. The configuration
precedes upstream's environment variables (which only count in a checkout), and those the defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from neo_core.config import Config, ServiceConfig
from neo_core.config_sections import resolved_each, told_or
from neo_core.errors import ConfigError
from neo_core.neo_checkout import MLX_MODEL, UpstreamEnvironment, bridge_script, mlx_python, read_checkout

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neo_core.workspace import Workspace

T = TypeVar("T")

Probe = Literal["http", "tcp", "exec", "none"]
Restart = Literal["always", "on-failure", "never"]

# Upstream's services (upstream-facts.md), without their commands, which depend on the port and the like.
KNOWN: dict[str, ServiceConfig] = {
    "chroma": ServiceConfig(
        port=8000, host="localhost", probe="http", probe_path="/api/v2/heartbeat", title="the vector database"
    ),
    "bridgeDaemon": ServiceConfig(probe="none", title="the bridge between agents"),
    "mlx": ServiceConfig(
        port=11435, host="localhost", probe="http", probe_path="/v1/models", title="the local model server"
    ),
}
_DEFAULT_BRIDGE = "ai/scripts/bridge-daemon.mjs"
_HERE = ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104 - compared with, not listened on


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


def unconfigured(name: str) -> Service:
    """Return what stands for a service that is no longer configured, to be ended."""
    return Service(name=name, command=(), cwd="/")


def resolve_services(
    workspace: Workspace,
    config: Config,
    variables: Mapping[str, str] | None = None,
    *,
    mistakes: list[ConfigError] | None = None,
) -> dict[str, Service]:
    """Return every enabled service by name: upstream's first, then in the order of the configuration.

    ``variables`` are upstream's (default: the environment). Raises ``ConfigError`` for the first mistake; given a list
    of ``mistakes``, it leaves out the services that cannot be meant and appends every one.
    """
    profile = _Profile(workspace, config, variables)
    names = [*KNOWN, *(name for name in config.services if name not in KNOWN)]
    return resolved_each(names, lambda name: profile.service(name) if profile.enabled(name) else None, mistakes)


class _Profile:
    """One workspace's way to turn a name into a service."""

    def __init__(self, workspace: Workspace, config: Config, variables: Mapping[str, str] | None) -> None:
        self._workspace = workspace
        self._told = config.services
        self._is_neo = read_checkout(workspace.root).is_neo
        # Upstream's variables mean a checkout's services, not those of any workspace on the machine.
        self._environment = UpstreamEnvironment(variables if self._is_neo else {})

    def enabled(self, name: str) -> bool:
        """Return whether the service should run here. Raises ``ConfigError`` for a bad variable."""
        told = self._told.get(name)
        if told is not None and told.enabled is not None:
            return told.enabled
        said = self._environment.enabled(name)
        if said is not None:
            return said
        if told is not None or not self._is_neo:
            return told is not None
        if name == "chroma":
            return (self._environment.chroma_host() or "localhost") in _HERE
        return name == "bridgeDaemon" and bool(bridge_script(self._workspace.root))

    def service(self, name: str) -> Service:
        """Return the service as it would be started. Raises ``ConfigError``."""
        told, known = self._told.get(name, ServiceConfig()), KNOWN.get(name, ServiceConfig())
        root = self._workspace.root
        host = told.host or self._host(name) or known.host
        port = told_or(told_or(told.port, self._environment.port(name)), known.port)
        command = told.command or self._command(name, told, host or "", port)
        probe: Probe = told.probe or known.probe or ("tcp" if port else "none")
        if not command:
            mend = 'Set it, like command = ["chroma", "run", "--port", "8000"].'
            raise self._error(name, "command", f"the service {name} has no command", mend)
        if probe in ("http", "tcp") and port is None:
            cause = f"the {probe} probe of {name} has no port"
            raise self._error(name, "port", cause, "Set it, or choose another probe.")
        given = {
            field: value
            for field in _PLAIN
            if (value := told_or(getattr(told, field), getattr(known, field))) is not None
        }
        if host:
            given["host"] = host
        return Service(
            name=name,
            command=command,
            cwd=str(root / told.cwd) if told.cwd else str(root),
            env=told.env,
            port=port,
            probe=probe,
            probe_command=told.probe_command or (),
            **given,
        )

    def _host(self, name: str) -> str:
        return self._environment.chroma_host() if name == "chroma" else ""

    def _command(self, name: str, told: ServiceConfig, host: str, port: int | None) -> tuple[str, ...]:
        """Return upstream's command for one of its services, empty for any other. Raises ``ConfigError``."""
        root = self._workspace.root
        if name == "chroma":
            listen = () if host in ("", "localhost") else ("--host", host)
            return ("chroma", "run", "--path", self._environment.chroma_folder(root), *listen, "--port", str(port))
        if name == "bridgeDaemon":
            return ("node", bridge_script(root) or _DEFAULT_BRIDGE)
        if name == "mlx":
            return (mlx_python(root), "-m", "mlx_lm.server", "--model", self._model(told), "--port", str(port))
        return ()

    def _model(self, told: ServiceConfig) -> str:
        model = (told.model or "").strip() or self._environment.mlx_model()
        if not model:
            mend = 'Set it, like model = "mlx-community/Qwen3-4B-4bit"'
            mend += f", or set {MLX_MODEL}." if self._is_neo else "."
            raise self._error("mlx", "model", "the service mlx has no model to serve", mend)
        return model

    def _error(self, name: str, key: str, cause: str, mend: str) -> ConfigError:
        return ConfigError(f"{self._workspace.config}: services.{name}.{key}", cause, mend)


_PLAIN = (
    "probe_path",
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
    "title",
)
