"""A checkout of neo: which ``ai:*`` scripts it has, where its daemons lie, and what upstream's variables say."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import msgspec

from neo_core.errors import ConfigError, describe_os_error

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PACKAGE = "package.json"

# Upstream's npm scripts by the task that each one is here; golden-path has none upstream, so its name is ours.
TASK_SCRIPTS = {
    "kbSync": "ai:sync-kb",
    "backup": "ai:backup",
    "summary": "ai:summarize-sessions",
    "dream": "ai:run-sandman",
    "golden-path": "ai:golden-path",
}
# What upstream starts by hand only; the task's name is the owner that upstream writes into the lease.
MANUAL_SCRIPTS = {"sandman": "ai:run-sandman", "syncGithubWorkflow": "ai:sync-github-workflow"}

# Where the daemon that wakes agents has been, newest first.
_BRIDGES = ("ai/daemons/wake/daemon.mjs", "ai/daemons/bridge/daemon.mjs", "ai/scripts/bridge-daemon.mjs")
_CHROMA_FOLDERS = (".neo-ai-data/chroma/unified", ".neo-ai-data/chroma/knowledge-base")
_MLX_PYTHON = "ai/mcp/server/memory-core/.venv/bin/python"

_INTERVALS = {
    "summary": ("NEO_ORCHESTRATOR_SUMMARY_SWEEP_INTERVAL_MS", "NEO_SUMMARIZATION_SWEEP_INTERVAL_MS"),
    "kbSync": ("NEO_ORCHESTRATOR_KB_SYNC_INTERVAL_MS",),
    "backup": ("NEO_ORCHESTRATOR_BACKUP_INTERVAL_MS",),
    "primary-dev-sync": ("NEO_ORCHESTRATOR_PRIMARY_DEV_SYNC_INTERVAL_MS",),
    "dream": ("NEO_ORCHESTRATOR_DREAM_INTERVAL_MS",),
    "golden-path": ("NEO_ORCHESTRATOR_GOLDEN_PATH_INTERVAL_MS",),
}
_TASK_SWITCHES = {
    "kbSync": "NEO_ORCHESTRATOR_KB_SYNC_ENABLED",
    "primary-dev-sync": "NEO_ORCHESTRATOR_PRIMARY_DEV_SYNC_ENABLED",
}
_SERVICE_SWITCHES = {
    "chroma": "NEO_ORCHESTRATOR_CHROMA_DAEMON_ENABLED",
    "bridgeDaemon": "NEO_ORCHESTRATOR_BRIDGE_DAEMON_ENABLED",
    "mlx": "NEO_ORCHESTRATOR_MLX_ENABLED",
}
_PORTS = {"chroma": "NEO_CHROMA_PORT", "mlx": "NEO_ORCHESTRATOR_MLX_PORT"}
_CHROMA_HOST = "NEO_CHROMA_HOST"
_CHROMA_DATA = "NEO_CHROMA_DATA_DIR"
MLX_MODEL = "NEO_ORCHESTRATOR_MLX_MODEL"

_MAX_BYTES = 1_048_576
_LONGEST_MS = 10 * 365 * 86_400_000
_YES = ("true", "1", "yes", "on")
_NO = ("false", "0", "no", "off")


class Checkout(msgspec.Struct, frozen=True, kw_only=True):
    """What a workspace is to upstream. ``scripts`` are the npm scripts it has, of those we know.

    ``trouble`` says why its ``package.json`` could not be read; then it is no checkout of neo.
    """

    scripts: frozenset[str] = frozenset()
    trouble: str = ""

    @property
    def is_neo(self) -> bool:
        """Whether it has any of upstream's scripts."""
        return bool(self.scripts)


def read_checkout(root: Path) -> Checkout:
    """Look into ``root``'s ``package.json``; never raises, whatever that file is."""
    try:
        raw = _read(root / PACKAGE)
    except (FileNotFoundError, NotADirectoryError):
        return Checkout()
    except OSError as error:
        return Checkout(trouble=f"cannot be read: {describe_os_error(error)}")
    try:
        told = msgspec.json.decode(raw.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Checkout(trouble=f"is not JSON: {error}")
    scripts = told.get("scripts") if isinstance(told, dict) else None
    if not isinstance(scripts, dict):
        return Checkout()
    known = {*TASK_SCRIPTS.values(), *MANUAL_SCRIPTS.values()}
    return Checkout(scripts=frozenset(name for name in known if _is_script(scripts.get(name))))


def _is_script(told: object) -> bool:
    return isinstance(told, str) and bool(told.strip())


def _read(path: Path) -> bytes:
    """Return the file's bytes without waiting for a FIFO or swallowing a device. Raises ``OSError``."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(0, "it is not a regular file")
    if status.st_size > _MAX_BYTES:
        raise OSError(0, f"it is {status.st_size} bytes long, more than {_MAX_BYTES}")
    return path.read_bytes()


def npm_run(script: str) -> tuple[str, ...]:
    """Return the command that starts an npm script of the workspace."""
    return ("npm", "run", script)


def bridge_script(root: Path) -> str:
    """Return where the checkout has its bridge daemon, relative to ``root``; empty when it has none."""
    return next((place for place in _BRIDGES if (root / place).is_file()), "")


def mlx_python(root: Path) -> str:
    """Return the Python that serves models: the checkout's own environment when it is there."""
    own = root / _MLX_PYTHON
    return str(own) if own.is_file() else "python3"


class UpstreamEnvironment:
    """Upstream's variables as typed values; an empty one counts as not set. Every bad value is a ``ConfigError``."""

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        self._variables = os.environ if variables is None else variables

    def every(self, task: str) -> float | None:
        """Return the interval of ``task`` in seconds, 0 for switched off, ``None`` when nothing is said."""
        switch = _TASK_SWITCHES.get(task)
        if switch is not None and self._switch(switch) is False:
            return 0.0
        for name in _INTERVALS.get(task, ()):
            if text := self._text(name):
                return _milliseconds(name, text) / 1000
        return None

    def enabled(self, service: str) -> bool | None:
        """Return whether ``service`` is switched on or off, ``None`` when nothing is said."""
        switch = _SERVICE_SWITCHES.get(service)
        return None if switch is None else self._switch(switch)

    def port(self, service: str) -> int | None:
        """Return the port of ``service``, ``None`` when nothing is said."""
        name = _PORTS.get(service, "")
        text = self._text(name)
        if not text:
            return None
        if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65_535):
            raise _bad(name, text, "is not a port", "Set it to a number from 1 to 65535, or unset it.")
        return int(text)

    def chroma_host(self) -> str:
        """Return the machine that has Chroma; empty when nothing is said."""
        return self._word(_CHROMA_HOST, "is not the name of a machine")

    def chroma_folder(self, root: Path) -> str:
        """Return Chroma's data folder: as told, or whichever of upstream's the checkout has."""
        told = self._text(_CHROMA_DATA)
        return told or next((place for place in _CHROMA_FOLDERS if (root / place).is_dir()), _CHROMA_FOLDERS[-1])

    def mlx_model(self) -> str:
        """Return the model to serve, a repository's name or a folder; empty when nothing is said."""
        return self._text(MLX_MODEL)

    def _word(self, name: str, cause: str) -> str:
        text = self._text(name)
        if any(char.isspace() or char in "/@?#" for char in text):
            raise _bad(name, text, cause, "Set it like localhost, or unset it.")
        return text

    def _switch(self, name: str) -> bool | None:
        text = self._text(name).lower()
        if not text:
            return None
        if text not in (*_YES, *_NO):
            raise _bad(name, text, "is neither true nor false", "Set it to true or false, or unset it.")
        return text in _YES

    def _text(self, name: str) -> str:
        return self._variables.get(name, "").strip()


def _milliseconds(name: str, text: str) -> float:
    mend = "Set it to whole milliseconds (0 disables the task), or unset it."
    if not (text.isascii() and text.isdigit()):
        raise _bad(name, text, "is not a number of milliseconds", mend)
    if len(text) > len(str(_LONGEST_MS)) or int(text) > _LONGEST_MS:
        raise _bad(name, text, "is longer than ten years", mend)
    return float(int(text))


def _bad(name: str, text: str, cause: str, mend: str) -> ConfigError:
    return ConfigError(f"environment variable {name}", f"{text!r} {cause}", mend)
