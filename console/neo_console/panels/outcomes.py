"""3: how every start, and every prevented start, ended; older ones are loaded when the operator asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.format import moment
from neo_console.history import PAGE, History
from neo_console.panels import sentences
from neo_console.panels.base import Look, TablePanel
from neo_console.rows import outcomes
from neo_console.rows.model import closing_row
from neo_console.subjects import more_subject
from neo_console.vocabulary import LIVE, words_of_all
from neo_core.ledger.models import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neo_console.picture import Picture, View
    from neo_console.rows.model import Row
    from neo_core.ledger.models import Run


class OutcomesPanel(TablePanel):
    """The latest outcomes; the last row loads older ones, or looks further back for what the filter asks."""

    NAME = sentences.OUTCOMES
    TITLE = "3 Outcomes"
    COLUMNS = outcomes.COLUMNS
    NOUN = ("row", "rows")

    def __init__(self) -> None:
        super().__init__()
        self.loading = False
        self._maker = outcomes.OutcomeRows()
        self._history = History()
        self._latest: tuple[Run, ...] = ()
        self._enter = "enter"

    def view(self, picture: Picture, now: float) -> View[tuple[Run, ...]]:
        """Return the recorded runs."""
        return picture.outcomes(now)

    def rows(self, picture: Picture, now: float) -> Sequence[Row]:
        """Return the newest runs first, and what was loaded before them."""
        self._history = picture.history
        self._latest = self.view(picture, now).value or ()
        return self._maker.rows(self._history.merged(self._latest), now)

    def show(self, picture: Picture, now: float, look: Look, *, refiltered: bool = False) -> None:
        """Show the picture as of ``now``."""
        self._enter = look.keys.detail
        super().show(picture, now, look, refiltered=refiltered)

    def show_loaded(self) -> None:
        """Show what was loaded meanwhile, and nothing newer."""
        if self._shown is not None:
            self._rows = self._maker.rows(self._history.merged(self._latest), self._shown.now)
            self.show_again()

    def set_filter(self, text: str) -> None:
        """Forget what was found for the filter before."""
        super().set_filter(text)
        self._history.seek(self.filter.text if self.filter.terms else "")
        if self._shown is not None:
            self._rows = self._maker.rows(self._history.merged(self._latest), self._shown.now)

    def statuses(self) -> set[str]:
        """Return every outcome."""
        return super().statuses() | words_of_all(Outcome) | {LIVE.word}

    def closing(self, matching: int, now: float) -> Row | None:
        """Return the row that loads what is older, if anything may be."""
        mark = self._history.mark
        if mark is None or not self._rows:
            return None
        return closing_row(more_subject(mark.run_id), self._offer(matching, now), self.COLUMNS)

    def _offer(self, matching: int, now: float) -> str:
        if self.loading:
            return "older… reading the ledger"
        back = self._history.looked_back_to
        if self.filter.terms:
            so_far = f"back to {moment(back, now)}" if back is not None else f"among the latest {self._history.loaded}"
            return f"{'no match' if not matching else 'all'} {so_far}; {self._enter} looks further back"
        if self._history.full:
            return f"{self._history.loaded} rows are loaded; a filter looks further back, like neo-console history"
        return f"older… {self._enter} loads {PAGE} more"
