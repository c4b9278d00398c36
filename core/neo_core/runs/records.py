"""The records of a living run, written anew where the state folder was removed under it."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from neo_core.clock import to_iso
from neo_core.errors import NeoError
from neo_core.workspace import ensure_state

if TYPE_CHECKING:
    from collections.abc import Callable

    from neo_core.clock import Clock
    from neo_core.ledger.models import Run
    from neo_core.ledger.store import Ledger
    from neo_core.workspace import Workspace

_STDERR = 2


class RecordKeeper:
    """Looks, at the cost of one ``stat``, whether a run's ledger is still the one that others read.

    ``say`` writes a line to the run's log.
    """

    def __init__(self, workspace: Workspace, ledger: Ledger, *, clock: Clock, say: Callable[[str, str], None]) -> None:
        self._workspace, self._ledger, self._clock, self._say = workspace, ledger, clock, say
        self._lost = False
        self._complaint = ""

    def look(self, run: Run) -> None:
        """Write ``run`` down anew where the ledger was removed or replaced; one that cannot be made is tried again.

        Who removed the whole workspace meant it: then nothing is made.
        """
        self._lost = self._lost or self._ledger.is_lost()
        if not self._lost or not self._workspace.root.is_dir():
            return
        warning = f"its records were removed while it ran; written down anew at {to_iso(self._clock.now())}"
        try:
            ensure_state(self._workspace)
            self._ledger.open_again()
            if not any(row.run_id == run.run_id for row in self._ledger.runs.find(run.run_id)):
                self._ledger.runs.insert(msgspec.structs.replace(run, warning=warning))
        except NeoError as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                self._say("WARN", f"The ledger was removed and cannot be begun anew yet: {error}")
            return
        self._lost, self._complaint = False, ""
        self._continue_log(run)
        self._say("WARN", "The ledger was removed or replaced; this run is written down anew in the new one.")

    def _continue_log(self, run: Run) -> None:
        """Let our own lines go to a log that is there again; what the command prints goes on to the removed one."""
        log = self._workspace.run_log(run.run_id)
        if log.exists():
            return
        with suppress(OSError):
            descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            os.dup2(descriptor, _STDERR)
            os.close(descriptor)
