"""Every memory incident, the newest first; enter replays one."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.binding import Binding, BindingsMap
from textual.containers import Vertical
from textual.content import Content

from neo_console.format import plain
from neo_console.panels.base import Notice
from neo_console.panels.sentences import INCIDENTS, sentence
from neo_console.panels.table import KeyedTable
from neo_console.rows.incidents import COLUMNS, incident_rows
from neo_console.screens.page import Overlay
from neo_console.vocabulary import Seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from neo_core.ledger.memory import Incident

_MOST = 100


class IncidentsPage(Overlay):
    """Reads the list when it opens, and again when it comes back to the front."""

    AUTO_FOCUS = "#incidents-table"

    def __init__(self, replay: Callable[[int], None], export: Callable[[int], None]) -> None:
        super().__init__(opened_by="incidents")
        self._replay, self._export = replay, export
        self._incidents: list[Incident] = []
        self._seen, self._error = Seen.LOADING, ""
        self._notice = Notice()
        self._frame = Vertical(id="page")
        self.table = KeyedTable(COLUMNS, id="incidents-table")

    def compose(self) -> ComposeResult:
        """Put the sentence above the table."""
        with self._frame:
            yield self.banners
            yield self._notice
            yield self.table

    def on_mount(self) -> None:
        """Bind what acts on the selected incident."""
        keymap = self.console.keymap
        bound = [Binding(key, "replay") for key in keymap.keys("detail")]
        bound += [Binding(key, "export") for key in {"e", *keymap.keys("copy")}]
        bound += [Binding(key, "read") for key in keymap.keys("refresh")]
        self._bindings = BindingsMap.merge([self._bindings, BindingsMap(bound)])

    def on_screen_resume(self) -> None:
        """Read what came meanwhile."""
        self.action_read()

    def action_read(self) -> None:
        """Ask for the list."""
        self.console.consult(lambda engine: engine.incidents(_MOST), self._take)

    def action_replay(self) -> None:
        """Replay the selected incident."""
        if (subject := self.table.subject) is not None:
            self._replay(int(subject.key))

    def action_export(self) -> None:
        """Write the selected incident to files."""
        if (subject := self.table.subject) is not None:
            self._export(int(subject.key))

    def refresh_page(self) -> None:
        """Let what goes on grow older."""
        super().refresh_page()
        console = self.console
        self.table.show_rows(incident_rows(self._incidents, console.now()), console.colours)
        self.table.show_header = bool(self._incidents)
        said = sentence(INCIDENTS, self._seen, console.look.keys, error=plain(self._error))
        self._notice.say(said, self._seen, console.colours)
        self._frame.border_title = Content("Memory incidents")
        key = console.keymap.key
        self._frame.border_subtitle = Content(f"{key('detail')} replays · e exports · esc back")

    def action_scroll_line(self, step: int) -> None:
        """Move the selection."""
        self.table.move_by(step)

    def action_scroll_to(self, end: int) -> None:
        """Select the first or the last."""
        self.table.move_to_end(last=bool(end))

    def _take(self, result: object, why: str) -> None:
        """Show the list, or why there is none; what was known stays."""
        self._error = why
        if why:
            self._seen = Seen.UNREADABLE
        else:
            self._incidents = cast("list[Incident]", result)
            self._seen = Seen.OK if self._incidents else Seen.EMPTY
        if self.is_attached:
            self.refresh_page()
