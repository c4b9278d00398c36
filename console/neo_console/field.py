"""An input that acts the instant something is typed: what stands behind a key in the queue finds everything done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Input

if TYPE_CHECKING:
    from collections.abc import Callable


class Field(Input):
    """Calls ``changed`` with the text, and ``entered`` for enter, before the next key; Textual's own sends messages."""

    def __init__(
        self,
        value: str | None = None,
        *,
        changed: Callable[[str], None],
        entered: Callable[[], None],
        placeholder: str = "",
        compact: bool = False,
        select_on_focus: bool = True,
        max_length: int = 0,
        id: str | None = None,  # noqa: A002 - Textual's name for it
    ) -> None:
        self._tell_changed, self._tell_entered = changed, entered
        super().__init__(
            value,
            placeholder=placeholder,
            compact=compact,
            select_on_focus=select_on_focus,
            max_length=max_length,
            id=id,
        )

    def watch_value(self, value: str) -> None:
        """Tell what stands here now, once the operator sees it."""
        if self.is_mounted:
            self._tell_changed(value)

    async def action_submit(self) -> None:
        """Tell that enter was pressed."""
        self._tell_entered()
