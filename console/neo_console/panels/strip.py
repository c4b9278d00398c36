"""The strip, one line that changes every second, and the banners, lines that are there only when needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from neo_console.rows.strip import Flags, Part, fit_parts, joined, strip_parts

if TYPE_CHECKING:
    from neo_console.panels.table import Colours
    from neo_console.picture import Picture

_MOST_BANNERS = 3


class LeaseStrip(Static):
    """The first line of the screen."""

    def __init__(self) -> None:
        super().__init__(markup=False, id="strip")

    def show(self, picture: Picture, now: float, flags: Flags, colours: Colours) -> None:
        """Draw the line, if it changed."""
        width = self.size.width
        left, right = fit_parts(*strip_parts(picture, now, flags), width)
        head, tail = _content(left, colours), _content(right, colours)
        line = Content.assemble(head, " " * max(1, width - head.cell_length - tail.cell_length), tail)
        if line != self.content:
            self.update(line, layout=False)


class Banners(Static):
    """What must be read before anything else; a few lines, none when there is nothing to say."""

    def __init__(self, *, most: int = _MOST_BANNERS) -> None:
        super().__init__(markup=False, classes="banners")
        self.display = False
        self._most = most
        self._lines: list[Part] = []

    def show(self, lines: list[Part], colours: Colours) -> None:
        """Show the first of the lines, or nothing."""
        shown = lines[: self._most]
        if shown == self._lines:
            return
        self._lines = shown
        self.display = bool(shown)
        self.update(Content("\n").join(_banner(line, colours) for line in shown))


def _banner(line: Part, colours: Colours) -> Content:
    flag, gap, sentence = line.text.partition("  ")
    return Content.assemble((flag, f"bold {colours[line.tone]}"), gap, sentence)


def _content(parts: list[Part], colours: Colours) -> Content:
    return Content.assemble(*((part.text, _style(part, colours)) for part in joined(parts)))


def _style(part: Part, colours: Colours) -> str:
    return " ".join(word for word in ("bold" if part.strong else "", colours.get(part.tone, "")) if word)
