"""The line in which a filter is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Label

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult


class FilterBar(Horizontal):
    """Appears when asked for; enter keeps the filter, esc clears it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close(False)", show=False),
    ]

    class Changed(Message):
        """The filter was typed on."""

        def __init__(self, value: str) -> None:
            super().__init__()
            self.value = value

    class Closed(Message):
        """Typing has ended; ``keep`` says whether the filter stays."""

        def __init__(self, *, keep: bool) -> None:
            super().__init__()
            self.keep = keep

    def __init__(self) -> None:
        super().__init__(id="filter-bar")
        self.display = False
        self._input = Input(id="filter-input", placeholder="text   status:deferred   task:backup", compact=True)

    def compose(self) -> ComposeResult:
        """Put the slash before the input."""
        yield Label("/", markup=False)
        yield self._input
        yield Label("enter keeps · esc clears", markup=False)

    def open(self, text: str) -> None:
        """Appear with the filter that is in force."""
        self.display = True
        self._input.value = text
        self._input.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say what was typed."""
        event.stop()
        if self.display:
            self.post_message(self.Changed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter."""
        event.stop()
        self.action_close(keep=True)

    def on_descendant_blur(self, _event: events.DescendantBlur) -> None:
        """Leaving the line keeps the filter."""
        self.display = False

    def action_close(self, keep: bool) -> None:
        """Disappear."""
        self.display = False
        self.post_message(self.Closed(keep=keep))
