"""The log of one run on the whole screen, following."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content

from neo_console.format import plain
from neo_console.logfeed import LogFeed
from neo_console.panels.base import Notice
from neo_console.panels.logview import LogView
from neo_console.panels.sentences import LOG, sentence
from neo_console.screens.page import Overlay
from neo_console.vocabulary import outcome_term

if TYPE_CHECKING:
    from textual.app import ComposeResult


class LogScreen(Overlay):
    """Follows while its end is in view."""

    AUTO_FOCUS = "#log-lines"

    def __init__(self, run_id: str, task_name: str) -> None:
        super().__init__(opened_by="log")
        self._run_id = run_id
        self._task_name = task_name
        self._feed = LogFeed()
        self._feed.aim(run_id)
        self._notice = Notice()
        self._frame = Vertical(id="page")
        self.lines = LogView(id="log-lines")

    def compose(self) -> ComposeResult:
        """Put the sentence above the lines."""
        with self._frame:
            yield self._notice
            yield self.lines

    def refresh_page(self) -> None:
        """Read what was written since."""
        console = self.console
        piece = self._feed.poll(console.engine)
        if piece.restart:
            self.lines.clear()
        self.lines.feed(piece.text)
        self._notice.say(sentence(LOG, piece.seen, console.look.keys, error=piece.error), piece.seen, console.colours)
        run = console.picture.run(self._run_id)
        state = outcome_term(run.outcome) if run else None
        self._frame.border_title = Content(f"Log · {plain(self._task_name)} · run {self._run_id[:8]}")
        following = "following" if self.lines.following else "not following, G follows"
        self._frame.border_subtitle = Content(" · ".join(str(part) for part in (state, following, "esc back") if part))

    def action_scroll_line(self, step: int) -> None:
        """Scroll by a line."""
        self.lines.move_by(step)

    def action_scroll_to(self, end: int) -> None:
        """Scroll to the beginning or the end."""
        self.lines.move_to_end(last=bool(end))
