"""The line under a log: what is searched for, which match this is, and whether the end is followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Label, Static

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult


class LogBar(Horizontal):
    """Takes what is searched for while the operator types, and says how it went."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close(False)", show=False)]

    class Changed(Message):
        """The text was typed on."""

        def __init__(self, value: str) -> None:
            super().__init__()
            self.value = value

    class Closed(Message):
        """Typing has ended; ``keep`` says whether the search stays."""

        def __init__(self, *, keep: bool) -> None:
            super().__init__()
            self.keep = keep

    def __init__(self) -> None:
        super().__init__(classes="log-bar")
        self.display = False
        self._slash = Label("/", markup=False)
        self._input = Input(placeholder="search in the log", compact=True)
        self._told = Static(markup=False, classes="log-told")
        self._typing = False

    def compose(self) -> ComposeResult:
        """Put what is typed before what is told."""
        yield self._slash
        yield self._input
        yield self._told

    def on_mount(self) -> None:
        """Begin without typing."""
        self._show(typing=False)

    @property
    def typing(self) -> bool:
        """Whether keys go into the text."""
        return self._typing

    def open(self, text: str) -> None:
        """Begin to type."""
        self._input.value = text
        self._show(typing=True)
        self._input.focus()

    def tell(self, text: str) -> None:
        """Say how it stands; nothing to say hides the line."""
        self.display = self._typing or bool(text)
        content = Content(text)
        if content != self._told.content:
            self._told.update(content)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search while the operator types."""
        event.stop()
        if self._typing:
            self.post_message(self.Changed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the search."""
        event.stop()
        self.action_close(keep=True)

    def on_descendant_blur(self, _event: events.DescendantBlur) -> None:
        """Leaving the line keeps the search."""
        self._show(typing=False)

    def action_close(self, keep: bool) -> None:
        """End the typing."""
        if self._typing:
            self._show(typing=False)
            self.post_message(self.Closed(keep=keep))

    def _show(self, *, typing: bool) -> None:
        self._typing = typing
        self._slash.display = self._input.display = typing
        self.display = typing or bool(str(self._told.content))
