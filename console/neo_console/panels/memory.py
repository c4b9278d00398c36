"""4: available memory and pressure over time, runs as lanes below them, incidents shaded."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, NamedTuple

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from neo_console.course import Line, head_lines, plotted
from neo_console.cursor import Cursor, cursor_head, cursor_title, drawn_cursor
from neo_console.format import age, exactly, plain, plural
from neo_console.panels.base import Notice
from neo_console.panels.sentences import MEMORY, sentence
from neo_console.vocabulary import Seen

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from neo_console.panels.base import Look
    from neo_console.picture import Picture, View
    from neo_core.ledger.models import Run
    from neo_core.recorder.course import Course
    from neo_core.snapshot import MemoryView

_TITLE = "4 Memory"


class MemoryPlot(Widget, can_focus=True):
    """The plot; it takes the focus, although nothing in it is selected. The arrows move through time."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "screen.perform('earlier')", show=False),
        Binding("right", "screen.perform('later')", show=False),
        Binding("shift+left", "screen.perform('much-earlier')", show=False),
        Binding("shift+right", "screen.perform('much-later')", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="memory-plot")
        self._course: Course | None = None
        self._runs: tuple[Run, ...] = ()
        self._look: Look | None = None
        self._cursor: tuple[Cursor, float] | None = None
        self._drawn: object = None

    def draw_past(self, cursor: Cursor, now: float, look: Look) -> None:
        """Draw a moment that is past, instead of what is now."""
        wanted = (cursor.at, cursor.past.begin, look)
        self._cursor, self._look = (cursor, now), look
        if wanted != self._drawn:
            self._drawn = wanted
            self.refresh()

    def draw(self, course: Course | None, runs: tuple[Run, ...], look: Look) -> None:
        """Draw anew if anything changed that shows."""
        wanted = (course, [(run.run_id, run.outcome) for run in runs if run.started_at], look)
        self._course, self._runs, self._look, self._cursor = course, runs, look, None
        if wanted != self._drawn:
            self._drawn = wanted
            self.refresh()

    def render(self) -> Text:
        """Return the plot for the room there is."""
        width, height = self.content_size
        if self._cursor is not None and self._look is not None:
            (cursor, now), look = self._cursor, self._look
            return drawn_cursor(cursor, now, look.colours, width=width, height=height, shade=look.shade)
        if self._look is None or self._course is None or not self._course.samples:
            return Text()
        return plotted(self._course, self._runs, self._look.colours, width=width, height=height, shade=self._look.shade)

    def move_by(self, step: int) -> None:
        """Nothing to move in."""

    def move_to_end(self, *, last: bool) -> None:
        """Nothing to move in."""


class _Shown(NamedTuple):
    """What was shown last of the present: its sections as they were then, as of when, and how it was drawn."""

    memory: View[MemoryView]
    course: View[Course]
    runs: tuple[Run, ...]
    now: float
    look: Look


class MemoryPanel(Vertical):
    """Shows the memory as it is and how it came to be so, or with a time cursor one moment that is past.

    ``steps`` were asked for while ``reading`` a part of the record that has not come yet; ``opening`` says that all of
    the moment is to be told once it is there.
    """

    NAME = MEMORY

    def __init__(self) -> None:
        super().__init__(id=self.NAME, classes="panel")
        self.border_title = Content(_TITLE)
        self.plot = MemoryPlot()
        self.seen = Seen.LOADING
        self.cursor: Cursor | None = None
        self.steps = 0
        self.reading: object | None = None
        self.opening = False
        self._head = Static(markup=False, id="memory-head")
        self._notice = Notice()
        self._edges = (_TITLE, "")
        self._said: object = None
        self._shown: _Shown | None = None

    @property
    def body(self) -> MemoryPlot:
        """What takes the focus."""
        return self.plot

    @property
    def past_time(self) -> str:
        """The time of the moment that is shown; empty while that is now."""
        return "" if self.cursor is None or self._shown is None else exactly(self.cursor.at, self._shown.now)

    def compose(self) -> ComposeResult:
        """Put the words above the plot."""
        yield self._head
        yield self._notice
        yield self.plot

    def on_resize(self) -> None:
        """Fit the words into the new width; nothing newer, for it may be frozen."""
        self._draw()

    def show(self, picture: Picture, now: float, look: Look) -> None:
        """Show the picture as of ``now``, unless the past is being looked at."""
        self._shown = _Shown(picture.memory(now), picture.course(now), picture.outcomes(now).value or (), now, look)
        self.seen = self._shown.course.seen
        self._draw()

    def look_back(self, cursor: Cursor, now: float, look: Look) -> None:
        """Show a moment of the record from now on, whatever comes meanwhile."""
        self.cursor = cursor
        self._draw_past(cursor, now, look)

    def to_present(self) -> bool:
        """Show again what is known of now; return whether the past was shown, or on its way."""
        looked_back = self.cursor is not None or self.reading is not None
        self.cursor, self.reading, self.steps, self.opening = None, None, 0, False
        self._draw()
        return looked_back

    def _draw(self) -> None:
        if self._shown is None:
            return
        shown = self._shown
        if self.cursor is not None:
            self._draw_past(self.cursor, shown.now, shown.look)
            return
        current = shown.memory.value if shown.memory.seen is Seen.OK else None
        self._say(head_lines(current, shown.course.value, shown.now, self.content_size.width), shown.look)
        old = age(shown.now - shown.course.at) if shown.course.at is not None else ""
        text = sentence(MEMORY, shown.course.seen, shown.look.keys, age=old, error=plain(shown.course.error))
        self._notice.say(text, shown.course.seen, shown.look.colours)
        self.plot.draw(shown.course.value, shown.runs, shown.look)
        count = len(shown.course.value.incidents) if shown.course.value else 0
        listed = f"{plural(count, 'incident')} · {shown.look.keys.incidents} lists" if count else ""
        self._entitle(_TITLE, listed)

    def _draw_past(self, cursor: Cursor, now: float, look: Look) -> None:
        self._say(cursor_head(cursor, now, self.content_size.width), look)
        self._notice.say("", Seen.OK, look.colours)
        self.plot.draw_past(cursor, now, look)
        keys = look.keys
        told = f"{keys.earlier} {keys.later} step · {keys.detail} tells all · {keys.present} now"
        self._entitle(f"{_TITLE} · {cursor_title(cursor, now)}", told)

    def _say(self, lines: list[Line], look: Look) -> None:
        content = Content("\n").join(
            Content.assemble((line.text, " ".join(part for part in ("bold", look.colours[line.tone]) if part)))
            for line in lines
        )
        self._head.display = bool(lines)
        if content != self._said:
            self._said = content
            self._head.update(content)

    def _entitle(self, title: str, subtitle: str) -> None:
        if (title, subtitle) != self._edges:
            self._edges = (title, subtitle)
            self.border_title, self.border_subtitle = Content(title), Content(subtitle)
