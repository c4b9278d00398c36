"""A line that is typed in: it has the focus in the instant it opens, and tells what is typed and how that ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.containers import Vertical

from neo_console.field import Field

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events


class TypingBar(Vertical):
    """Enter keeps what was typed, esc does not.

    ``changed`` is called with what is typed, ``closed`` with whether it stays in force when the typing has ended.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close(False)", show=False)]

    def __init__(
        self,
        *,
        placeholder: str,
        changed: Callable[[str], None],
        closed: Callable[[bool], None],
        id: str | None = None,  # noqa: A002 - Textual's name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._tell_changed, self._tell_closed = changed, closed
        self._input = Field(
            changed=self._typed, entered=self._enter, placeholder=placeholder, compact=True, select_on_focus=False
        )
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
        self._show(typing=True)
        self._input.value = text
        self.screen.set_focus(self._input)
        self._input.select_all()

    def on_descendant_blur(self, _event: events.DescendantBlur) -> None:
        """Leaving the line keeps what was typed."""
        self._show(typing=False)

    def action_close(self, keep: bool) -> None:
        """End the typing."""
        if self._typing:
            self._show(typing=False)
            self._tell_closed(keep)

    def _typed(self, text: str) -> None:
        if self._typing:
            self._tell_changed(text)

    def _enter(self) -> None:
        if self.keepable:
            self.action_close(keep=True)

    def _show(self, *, typing: bool) -> None:
        """Be there while it is typed in."""
        self._typing = self.display = typing
