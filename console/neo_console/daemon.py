"""Start and stop the orchestrator; both may take seconds, so the collector thread does it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from neo_core.workspace import Workspace

_PATIENCE = 5.0  # seconds, in which no picture is collected


class Daemon(Protocol):
    """The orchestrator of one workspace, as a process to start and stop. Both may raise ``NeoError``."""

    def start(self) -> int:
        """Start it detached from this terminal; return its pid."""
        ...

    def stop(self, because: str) -> None:
        """Ask it to end."""
        ...


class DetachedDaemon:
    """The orchestrator of a workspace on this machine."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def start(self) -> int:
        """Start it; return its pid."""
        from neo_core.orchestrator.detached import start_detached

        return start_detached(self._workspace)

    def stop(self, because: str) -> None:
        """Ask it to end, and wait a moment for it."""
        from neo_core.orchestrator.detached import request_stop

        request_stop(self._workspace, because, timeout=_PATIENCE)
