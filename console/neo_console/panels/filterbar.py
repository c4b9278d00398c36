"""The line in which a filter is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Label, Static

from neo_console.format import plain

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult


EXAMPLES = 'text   status:deferred   -task:backup   "two words"   took:>5m'


class FilterBar(Vertical):
    """Appears when asked for; enter keeps the filter, esc clears it. What has a mistake cannot be kept."""

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
        self._input = Input(id="filter-input", placeholder=EXAMPLES, compact=True)
        self._mistake = Static(markup=False, id="filter-mistake")
        self._mistake.display = False

    def compose(self) -> ComposeResult:
        """Put the slash before the input, and what is wrong below it."""
        with Horizontal():
            yield Label("/", markup=False)
            yield self._input
            yield Label("enter keeps · esc clears", markup=False)
        yield self._mistake

    def open(self, text: str) -> None:
        """Appear with the filter that is in force."""
        self.display = True
        self._input.value = text
        self.screen.set_focus(self._input)  # at once: what is typed now belongs to it

    def complain(self, mistake: str) -> None:
        """Say what is wrong with the filter and what is allowed, or that nothing is."""
        self._mistake.display = bool(mistake)
        self._mistake.update(Content(f"✗ {plain(mistake)}"))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say what was typed."""
        event.stop()
        if self.display:
            self.post_message(self.Changed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the filter, unless something is wrong with it."""
        event.stop()
        if not self._mistake.display:
            self.action_close(keep=True)

    def on_descendant_blur(self, _event: events.DescendantBlur) -> None:
        """Leaving the line keeps the filter."""
        self.display = False

    def action_close(self, keep: bool) -> None:
        """Disappear."""
        self.display = False
        self.post_message(self.Closed(keep=keep))
