"""One log on the whole screen, following and searched: of a run, of a service, or of the orchestrator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.binding import Binding, BindingsMap
from textual.containers import Vertical
from textual.content import Content

from neo_console.actions import ACTIONS
from neo_console.copying import log_copyables
from neo_console.flows.copy import offer
from neo_console.format import plain
from neo_console.logfeed import LogKind, LogOf
from neo_console.panels.logpane import LogPane
from neo_console.screens.page import Overlay
from neo_console.vocabulary import Term, outcome_term, term

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from neo_console.panels.logview import LogView


_FOLLOW = "f"  # as in less; the key for the last row does the same


class LogScreen(Overlay):
    """Follows while its end is in view; searches."""

    AUTO_FOCUS = "#log-lines"

    def __init__(self, of: LogOf, task: str = "", *, opened_by: str = "log") -> None:
        super().__init__(opened_by=opened_by)
        self._label = of.label(task)
        self._frame = Vertical(id="page")
        self.pane = LogPane(lines="log-lines")
        self.pane.feed.aim(of)

    @property
    def lines(self) -> LogView:
        """The lines."""
        return self.pane.view

    def compose(self) -> ComposeResult:
        """Put the log into a frame."""
        with self._frame:
            yield self.banners
            yield self.pane

    def on_mount(self) -> None:
        """Bind the keys of a search as the operator has them."""
        keymap = self.console.keymap
        keys = {"filter": "search", "next-match": "step(1)", "previous-match": "step(-1)", "copy": "copy"}
        bound = [Binding(key, action) for one, action in keys.items() for key in keymap.keys(one)]
        if not any(_FOLLOW in keymap.keys(action.id) for action in ACTIONS):
            bound.append(Binding(_FOLLOW, "scroll_to(1)"))
        self._bindings = BindingsMap.merge([self._bindings, BindingsMap(bound)])

    def refresh_page(self) -> None:
        """Read what was written since."""
        super().refresh_page()
        self.pane.poll()
        key = self.console.keymap.key
        self._frame.border_title = Content(f"Log · {plain(self._label)}")
        following = "following" if self.lines.following else "not following"
        parts = (self._state(), following, f"{key('filter')} search", "esc back")
        self._frame.border_subtitle = Content(" · ".join(str(part) for part in parts if part))

    def action_search(self) -> None:
        """Let the operator type what to search for."""
        self.pane.ask()

    def action_step(self, by: int) -> None:
        """Go to the next match, or to the previous."""
        if not self.pane.step(by):
            self.pane.ask()

    def action_copy(self) -> None:
        """Copy what is in view, or what names the log."""
        offer(self.console, f"the log of {self._label}", log_copyables(self.pane.feed.of, self.lines.in_view))

    def action_close(self) -> None:
        """End the search, or without one go back."""
        if not self.pane.stop_search():
            self.dismiss(None)

    def on_log_view_moved(self) -> None:
        """Say at once whether the end is followed."""
        self.refresh_page()

    def _state(self) -> Term | None:
        """Return the state of what writes the log, as far as it is known."""
        picture, of = self.console.picture, self.pane.feed.of
        if of.kind is LogKind.RUN:
            run = picture.run(of.name)
            return outcome_term(run.outcome) if run else None
        if of.kind is LogKind.SERVICE:
            service = picture.service(of.name)
            return term(service.state) if service else None
        keeper = picture.keeper()
        return term(keeper.state) if keeper else None

    def action_scroll_line(self, step: int) -> None:
        """Scroll by a line."""
        self.lines.move_by(step)

    def action_scroll_to(self, end: int) -> None:
        """Scroll to the beginning or the end."""
        self.lines.move_to_end(last=bool(end))
