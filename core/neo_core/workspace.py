"""Where everything of a workspace lives: resolved once, absolute."""

from __future__ import annotations

import os
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
    if "\0" in moved:
        raise WorkspaceError(STATE_VARIABLE, "holds a NUL byte", "Unset it or name a folder.")
    state = (root / Path(moved).expanduser()) if moved else root / DATA_NAME / STATE_NAME
    return Workspace(root=root, state=Path(os.path.normpath(state)))


def ensure_state(workspace: Workspace) -> None:
    """Create the state folder, private to its user; raises ``WorkspaceError`` naming what stands in the way."""
    for folder in (workspace.state, workspace.logs):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise WorkspaceError(
                f"state folder {folder}",
                f"cannot be created: {describe_os_error(error)}",
                f"Make {folder.parent} writable for you, or point {STATE_VARIABLE} at a folder that is.",
            ) from error
    if not os.access(workspace.state, os.W_OK | os.X_OK):
        raise WorkspaceError(
            f"state folder {workspace.state}",
            "is not writable for you",
            f"Run: chmod u+rwx {workspace.state} (or chown it), then try again.",
        )


def _explicit_root(explicit: str | os.PathLike[str]) -> Path:
    text = os.fspath(explicit)
    if not text or "\0" in text:
        raise WorkspaceError("--workspace", "is empty or holds a NUL byte", "Name an existing folder.")
    root = Path(os.path.abspath(Path(text).expanduser()))  # noqa: PTH100 - resolve() would follow the user's links
    if not root.is_dir():
        cause = "is not a folder" if root.exists() else "does not exist"
        raise WorkspaceError(f"workspace {root}", cause, "Name an existing folder with --workspace.")
    return root


def _nearest_root(start: Path | None) -> Path:
    try:
        here = start or Path.cwd()
    except OSError as error:
        raise WorkspaceError("current folder", "no longer exists", "Change into a folder that does.") from error
    for folder in (here, *here.parents):
        if any(os.path.lexists(folder / marker) for marker in _MARKERS):
            return folder
    return here
