"""4: available memory and pressure over time, runs as lanes below them, incidents shaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.containers import Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from neo_console.course import head_lines, plotted
from neo_console.format import age, plain, plural
from neo_console.panels.base import Notice
from neo_console.panels.sentences import MEMORY, sentence
from neo_console.vocabulary import Seen

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from neo_console.panels.base import Look
    from neo_console.picture import Picture, View
    from neo_core.ledger.models import Run
    from neo_core.recorder.course import Course

_TITLE = "4 Memory"


class MemoryPlot(Widget, can_focus=True):
    """The plot; it takes the focus, although nothing in it is selected."""

    def __init__(self) -> None:
        super().__init__(id="memory-plot")
        self._course: Course | None = None
        self._runs: tuple[Run, ...] = ()
        self._look: Look | None = None
        self._drawn: object = None

    def draw(self, course: Course | None, runs: tuple[Run, ...], look: Look) -> None:
        """Draw anew if anything changed that shows."""
        wanted = (course, [(run.run_id, run.outcome) for run in runs if run.started_at], look)
        self._course, self._runs, self._look = course, runs, look
        if wanted != self._drawn:
            self._drawn = wanted
            self.refresh()

    def render(self) -> Text:
        """Return the plot for the room there is."""
        width, height = self.content_size
        if self._look is None or self._course is None or not self._course.samples:
            return Text()
        return plotted(self._course, self._runs, self._look.colours, width=width, height=height, shade=self._look.shade)

    def move_by(self, step: int) -> None:
        """Nothing to move in."""

    def move_to_end(self, *, last: bool) -> None:
        """Nothing to move in."""


class MemoryPanel(Vertical):
    """Shows the memory as it is, and how it came to be so."""

    NAME = MEMORY

    def __init__(self) -> None:
        super().__init__(id=self.NAME, classes="panel")
        self.border_title = Content(_TITLE)
        self.plot = MemoryPlot()
        self.seen = Seen.LOADING
        self._head = Static(markup=False, id="memory-head")
        self._notice = Notice()
        self._subtitle = ""
        self._said: object = None
        self._shown: tuple[Picture, float, Look] | None = None

    @property
    def body(self) -> MemoryPlot:
        """What takes the focus."""
        return self.plot

    def compose(self) -> ComposeResult:
        """Put the words above the plot."""
        yield self._head
        yield self._notice
        yield self.plot

    def on_resize(self) -> None:
        """Fit the words into the new width."""
        if self._shown is not None:
            self.show(*self._shown)

    def show(self, picture: Picture, now: float, look: Look) -> None:
        """Show the picture as of ``now``."""
        self._shown = (picture, now, look)
        view = picture.course(now)
        self.seen = view.seen
        self._words(picture, view, now, look)
        self.plot.draw(view.value, picture.outcomes(now).value or (), look)
        self._count(view.value, look)

    def _words(self, picture: Picture, view: View[Course], now: float, look: Look) -> None:
        memory = picture.memory(now)
        current = memory.value if memory.seen is Seen.OK else None
        lines = head_lines(current, view.value, now, self.content_size.width)
        content = Content("\n").join(
            Content.assemble((line.text, " ".join(part for part in ("bold", look.colours[line.tone]) if part)))
            for line in lines
        )
        self._head.display = bool(lines)
        if content != self._said:
            self._said = content
            self._head.update(content)
        old = age(now - view.at) if view.at is not None else ""
        text = sentence(MEMORY, view.seen, look.keys, age=old, error=plain(view.error))
        self._notice.say(text, view.seen, look.colours)

    def _count(self, course: Course | None, look: Look) -> None:
        """Say in the lower edge how many incidents are in sight, and which key lists all of them."""
        seen = len(course.incidents) if course else 0
        subtitle = f"{plural(seen, 'incident')} · {look.keys.incidents} lists" if seen else ""
        if subtitle != self._subtitle:
            self._subtitle = subtitle
            self.border_subtitle = Content(subtitle)
