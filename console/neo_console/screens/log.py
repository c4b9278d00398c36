"""One log on the whole screen, following: of a run, of a service, or of the orchestrator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content

from neo_console.format import plain
from neo_console.logfeed import LogFeed, LogKind, LogOf
from neo_console.panels.base import Notice
from neo_console.panels.logview import LogView
from neo_console.panels.sentences import LOG, sentence
from neo_console.screens.page import Overlay
from neo_console.vocabulary import Term, outcome_term, term

if TYPE_CHECKING:
    from textual.app import ComposeResult


class LogScreen(Overlay):
    """Follows while its end is in view."""

    AUTO_FOCUS = "#log-lines"

    def __init__(self, of: LogOf, task: str = "", *, opened_by: str = "log") -> None:
        super().__init__(opened_by=opened_by)
        self._label = of.label(task)
        self._feed = LogFeed()
        self._feed.aim(of)
        self._notice = Notice()
        self._frame = Vertical(id="page")
        self.lines = LogView(id="log-lines")

    def compose(self) -> ComposeResult:
        """Put the sentence above the lines."""
        with self._frame:
            yield self.banners
            yield self._notice
            yield self.lines

    def refresh_page(self) -> None:
        """Read what was written since."""
        super().refresh_page()
        console = self.console
        piece = self._feed.poll(console.engine)
        if piece.restart:
            self.lines.clear()
        self.lines.feed(piece.text)
        self._notice.say(
            sentence(LOG, piece.seen, console.look.keys, error=plain(piece.error)), piece.seen, console.colours
        )
        self._frame.border_title = Content(f"Log · {plain(self._label)}")
        key = console.keymap.key("bottom")
        following = "following" if self.lines.following else f"not following, {key} follows"
        parts = (self._state(), following, "esc back")
        self._frame.border_subtitle = Content(" · ".join(str(part) for part in parts if part))

    def _state(self) -> Term | None:
        """Return the state of what writes the log, as far as it is known."""
        picture, of = self.console.picture, self._feed.of
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
