"""5: the log of what is selected, following."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from neo_console.format import plain
from neo_console.panels.logpane import LogPane
from neo_console.panels.sentences import LOG

if TYPE_CHECKING:
    from neo_console.context import Context
    from neo_console.logfeed import LogOf
    from neo_console.panels.logview import LogView


class LogPanel(LogPane):
    """Shows one log; which one, the screen says."""

    NAME = LOG

    def __init__(self) -> None:
        super().__init__(lines="log-view")
        self.id = self.NAME
        self.add_class("panel")
        self.border_title = Content("5 Log of the selection")

    @property
    def of(self) -> LogOf:
        """Whose log is shown."""
        return self.feed.of

    @property
    def log_view(self) -> LogView:
        """The lines."""
        return self.view

    @property
    def body(self) -> LogView:
        """What takes the focus."""
        return self.view

    def follow(self, context: Context) -> None:
        """Show the log of the selection, and what was written since."""
        of = context.log
        if self.aim(of):
            label = of.label(context.subject.task or context.subject.label) if context.subject else ""
            self.border_title = Content(f"5 Log · {plain(label)}" if of.known else "5 Log of the selection")
        self.poll()
