"""Where everything of a workspace lives: resolved once, absolute.

Worked out on plain text; ``pathlib`` is imported when a path object is asked for, which ``neo-lease run`` never does.
"""
# ruff: noqa: PTH103, PTH109, PTH111, PTH112, PTH116, PTH117, PTH118, PTH120

from __future__ import annotations

import os
import stat

from neo_core.errors import ConfigError, NeoError, WorkspaceError, describe_os_error, guess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

CONFIG_NAME = "neo-console.toml"
DATA_NAME = ".neo-ai-data"
STATE_NAME = "orchestrator-daemon"
STATE_VARIABLE = "NEO_AI_ORCHESTRATOR_DIR"
LEASE_NAME = "heavy-maintenance-lease.json"
LOGS_NAME = "runs"
KEPT_CONFIG_NAME = "orchestrator.toml"
CONFIG_VARIABLE = "NEO_CONSOLE_CONFIG"  # tells a run's command by which file its runner works, if not the workspace's
# What the configuration may say; importing ``config_sections``, which knows all of it, costs neo-lease too much.
SECTIONS = ("lease", "orchestrator", "memory", "console", "tasks", "services", "unload", "jobs", "keys")
LEASE_KEYS = ("path", "ttl", "renew_every", "allow_network_filesystem")
_MAX_CONFIG = 1_048_576
_MARKERS = (CONFIG_NAME, DATA_NAME, ".git")


class Workspace:
    """The folder being maintained and the places in it; every path is absolute."""

    __slots__ = ("_lease", "_root", "_state")

    def __init__(self, root: str | os.PathLike[str], state: str | os.PathLike[str], lease: str = "") -> None:
        self._root = os.fspath(root)
        self._state = os.fspath(state)
        self._lease = lease or os.path.join(self._state, LEASE_NAME)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Workspace) and self._places() == other._places()

    def __hash__(self) -> int:
        return hash(self._places())

    def _places(self) -> tuple[str, str, str]:
        return self._root, self._state, self._lease

    def __repr__(self) -> str:
        return f"Workspace(root={self._root!r}, state={self._state!r})"

    @property
    def root(self) -> Path:
        """The folder being maintained."""
        return _path(self._root)

    @property
    def state(self) -> Path:
        """The folder of our own state, private to its user."""
        return _path(self._state)

    @property
    def config(self) -> Path:
        """The configuration file, which need not exist."""
        return self.root / CONFIG_NAME

    @property
    def config_in_force(self) -> Path:
        """The copy of the last good configuration that an orchestrator read, by which runs work."""
        return self.state / KEPT_CONFIG_NAME

    @property
    def data(self) -> Path:
        """The folder of the maintained data (databases, backups)."""
        return self.root / DATA_NAME

    @property
    def default_state(self) -> Path:
        """Where the state folder is when no environment variable moves it."""
        return self.data / STATE_NAME

    @property
    def lease(self) -> Path:
        """The public lease record, shared with scripts that are not ours, by ``lease.path`` also with workspaces."""
        return _path(self._lease)

    @property
    def lease_text(self) -> str:
        """The same as text, for who starts too often to pay for path objects."""
        return self._lease

    @property
    def root_text(self) -> str:
        """The folder being maintained as text, likewise."""
        return self._root

    @property
    def state_text(self) -> str:
        """The state folder as text, likewise."""
        return self._state

    @property
    def ledger(self) -> Path:
        """The durable record of runs and outcomes."""
        return self.state / "ledger.sqlite3"

    @property
    def logs(self) -> Path:
        """One log file per run."""
        return self.state / LOGS_NAME

    @property
    def service_logs(self) -> Path:
        """One log file per service."""
        return self.state / "services"

    @property
    def orchestrator_log(self) -> Path:
        """What the orchestrator did, a line per change."""
        return self.state / "orchestrator.log"

    @property
    def orchestrator_lock(self) -> Path:
        """The file whose lock only one orchestrator has; it names the one, its time is that of the last poll."""
        return self.state / "orchestrator.lock"

    @property
    def search_index(self) -> Path:
        """The full-text index that ``kbSync`` keeps."""
        return self.data / "kb-index.sqlite3"

    def run_log(self, run_id: str) -> Path:
        """Return the log file of one run."""
        return self.logs / f"{run_id}.log"


def resolve_workspace(
    explicit: str | os.PathLike[str] | None = None,
    *,
    start: Path | None = None,
    lease: str = "",
    heed_config: bool = True,
) -> Workspace:
    """Find the workspace as git finds a repository.

    ``explicit`` wins; else the nearest ancestor of ``start`` (default: the current folder) that holds
    ``neo-console.toml``, ``.neo-ai-data`` or ``.git``; else ``start`` itself. ``NEO_AI_ORCHESTRATOR_DIR`` moves the
    state folder, relative paths being taken from the workspace; ``lease.path`` of the configuration, where that is
    heeded, moves the lease alone, which ``lease``, an absolute path, precedes. Raises ``WorkspaceError``, and
    ``ConfigError`` for a configuration that moves the lease to nowhere.
    """
    root = _explicit_root(os.fspath(explicit)) if explicit is not None else _nearest_root(start)
    moved = os.environ.get(STATE_VARIABLE, "").strip()
    told = _expanded(moved, STATE_VARIABLE) if moved else os.path.join(DATA_NAME, STATE_NAME)
    lease = lease or (_configured_lease(root, os.path.join(root, CONFIG_NAME)) if heed_config else "")
    found = Workspace(root, os.path.normpath(os.path.join(root, told)), lease)
    _refuse_undecodable(root, os.path.join(root, told), lease)
    return found


def resolve_workspace_anyway(explicit: str | os.PathLike[str] | None = None) -> tuple[Workspace, str]:
    """Find the workspace also where its configuration cannot say where the lease is; return that mistake too.

    The lease is then where the last good configuration put it, else at its usual place. For who looks, stops or holds
    back, never for who takes the lease: two places are two leases. Raises ``WorkspaceError``.
    """
    try:
        return resolve_workspace(explicit), ""
    except NeoError as error:
        found = resolve_workspace(explicit, heed_config=False)
        try:
            lease = _configured_lease(os.fspath(found.root), os.path.join(found.state_text, KEPT_CONFIG_NAME))
        except NeoError:
            lease = ""
        return resolve_workspace(explicit, lease=lease, heed_config=False), str(error)


def ensure_state(workspace: Workspace) -> None:
    """Create the state folder, private to its user; raises ``WorkspaceError`` naming what stands in the way.

    A workspace that was moved away or removed is not made again: what works on in it would write beside its data.
    """
    if not os.path.isdir(workspace.root_text):
        raise WorkspaceError(f"workspace {workspace.root_text}", "is gone", "Put it back, or go where it is now.")
    state = workspace.state_text
    for folder in (state, os.path.join(state, LOGS_NAME), os.path.dirname(workspace.lease_text)):
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
        except OSError as error:
            in_the_way = _file_in_the_way(folder)
            raise WorkspaceError(
                f"state folder {folder}",
                f"cannot be created: {f'{in_the_way} is a file' if in_the_way else describe_os_error(error)}",
                f"{f'Move {in_the_way} away' if in_the_way else f'Make {os.path.dirname(folder)} writable for you'}, "
                f"or point {STATE_VARIABLE} at a folder of yours.",
            ) from error
    if not os.access(state, os.W_OK | os.X_OK):
        raise WorkspaceError(
            f"state folder {state}",
            "is not writable for you",
            f"Run: chmod u+rwx {state} (or chown it), then try again.",
        )


def _configured_lease(root: str, path: str) -> str:
    """Return where the configuration ``path`` puts the lease, empty when it does not say; reads no more than it must.

    ``neo-lease`` must agree with everybody else about the place, without paying for the whole configuration.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return ""
        with open(path, "rb") as file:  # noqa: PTH123 - see the module's docstring
            raw = file.read(_MAX_CONFIG)
    except OSError:
        return ""
    # A mistyped "[lease]" or "path" would be a second lease: each of the two words is looked at without the other.
    if b"lease" not in raw and b"path" not in raw:
        return ""
    import tomllib

    try:
        table = tomllib.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise ConfigError(path, f"is not TOML: {error}", "Mend that line.") from error
    section = table.get("lease")
    _refuse_unknown(table, SECTIONS, path, "")
    _refuse_unknown(section if isinstance(section, dict) else {}, LEASE_KEYS, path, "lease.")
    told = section.get("path") if isinstance(section, dict) else None
    if told is None:
        return ""
    if not isinstance(told, str) or not told.strip() or "\0" in told:
        raise ConfigError(f"{path}: lease.path", f"{told!r} names no file", "Name one, or leave it out.")
    return os.path.normpath(os.path.join(root, _expanded(told, "lease.path")))


def _refuse_unknown(table: Iterable[str], known: tuple[str, ...], path: str, within: str) -> None:
    for name in table:
        if name not in known:
            near = guess(f"{within}{name}", [f"{within}{one}" for one in known]).strip()
            raise ConfigError(
                f"{path}: {within}{name}", "is not a known key", near or f"Known here: {', '.join(known)}."
            )


def _path(text: str) -> Path:
    from pathlib import Path

    return Path(text)


def _upwards(folder: str) -> list[str]:
    """Return ``folder`` and its ancestors, the nearest first."""
    found = [folder]
    while (parent := os.path.dirname(found[-1])) != found[-1] and parent:
        found.append(parent)
    return found


def _file_in_the_way(folder: str) -> str | None:
    """Return what stands where ``folder`` or an ancestor of it should be, if anything does."""
    for place in _upwards(folder):
        if os.path.lexists(place):
            return None if os.path.isdir(place) else place
    return None


def _explicit_root(text: str) -> str:
    if not text or "\0" in text:
        raise WorkspaceError("--workspace", "is empty or holds a NUL byte", "Name an existing folder.")
    told = _expanded(text, "--workspace")
    # realpath() would follow the user's links
    root = os.path.normpath(told if os.path.isabs(told) else os.path.join(_current_folder(), told))
    try:
        is_folder = stat.S_ISDIR(os.stat(root).st_mode)
    except OSError as error:
        cause = "does not exist" if isinstance(error, FileNotFoundError) else f"is no use: {describe_os_error(error)}"
        raise WorkspaceError(f"workspace {root}", cause, "Name an existing folder with --workspace.") from error
    if not is_folder:
        raise WorkspaceError(f"workspace {root}", "is not a folder", "Name an existing folder with --workspace.")
    return root


def _expanded(text: str, told_by: str) -> str:
    expanded = os.path.expanduser(text)
    if expanded.startswith("~"):
        cause = f"{text!r} begins with a home folder that is not known"
        raise WorkspaceError(told_by, cause, "Write the folder out, beginning with '/'.")
    return expanded


def _refuse_undecodable(*folders: str) -> None:
    """Refuse a path that no ledger row, no JSON and no terminal could carry."""
    for folder in folders:
        try:
            folder.encode()
        except UnicodeEncodeError as error:
            raise WorkspaceError(f"folder {folder!r}", "has a name that is not UTF-8", "Rename it.") from error


def _current_folder() -> str:
    try:
        return os.getcwd()
    except OSError as error:
        raise WorkspaceError("current folder", "no longer exists", "Change into a folder that does.") from error


def _nearest_root(start: Path | None) -> str:
    here = os.fspath(start) if start else _current_folder()
    for folder in _upwards(here):
        if any(os.path.lexists(os.path.join(folder, marker)) for marker in _MARKERS):
            return folder
    return here
