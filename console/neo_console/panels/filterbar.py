"""The line in which a filter is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Label, Static

from neo_console.format import plain
from neo_console.panels.typingbar import TypingBar

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult


EXAMPLES = 'text   status:deferred   -task:backup   "two words"   took:>5m'


class FilterBar(TypingBar):
    """Appears when asked for; enter keeps the filter, esc clears it. What has a mistake cannot be kept."""

    def __init__(self, *, changed: Callable[[str], None], closed: Callable[[bool], None]) -> None:
        super().__init__(placeholder=EXAMPLES, changed=changed, closed=closed, id="filter-bar")
        self._mistake = Static(markup=False, id="filter-mistake")
        self._mistake.display = False

    @property
    def keepable(self) -> bool:
        """Whether nothing is wrong with the filter."""
        return not self._mistake.display

    def compose(self) -> ComposeResult:
        """Put the slash before the input, and what is wrong below it."""
        with Horizontal():
            yield Label("/", markup=False)
            yield self._input
            yield Label("enter keeps · esc clears", markup=False)
        yield self._mistake

    def complain(self, mistake: str) -> None:
        """Say what is wrong with the filter and what is allowed, or that nothing is."""
        self._mistake.display = bool(mistake)
        self._mistake.update(Content(f"✗ {plain(mistake)}"))
