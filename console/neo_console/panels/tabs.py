"""The row of panel names where only one panel has room."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from neo_console.panels.sentences import PANELS

if TYPE_CHECKING:
    from textual import events

_GAP = 1


class Tabs(Static):
    """Shows which panel is in front; a click goes to another."""

    class Pressed(Message):
        """A name was clicked."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self) -> None:
        super().__init__(markup=False, id="tabs")
        self.display = False

    def show(self, current: str, *, visible: bool) -> None:
        """Mark the current panel."""
        self.display = visible
        names = (_label(number, name, current=name == current) for number, name in enumerate(PANELS, 1))
        self.update(Content(" " * _GAP).join(names), layout=False)

    def on_click(self, event: events.Click) -> None:
        """Find the name under the pointer."""
        offset = event.get_content_offset(self)
        left = 0
        for number, name in enumerate(PANELS, 1):
            width = _label(number, name, current=False).cell_length
            if offset is not None and left <= offset.x < left + width:
                self.post_message(self.Pressed(name))
            left += width + _GAP


def _label(number: int, name: str, *, current: bool) -> Content:
    return Content.styled(f" {number} {name.capitalize()} ", "bold reverse" if current else "")
