"""Lines of a log: no markup, no colours, what is searched for reversed, following the end while that is in view.

Long lines go on in the next row. Where there is little room a line begins with its time of day alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from neo_console.logwindow import LogWindow
from neo_console.panels.logline import brief
from neo_console.panels.wrapping import Rows, parts

if TYPE_CHECKING:
    from neo_console.logsearch import Matcher

_FOUND = Style(reverse=True)
_CURRENT = Style(reverse=True, bold=True, underline=True)


class LogView(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows a part of a text that grows; earlier and later parts it asks for when they are scrolled to."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_up", show=False),
        Binding("down", "scroll_down", show=False),
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
        self._rows = Rows()
        self._follow = True

    @property
    def text(self) -> str:
        """Everything that is at hand."""
        return "\n".join(self.window.lines)

    @property
    def in_view(self) -> str:
        """The lines of which something is in view, as they were written."""
        top, count = self.scroll_offset.y, min(len(self._rows), self.scroll_offset.y + self.size.height)
        if top >= count:
            return ""
        first, last = self._rows.at(top)[0], self._rows.at(count - 1)[0]
        return "\n".join(self.window.lines[first : last + 1])

    @property
    def following(self) -> bool:
        """Whether the last line of the log is in view, so that the next one will be too."""
        return self._follow and self.window.attached

    @property
    def last_shown(self) -> int:
        """At which byte the last line in view begins."""
        row = min(len(self._rows), self.scroll_offset.y + self.size.height) - 1
        return self.window.offsets[self._rows.at(row)[0]] if row >= 0 else 0

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
        """Break the lines anew for another width; keep in view the end that is followed, or the line on top."""
        width, top, follow = self.scrollable_content_region.width, self.scroll_offset.y, self._follow
        if width != self._rows.width:
            index, _ = self._rows.at(top)
            self._rows.anew(self.window.lines, width)
            self._resized()
            if not follow and index < len(self.window):
                self.scroll_to(y=self._rows.top_of(index), animate=False, immediate=True)
        if follow:
            self.scroll_end(animate=False, immediate=True)

    def clear(self) -> None:
        """Forget every line."""
        self.show_part(0, b"", attached=True)

    def show_part(self, start: int, raw: bytes, *, attached: bool) -> None:
        """Show ``raw`` alone; follow from there when it is the end of the log."""
        self.window.replace(start, raw, attached=attached)
        self._follow = attached
        self._rows.put(self.window.lines, 0)
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
        rows = self._rows.put_above(self.window.lines[:added], len(self.window))
        self._resized()
        self.scroll_to(y=self.scroll_y + rows, animate=False, immediate=True)

    def reveal(self, offset: int) -> bool:
        """Scroll to the line that begins at that byte; return whether it is at hand."""
        index = self.window.index_of(offset)
        if index is None:
            return False
        self.current = offset
        row, height = self._rows.top_of(index) + self._part_found(index), self.size.height
        if not self.scroll_offset.y <= row < self.scroll_offset.y + height:
            self.scroll_to(y=max(0, row - height // 2), animate=False, immediate=True)
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
        """Draw one row."""
        style, row = self.rich_style, self.scroll_offset.y + y
        segments = self._segments(*self._rows.at(row), style) if row < len(self._rows) else []
        return Strip(segments).crop_extend(0, self.size.width, style)

    def _segments(self, index: int, part: int, style: Style) -> list[Segment]:
        text, spans = self._shown(index)
        first, last = parts(text, self._rows.width)[part]
        here = self.window.offsets[index] == self.current
        base, mark = (style + Style(bold=True), style + _CURRENT) if here and spans else (style, style + _FOUND)
        segments, at = [], first
        for span in spans:
            begin, end = max(span[0], at), min(span[1], last)
            if begin < end:
                segments += [Segment(text[at:begin], base), Segment(text[begin:end], mark)]
                at = end
        return [*segments, Segment(text[at:last], base)]

    def _shown(self, index: int) -> tuple[str, list[tuple[int, int]]]:
        """Return a line as it is drawn, and the stretches of it that are searched for."""
        line = self.window.lines[index]
        spans = self.matcher.spans(line) if self.matcher is not None else []
        if not self._rows.brief:
            return line, spans
        drawn = brief(line)
        return drawn.text, [drawn.place(*span) for span in spans]

    def _part_found(self, index: int) -> int:
        """Return in which of a line's rows the first match begins."""
        text, spans = self._shown(index)
        begin = spans[0][0] if spans else 0
        rows = parts(text, self._rows.width)
        return next((part for part, (_, last) in enumerate(rows) if begin < last), len(rows) - 1)

    def _moved_up(self, dropped: int, before: int) -> None:
        """Take in that lines were added below and ``dropped`` above."""
        gone = self._rows.drop(dropped)
        self._rows.put(self.window.lines, max(0, before - dropped - 1))
        follow = self._follow
        self._resized()
        if gone and not follow:
            self.scroll_to(y=max(0, self.scroll_y - gone), animate=False, immediate=True)

    def _resized(self) -> None:
        follow = self._follow
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._rows))
        if follow:
            self._follow = True
            self.scroll_end(animate=False, immediate=True)
        self.refresh()
