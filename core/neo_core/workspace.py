"""Where everything of a workspace lives: resolved once, absolute."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import NamedTuple

from neo_core.errors import WorkspaceError, describe_os_error

CONFIG_NAME = "neo-console.toml"
DATA_NAME = ".neo-ai-data"
STATE_NAME = "orchestrator-daemon"
STATE_VARIABLE = "NEO_AI_ORCHESTRATOR_DIR"
LEASE_NAME = "heavy-maintenance-lease.json"
_MARKERS = (CONFIG_NAME, DATA_NAME, ".git")


class Workspace(NamedTuple):
    """The folder being maintained and the places in it; every path is absolute."""

    root: Path
    state: Path

    @property
    def config(self) -> Path:
        """The configuration file, which need not exist."""
        return self.root / CONFIG_NAME

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
        """The public lease record, shared with scripts that are not ours."""
        return self.state / LEASE_NAME

    @property
    def ledger(self) -> Path:
        """The durable record of runs and outcomes."""
        return self.state / "ledger.sqlite3"

    @property
    def logs(self) -> Path:
        """One log file per run."""
        return self.state / "runs"

    @property
    def search_index(self) -> Path:
        """The full-text index that ``kbSync`` keeps."""
        return self.data / "kb-index.sqlite3"

    def run_log(self, run_id: str) -> Path:
        """Return the log file of one run."""
        return self.logs / f"{run_id}.log"


def resolve_workspace(explicit: str | os.PathLike[str] | None = None, *, start: Path | None = None) -> Workspace:
    """Find the workspace as git finds a repository.

    ``explicit`` wins; else the nearest ancestor of ``start`` (default: the current folder) that holds
    ``neo-console.toml``, ``.neo-ai-data`` or ``.git``; else ``start`` itself. ``NEO_AI_ORCHESTRATOR_DIR`` moves the
    state folder, relative paths being taken from the workspace. Raises ``WorkspaceError``.
    """
    root = _explicit_root(explicit) if explicit is not None else _nearest_root(start)
    moved = os.environ.get(STATE_VARIABLE, "").strip()
    state = root / (_expanded(moved, STATE_VARIABLE) if moved else Path(DATA_NAME, STATE_NAME))
    found = Workspace(root=root, state=Path(os.path.normpath(state)))
    _refuse_undecodable(found)
    return found


def ensure_state(workspace: Workspace) -> None:
    """Create the state folder, private to its user; raises ``WorkspaceError`` naming what stands in the way."""
    for folder in (workspace.state, workspace.logs):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            in_the_way = _file_in_the_way(folder)
            raise WorkspaceError(
                f"state folder {folder}",
                f"cannot be created: {f'{in_the_way} is a file' if in_the_way else describe_os_error(error)}",
                f"{f'Move {in_the_way} away' if in_the_way else f'Make {folder.parent} writable for you'}, "
                f"or point {STATE_VARIABLE} at a folder of yours.",
            ) from error
    if not os.access(workspace.state, os.W_OK | os.X_OK):
        raise WorkspaceError(
            f"state folder {workspace.state}",
            "is not writable for you",
            f"Run: chmod u+rwx {workspace.state} (or chown it), then try again.",
        )


def _file_in_the_way(folder: Path) -> Path | None:
    """Return what stands where ``folder`` or an ancestor of it should be, if anything does."""
    for place in (folder, *folder.parents):
        if os.path.lexists(place):
            return None if os.path.isdir(place) else place  # noqa: PTH112 - Path.is_dir raises where it may not look
    return None


def _explicit_root(explicit: str | os.PathLike[str]) -> Path:
    text = os.fspath(explicit)
    if not text or "\0" in text:
        raise WorkspaceError("--workspace", "is empty or holds a NUL byte", "Name an existing folder.")
    told = _expanded(text, "--workspace")
    # resolve() would follow the user's links
    root = Path(os.path.normpath(told if told.is_absolute() else _current_folder() / told))
    try:
        is_folder = stat.S_ISDIR(root.stat().st_mode)
    except OSError as error:
        cause = "does not exist" if isinstance(error, FileNotFoundError) else f"is no use: {describe_os_error(error)}"
        raise WorkspaceError(f"workspace {root}", cause, "Name an existing folder with --workspace.") from error
    if not is_folder:
        raise WorkspaceError(f"workspace {root}", "is not a folder", "Name an existing folder with --workspace.")
    return root


def _expanded(text: str, told_by: str) -> Path:
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        cause = f"{text!r} begins with a home folder that is not known"
        raise WorkspaceError(told_by, cause, "Write the folder out, beginning with '/'.") from error


def _refuse_undecodable(workspace: Workspace) -> None:
    """Refuse a path that no ledger row, no JSON and no terminal could carry."""
    for path in workspace:
        try:
            str(path).encode()
        except UnicodeEncodeError as error:
            raise WorkspaceError(f"folder {str(path)!r}", "has a name that is not UTF-8", "Rename it.") from error


def _current_folder() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        raise WorkspaceError("current folder", "no longer exists", "Change into a folder that does.") from error


def _nearest_root(start: Path | None) -> Path:
    here = start or _current_folder()
    for folder in (here, *here.parents):
        if any(os.path.lexists(folder / marker) for marker in _MARKERS):
            return folder
    return here
