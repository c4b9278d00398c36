"""A line that is typed in: it has the focus in the instant it opens, and tells what is typed and how that ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

if TYPE_CHECKING:
    from textual import events


class TypingBar(Vertical):
    """Enter keeps what was typed, esc does not. Its messages go by this class's name whatever the subclass is."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close(False)", show=False)]

    class Changed(Message):
        """The text was typed on."""

        def __init__(self, value: str) -> None:
            super().__init__()
            self.value = value

    class Closed(Message):
        """Typing has ended; ``keep`` says whether what was typed stays in force."""

        def __init__(self, *, keep: bool) -> None:
            super().__init__()
            self.keep = keep

    def __init__(self, *, placeholder: str, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id, classes=classes)
        self._input = Input(placeholder=placeholder, compact=True, select_on_focus=False)
        self._typing = False
        self.display = False

    @property
    def typing(self) -> bool:
        """Whether keys go into the text."""
        return self._typing

    @property
    def keepable(self) -> bool:
        """Whether what is typed may be kept."""
        return True

    def open(self, text: str) -> None:
        """Begin to type, in place of ``text``; the next key may be in the queue already, so the focus comes at once."""
        self._input.value = text
        self._show(typing=True)
        self.screen.set_focus(self._input)
        self._input.select_all()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Tell what was typed."""
        event.stop()
        if self._typing:
            self.post_message(self.Changed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep it, if it may be kept."""
        event.stop()
        if self.keepable:
            self.action_close(keep=True)

    def on_descendant_blur(self, _event: events.DescendantBlur) -> None:
        """Leaving the line keeps what was typed."""
        self._show(typing=False)

    def action_close(self, keep: bool) -> None:
        """End the typing."""
        if self._typing:
            self._show(typing=False)
            self.post_message(self.Closed(keep=keep))

    def _show(self, *, typing: bool) -> None:
        """Be there while it is typed in."""
        self._typing = self.display = typing
