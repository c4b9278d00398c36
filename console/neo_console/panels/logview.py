"""Lines of a log: no markup, no colours, what is searched for reversed, following the end while that is in view."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from neo_console.logwindow import LogWindow

if TYPE_CHECKING:
    from neo_console.logsearch import Matcher

_FOUND = Style(reverse=True)
_CURRENT = Style(reverse=True, bold=True, underline=True)


class LogView(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows a part of a text that grows; earlier and later parts it asks for when they are scrolled to."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_up", show=False),
        Binding("down", "scroll_down", show=False),
        Binding("left", "scroll_left", show=False),
        Binding("right", "scroll_right", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown", "page(1)", show=False),
        Binding("home", "go_to(False)", show=False),
        Binding("end", "go_to(True)", show=False),
    ]

    class AtEdge(Message):
        """The first line that is at hand came into view, or the last; more may be there."""

        def __init__(self, *, last: bool) -> None:
            super().__init__()
            self.last = last

    class Go(Message):
        """The operator wants to see the beginning of the log, or its end."""

        def __init__(self, *, last: bool) -> None:
            super().__init__()
            self.last = last

    class Moved(Message):
        """It began to follow, or stopped."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self.window = LogWindow()
        self.matcher: Matcher | None = None
        self.current: int | None = None
        self._widest = 0
        self._follow = True

    @property
    def text(self) -> str:
        """Everything that is at hand."""
        return "\n".join(self.window.lines)

    @property
    def following(self) -> bool:
        """Whether the last line of the log is in view, so that the next one will be too."""
        return self._follow and self.window.attached

    @property
    def last_shown(self) -> int:
        """At which byte the last line in view begins."""
        index = min(len(self.window), self.scroll_offset.y + self.size.height) - 1
        return self.window.offsets[index] if index >= 0 else 0

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Stop following when the operator scrolls back, and begin again at the end; ask for more at an edge."""
        super().watch_scroll_y(old_value, new_value)
        follow = new_value >= self.max_scroll_y
        if follow != self._follow:
            self._follow = follow
            self.post_message(self.Moved())
        if new_value < old_value and new_value < self.size.height:
            self.post_message(self.AtEdge(last=False))
        elif new_value > old_value and follow and not self.window.attached:
            self.post_message(self.AtEdge(last=True))

    def on_resize(self) -> None:
        """Keep the end in view."""
        if self._follow:
            self.scroll_end(animate=False, immediate=True)

    def clear(self) -> None:
        """Forget every line."""
        self.show_part(0, b"", attached=True)

    def show_part(self, start: int, raw: bytes, *, attached: bool) -> None:
        """Show ``raw`` alone; follow from there when it is the end of the log."""
        self.window.replace(start, raw, attached=attached)
        self._follow = attached
        self._widest = _widest(self.window.lines)
        self._resized()

    def feed(self, raw: bytes) -> None:
        """Add what follows. Who reads further up is not disturbed: what is too much then is not taken."""
        if not raw or not self.window.attached:
            return
        if not self._follow and self.window.full:
            self.window.attached = False
            return
        before = len(self.window)
        self._moved_up(self.window.append(raw), before)

    def feed_below(self, raw: bytes, *, attached: bool) -> None:
        """Add what follows at the lower edge of a part."""
        before = len(self.window)
        self.window.attached = attached
        self._follow = False
        self._moved_up(self.window.append(raw), before)

    def feed_above(self, start: int, raw: bytes) -> None:
        """Add what stands before, and keep in view what is."""
        added = self.window.prepend(start, raw)
        self._widest = max(self._widest, _widest(self.window.lines[:added]))
        self._resized()
        self.scroll_to(y=self.scroll_y + added, animate=False, immediate=True)

    def reveal(self, offset: int) -> bool:
        """Scroll to the line that begins at that byte; return whether it is at hand."""
        index = self.window.index_of(offset)
        if index is None:
            return False
        self.current = offset
        height = self.size.height
        if not self.scroll_offset.y <= index < self.scroll_offset.y + height:
            self.scroll_to(y=max(0, index - height // 2), animate=False, immediate=True)
        self._reveal_column(self.window.lines[index])
        self.refresh()
        return True

    def highlight(self, matcher: Matcher | None, current: int | None = None) -> None:
        """Mark what is searched for."""
        self.matcher, self.current = matcher, current
        self.refresh()

    def move_by(self, step: int) -> None:
        """Scroll by a line."""
        self.scroll_relative(y=step, animate=False)

    def move_to_end(self, *, last: bool) -> None:
        """Go to the beginning of the log, or to its end and follow from there."""
        self.post_message(self.Go(last=last))

    def action_page(self, step: int) -> None:
        """Scroll by what is in view, at once."""
        self.scroll_relative(y=step * self.size.height, animate=False)

    def action_go_to(self, last: bool) -> None:
        """Go to the beginning of the log, or to its end."""
        self.move_to_end(last=last)

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        left, top = self.scroll_offset
        style, index = self.rich_style, top + y
        segments = self._segments(index, style) if index < len(self.window) else []
        return Strip(segments).crop_extend(left, left + self.size.width, style)

    def _segments(self, index: int, style: Style) -> list[Segment]:
        line = self.window.lines[index]
        spans = self.matcher.spans(line) if self.matcher is not None else []
        if not spans:
            return [Segment(line, style)]
        here = self.window.offsets[index] == self.current
        base, mark = (style + Style(bold=True), style + _CURRENT) if here else (style, style + _FOUND)
        segments, at = [], 0
        for begin, end in spans:
            segments += [Segment(line[at:begin], base), Segment(line[begin:end], mark)]
            at = end
        return [*segments, Segment(line[at:], base)]

    def _reveal_column(self, line: str) -> None:
        spans = self.matcher.spans(line) if self.matcher is not None else []
        if not spans:
            return
        begin, end = cell_len(line[: spans[0][0]]), cell_len(line[: spans[0][1]])
        left, width = self.scroll_offset.x, self.size.width
        if not (left <= begin and end <= left + width):
            self.scroll_to(x=0 if end <= width else max(0, begin - width // 3), animate=False, immediate=True)

    def _moved_up(self, dropped: int, before: int) -> None:
        """Take in that lines were added below and ``dropped`` above."""
        added = self.window.lines[max(0, before - dropped - 1) :]
        self._widest = max(self._widest, _widest(added))
        follow = self._follow
        self._resized()
        if dropped and not follow:
            self.scroll_to(y=max(0, self.scroll_y - dropped), animate=False, immediate=True)

    def _resized(self) -> None:
        follow = self._follow
        self.virtual_size = Size(self._widest, len(self.window))
        if follow:
            self._follow = True
            self.scroll_end(animate=False, immediate=True)
        self.refresh()


def _widest(lines: list[str]) -> int:
    return max((cell_len(line) if not line.isascii() else len(line) for line in lines), default=0)
