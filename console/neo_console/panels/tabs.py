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
        self._all = True

    def show(self, current: str, *, visible: bool, hint: str = "") -> None:
        """Mark the current panel; where the ``hint`` has no room beside all names, the others go."""
        self.display = visible
        names = [_label(number, name, current=name == current) for number, name in enumerate(PANELS, 1)]
        line = Content(" " * _GAP).join(names)
        if hint and line.cell_length + _GAP + len(hint) > self.app.size.width - 2:
            line = names[PANELS.index(current)]
        self._all = not hint or line.cell_length > names[PANELS.index(current)].cell_length
        self.update(Content.assemble(line, " " * _GAP, hint) if hint else line, layout=False)

    def on_click(self, event: events.Click) -> None:
        """Find the name under the pointer."""
        offset = event.get_content_offset(self)
        left = 0
        if not self._all:
            return
        for number, name in enumerate(PANELS, 1):
            width = _label(number, name, current=False).cell_length
            if offset is not None and left <= offset.x < left + width:
                self.post_message(self.Pressed(name))
            left += width + _GAP


def _label(number: int, name: str, *, current: bool) -> Content:
    return Content.styled(f" {number} {name.capitalize()} ", "bold reverse" if current else "")
