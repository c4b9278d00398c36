"""The line under a log: what is searched for, which match this is, and whether the end is followed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Label, Static

from neo_console.panels.typingbar import TypingBar

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult


class LogBar(TypingBar):
    """Takes what is searched for while the operator types, and says how it went; that stays when the typing ends."""

    def __init__(self, *, changed: Callable[[str], None], closed: Callable[[bool], None]) -> None:
        super().__init__(placeholder="search in the log", changed=changed, closed=closed, classes="log-bar")
        self._slash = Label("/", markup=False)
        self._told = Static(markup=False, classes="log-told")

    def compose(self) -> ComposeResult:
        """Put what is typed before what is told."""
        yield self._slash
        yield self._input
        yield self._told

    def on_mount(self) -> None:
        """Begin without typing."""
        self._show(typing=False)

    def tell(self, text: str) -> None:
        """Say how it stands; nothing to say hides the line."""
        self.display = self._typing or bool(text)
        content = Content(text)
        if content != self._told.content:
            self._told.update(content)

    def _show(self, *, typing: bool) -> None:
        self._typing = typing
        self._slash.display = self._input.display = typing
        self.display = typing or bool(str(self._told.content))
