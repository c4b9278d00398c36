"""Write an incident's report into the state folder, once for people and once for programs; only its user reads it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from neo_core.errors import WorkspaceError, describe_os_error
from neo_core.recorder.report import as_json, as_markdown
from neo_core.workspace import ensure_state

if TYPE_CHECKING:
    from pathlib import Path

    from neo_core.recorder.report import Report
    from neo_core.workspace import Workspace

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL


def export_report(report: Report, workspace: Workspace) -> tuple[Path, Path]:
    """Write the Markdown page and the JSON file, over earlier ones of the same incident; return their paths.

    Raises ``WorkspaceError``.
    """
    import json

    ensure_state(workspace)
    folder = workspace.state / "incidents"
    name = f"incident-{report.incident.incident_id}"
    data = json.dumps(as_json(report), indent=2, ensure_ascii=False) + "\n"
    files = (folder / f"{name}.md", as_markdown(report)), (folder / f"{name}.json", data)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        for path, text in files:
            _write(path, text)
    except OSError as error:
        mend = f"Make {folder} a folder that you may write to, with room on its disk, and export again."
        cause = f"could not be exported: {describe_os_error(error)}"
        raise WorkspaceError(f"incident {report.incident.incident_id}", cause, mend) from error
    return files[0][0], files[1][0]


def _write(path: Path, text: str) -> None:
    """Replace the file as a whole: nobody finds half of one. Raises ``OSError``."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(new, _FLAGS, 0o600), "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
