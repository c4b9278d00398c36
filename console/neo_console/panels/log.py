"""5: the log of what is selected, following."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content

from neo_console.format import plain
from neo_console.logfeed import LogFeed, LogOf
from neo_console.panels.base import Look, Notice
from neo_console.panels.logview import LogView
from neo_console.panels.sentences import LOG, sentence
from neo_console.vocabulary import Seen

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from neo_console.app import NeoConsole
    from neo_console.availability import Context
    from neo_console.ports import Connect


class LogPanel(Vertical):
    """Shows one log; which one, the screen says."""

    NAME = LOG

    def __init__(self) -> None:
        super().__init__(id=self.NAME, classes="panel")
        self.border_title = Content("5 Log of the selection")
        self.log_view = LogView(id="log-view")
        self.seen = Seen.LOADING
        self._feed = LogFeed()
        self._notice = Notice()

    @property
    def of(self) -> LogOf:
        """Whose log is shown."""
        return self._feed.of

    def compose(self) -> ComposeResult:
        """Put the sentence above the lines."""
        yield self._notice
        yield self.log_view

    @property
    def body(self) -> LogView:
        """What takes the focus."""
        return self.log_view

    def follow(self, context: Context, console: NeoConsole) -> None:
        """Show the log of the selection, and what was written since."""
        of = context.log
        if self._feed.aim(of):
            self.log_view.clear()
            label = of.label(context.subject.task or context.subject.label) if context.subject else ""
            self.border_title = Content(f"5 Log · {plain(label)}" if of.known else "5 Log of the selection")
        self._poll(console.engine, console.look)

    def _poll(self, connect: Connect, look: Look) -> None:
        piece = self._feed.poll(connect)
        self.seen = piece.seen
        if piece.restart:
            self.log_view.clear()
        self.log_view.feed(piece.text)
        self._notice.say(sentence(LOG, piece.seen, look.keys, error=plain(piece.error)), piece.seen, look.colours)
