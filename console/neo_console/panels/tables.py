"""The table panels of processes and outcomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.panels import sentences
from neo_console.panels.base import TablePanel
from neo_console.rows import outcomes, processes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neo_console.picture import Picture, View
    from neo_console.rows.model import Row
    from neo_core.ledger.models import Run
    from neo_core.snapshot import TreeView


class ProcessesPanel(TablePanel):
    """2: which owner's process tree has the memory."""

    NAME = sentences.PROCESSES
    TITLE = "2 Processes"
    COLUMNS = processes.COLUMNS
    NOUN = ("row", "rows")

    def view(self, picture: Picture, now: float) -> View[tuple[TreeView, ...]]:
        """Return the trees."""
        return picture.processes(now)

    def rows(self, picture: Picture, now: float) -> Sequence[Row]:
        """Return the rows of every tree."""
        return processes.process_rows(self.view(picture, now).value or ())


class OutcomesPanel(TablePanel):
    """3: how every start, and every prevented start, ended."""

    NAME = sentences.OUTCOMES
    TITLE = "3 Outcomes"
    COLUMNS = outcomes.COLUMNS
    NOUN = ("row", "rows")

    def __init__(self) -> None:
        super().__init__()
        self._maker = outcomes.OutcomeRows()

    def view(self, picture: Picture, now: float) -> View[tuple[Run, ...]]:
        """Return the recorded runs."""
        return picture.outcomes(now)

    def rows(self, picture: Picture, now: float) -> Sequence[Row]:
        """Return the newest runs first."""
        return self._maker.rows(self.view(picture, now).value or (), now)
