"""What can be done about the memory, what costs least first, and below it what was done and what that freed."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from rich.console import Group
from textual.binding import Binding, BindingsMap
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from neo_console.drawing import heading
from neo_console.format import age, plain
from neo_console.moments import reliefs_table
from neo_console.panels.base import Notice
from neo_console.panels.sentences import RELIEF, sentence
from neo_console.panels.table import KeyedTable
from neo_console.rows.reliefs import COLUMNS, key_of, relief_rows
from neo_console.screens.page import Overlay
from neo_console.vocabulary import Seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from neo_core.ledger.reliefs import Relief
    from neo_core.relief.options import Option

_DONE_SHOWN = 20
_MEASURED_EVERY = 5.0  # seconds


class ReliefPage(Overlay):
    """Measures when it opens, and every few seconds while it is in front; ``enter`` asks for one of the options."""

    AUTO_FOCUS = "#relief-table"

    def __init__(self, choose: Callable[[Option, float], None]) -> None:
        super().__init__(opened_by="relief")
        self._choose = choose
        self._options: tuple[Option, ...] = ()
        self._done: list[Relief] = []
        self._seen, self._error = Seen.LOADING, ""
        self._asked_at, self._read_at = float("-inf"), 0.0
        self._notice = Notice()
        self._below = Static(markup=False, id="relief-done")
        self._frame = Vertical(id="page")
        self.table = KeyedTable(COLUMNS, id="relief-table")

    def compose(self) -> ComposeResult:
        """Put the options above what was done."""
        with self._frame:
            yield self.banners
            yield self._notice
            yield self.table
            with VerticalScroll(id="page-scroll", can_focus=False):
                yield self._below

    def on_mount(self) -> None:
        """Bind what asks for the selected option."""
        keymap = self.console.keymap
        bound = [Binding(key, "choose") for key in keymap.keys("detail")]
        bound += [Binding(key, "read") for key in keymap.keys("refresh")]
        self._bindings = BindingsMap.merge([self._bindings, BindingsMap(bound)])

    def on_screen_resume(self) -> None:
        """Measure what changed meanwhile."""
        self.action_read()

    def action_read(self) -> None:
        """Ask for the options and for what was done; the collector's thread measures."""
        self._asked_at = self.console.now()
        self.console.consult(lambda engine: (engine.relief.options(), engine.relief.history(_DONE_SHOWN)), self._take)

    def action_choose(self) -> None:
        """Ask for the selected option."""
        subject = self.table.subject
        found = next((one for one in self._options if subject is not None and key_of(one) == subject.key), None)
        if found is not None:
            self._choose(found, self._read_at)

    def refresh_page(self) -> None:
        """Let the data age, and measure again when it is due."""
        super().refresh_page()
        console = self.console
        now = console.now()
        if not 0 <= now - self._asked_at < _MEASURED_EVERY and self._seen is not Seen.LOADING:
            self.action_read()
        # Its own idea of its height comes too late when it is filled before it is first laid out.
        self.table.styles.height = len(self._options) + 1
        self.table.show_rows(relief_rows(self._options), console.colours)
        self.table.show_header = bool(self._options)
        said = sentence(RELIEF, self._seen, console.look.keys, age=age(now - self._read_at), error=plain(self._error))
        self._notice.say(said, self._seen, console.colours)
        done = reliefs_table(self._done, console.colours)
        self._below.update(Group(heading("What was done, the newest first", console.colours), done))
        self._frame.border_title = Content("Relieve the memory: what costs least first, nothing happens by itself")
        self._frame.border_subtitle = Content(self._subtitle(now))

    def action_scroll_line(self, step: int) -> None:
        """Move the selection."""
        self.table.move_by(step)

    def action_scroll_to(self, end: int) -> None:
        """Select the first or the last."""
        self.table.move_to_end(last=bool(end))

    def _subtitle(self, now: float) -> str:
        key = self.console.keymap.key
        old = f"measured {age(now - self._read_at)} ago · " if self._options else ""
        return f"{old}{key('detail')} previews · {key('refresh')} measures again · esc back"

    def _take(self, result: object, why: str) -> None:
        """Show what was read, or why it was not; what was known stays, as stale."""
        self._error = why
        if why:
            self._seen = Seen.STALE if self._options else Seen.UNREADABLE
        else:
            self._options, self._done = cast("tuple[tuple[Option, ...], list[Relief]]", result)
            self._seen, self._read_at = Seen.OK, self.console.now()
        if self.is_attached:
            self.refresh_page()
