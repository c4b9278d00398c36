"""Whether git would pick up what we write into a workspace, and the command that keeps it out."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from neo_core.errors import JobError
from neo_core.jobs.checkout.git import Git

if TYPE_CHECKING:
    from pathlib import Path

    from neo_core.workspace import Workspace

_WITHIN = 5.0
_NOT_IGNORED = 1


def ignore_command(workspace: Workspace) -> str:
    """Return the command that lets git ignore our data; empty where it does so, and outside of a work tree.

    The folder is shared with other programs, so that it is its owner's to say; nothing is changed here.
    """
    root = workspace.root
    for folder in (workspace.data, workspace.state):
        if root in folder.parents and _is_not_ignored(root, folder / "x"):
            return _command(root / ".gitignore", f"/{folder.relative_to(root).as_posix()}/")
    return ""


def _is_not_ignored(root: Path, path: Path) -> bool:
    """Return whether git says so; what it says of a folder outside of a work tree, or not at all, is no."""
    try:
        return Git(root).ask("check-ignore", "--quiet", "--", str(path), timeout=_WITHIN).code == _NOT_IGNORED
    except JobError:
        return False


def _command(file: Path, pattern: str) -> str:
    try:
        whole = file.read_bytes()[-1:] in (b"", b"\n")
    except OSError:
        whole = True
    into = f">> {shlex.quote(str(file))}"
    return f"{'' if whole else f'echo {into}; '}echo {shlex.quote(pattern)} {into}"
