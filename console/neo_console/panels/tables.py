"""2: which owner's process tree has the memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.panels import sentences
from neo_console.panels.base import TablePanel
from neo_console.rows import processes
from neo_console.vocabulary import words_of_all
from neo_core.ledger.models import LeaseRole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neo_console.picture import Picture, View
    from neo_console.rows.model import Row
    from neo_core.snapshot import TreeView


class ProcessesPanel(TablePanel):
    """Trees, and the processes below them."""

    NAME = sentences.PROCESSES
    TITLE = "2 Processes"
    COLUMNS = processes.COLUMNS
    NOUN = ("row", "rows")

    def view(self, picture: Picture, now: float) -> View[tuple[TreeView, ...]]:
        """Return the trees."""
        return picture.processes(now)

    def statuses(self) -> set[str]:
        """Return the kinds of trees, and what one can be to the lease."""
        return super().statuses() | processes.KINDS | words_of_all(LeaseRole)

    def rows(self, picture: Picture, now: float) -> Sequence[Row]:
        """Return the rows of every tree."""
        return processes.process_rows(self.view(picture, now).value or ())
