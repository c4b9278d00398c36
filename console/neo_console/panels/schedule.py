"""1: every task, what it does next and how it went last; below them the services, if there are any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.format import plain, plural
from neo_console.panels import sentences
from neo_console.panels.base import Look, Notice, TablePanel
from neo_console.panels.table import KeyedTable
from neo_console.rows import schedule, services
from neo_console.vocabulary import STARVED, Seen, words_of_all
from neo_core.ledger.models import ServiceState
from neo_core.snapshot import OrchestratorState, TaskState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from neo_console.picture import Picture, View
    from neo_console.rows.model import Row
    from neo_core.snapshot import ScheduleView

_ALONE = "no orchestrator: nothing starts by itself"
_ASIDE = {
    OrchestratorState.STOPPED: _ALONE,
    OrchestratorState.KILLED: _ALONE,
    OrchestratorState.CRASHED: _ALONE,
    OrchestratorState.SILENT: "the orchestrator is silent: starts may not come",
}


class SchedulePanel(TablePanel):
    """Two tables that keys move through as one."""

    NAME = sentences.SCHEDULE
    TITLE = "1 Schedule"
    COLUMNS = schedule.COLUMNS
    NOUN = ("task", "tasks")

    def __init__(self) -> None:
        super().__init__()
        self.services = KeyedTable(services.COLUMNS, id="services-table")
        self.services.display = False
        self.table.below, self.services.above = self.services, self.table
        self._services_notice = Notice()
        self._active = self.table
        self._services: Sequence[Row] = ()

    @property
    def body(self) -> KeyedTable:
        """The table the operator is in, or was in last; asked of the screen, for events of the focus come later."""
        focused = self.screen.focused if self.is_attached else None
        for table in (self.table, self.services):
            if focused is table:
                self._active = table
        return self._active

    def compose(self) -> ComposeResult:
        """Put the services below the tasks."""
        yield from super().compose()
        yield self._services_notice
        yield self.services

    def on_descendant_focus(self) -> None:
        """Let the table that is not acted on show no selection."""
        self._mark()

    def view(self, picture: Picture, now: float) -> View[ScheduleView]:
        """Return the schedule."""
        return picture.schedule(now)

    def rows(self, picture: Picture, now: float) -> Sequence[Row]:
        """Return a row for every task."""
        view = self.view(picture, now)
        return schedule.schedule_rows(view.value, picture, now) if view.value else ()

    def show(self, picture: Picture, now: float, look: Look, *, refiltered: bool = False) -> None:
        """Show both tables as of ``now``."""
        view = picture.services(now)
        self._services = services.service_rows(view.value or (), now)
        keeper = picture.orchestrator(now).value
        self.aside = _ASIDE.get(keeper.state, "") if keeper else ""
        super().show(picture, now, look, refiltered=refiltered)
        broken = view.seen in (Seen.UNREADABLE, Seen.MALFORMED) or (view.seen is Seen.STALE and bool(view.error))
        said = f"The services cannot be read. {plain(view.error)}" if broken else ""
        self._services_notice.say(said, view.seen, look.colours)

    def show_again(self, *, refiltered: bool = False) -> None:
        """Show both tables again."""
        if self._shown is not None:
            matching = self.matching(self._services)
            self.services.display = self.services.show_header = bool(matching)
            # Its own idea of its height comes too late when it is filled before it is first laid out.
            self.services.styles.height = len(matching) + 1
            self.services.show_rows(matching, self._shown.look.colours, refiltered=refiltered)
        super().show_again(refiltered=refiltered)
        if not self.services.display and self.body is self.services:
            self._leave_services()

    def statuses(self) -> set[str]:
        """Return the states of tasks and services."""
        seen = {name for row in self._services for name in row.status}
        return super().statuses() | seen | words_of_all(TaskState, ServiceState) | {STARVED.word}

    def counted(self, known: int) -> str:
        """Return how many tasks and services there are."""
        services_known = plural(len(self._services), "service") if self._services else ""
        return " · ".join(part for part in (super().counted(known), services_known) if part)

    def tally(self, shown: int, known: int) -> tuple[int, int]:
        """Count the services too."""
        return shown + len(self.matching(self._services)), known + len(self._services)

    def _leave_services(self) -> None:
        """Go back to the tasks when there are no services any more."""
        had_focus = self.screen.focused is self.services
        self._active = self.table
        if had_focus:
            self.screen.set_focus(self.table)
        self._mark()

    def _mark(self) -> None:
        for table in (self.table, self.services):
            table.set_class(table is not self.body, "idle")
