"""Lines of a log: no markup, no colours, control characters made visible, JSON made readable, following its end."""

from __future__ import annotations

from collections import deque
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from neo_console.format import plain
from neo_console.panels.logline import readable

_MOST_LINES = 5000
_MOST_WIDE = 2000
_LONGEST_OPEN = 65_536


class LogView(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows the end of a text that grows; it follows while its last line is in view."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_up", show=False),
        Binding("down", "scroll_down", show=False),
        Binding("left", "scroll_left", show=False),
        Binding("right", "scroll_right", show=False),
        Binding("pageup", "page_up", show=False),
        Binding("pagedown", "page_down", show=False),
        Binding("home", "scroll_home", show=False),
        Binding("end", "scroll_end", show=False),
    ]

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._lines: deque[str] = deque(maxlen=_MOST_LINES)
        self._open = ""
        self._widest = 0
        self._follow = True

    @property
    def text(self) -> str:
        """Everything that is shown."""
        return "\n".join(self._lines)

    @property
    def following(self) -> bool:
        """Whether the last line is in view, so that the next one will be too."""
        return self._follow

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Stop following when the operator scrolls back, and begin again at the end."""
        super().watch_scroll_y(old_value, new_value)
        self._follow = new_value >= self.max_scroll_y

    def on_resize(self) -> None:
        """Keep the end in view."""
        if self._follow:
            self.scroll_end(animate=False, immediate=True)

    def clear(self) -> None:
        """Forget every line."""
        if not self._lines:
            return
        self._lines.clear()
        self._open = ""
        self._widest = 0
        self._follow = True
        self._resized()

    def feed(self, text: str) -> None:
        """Add ``text``, which may begin and end in the middle of a line."""
        if not text:
            return
        if self._open and self._lines:
            self._lines.pop()
        *complete, self._open = (self._open + text).replace("\r\n", "\n").split("\n")
        for line in complete:
            self._append(line)
        self._open = self._open[:_LONGEST_OPEN]
        if self._open:
            self._append(self._open)
        self._resized()

    def move_by(self, step: int) -> None:
        """Scroll by a line."""
        self.scroll_relative(y=step, animate=False)

    def move_to_end(self, *, last: bool) -> None:
        """Scroll to the first line, or to the last, and follow from there."""
        if last:
            self.scroll_end(animate=False)
        else:
            self.scroll_home(animate=False)

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        left, top = self.scroll_offset
        style, index = self.rich_style, top + y
        line = self._lines[index] if index < len(self._lines) else ""
        return Strip([Segment(line, style)]).crop_extend(left, left + self.size.width, style)

    def _append(self, line: str) -> None:
        shown = _shown(line)
        self._widest = max(self._widest, cell_len(shown))
        self._lines.append(shown)

    def _resized(self) -> None:
        follow = self._follow
        self.virtual_size = Size(self._widest, len(self._lines))
        if follow:
            self._follow = True
            self.scroll_end(animate=False, immediate=True)
        self.refresh()


def _shown(line: str) -> str:
    return plain(readable(line).expandtabs(4)[:_MOST_WIDE])
