"""Where the lines of a log stand when a long one goes on in the next row, broken after as many cells as there are."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate
from typing import TYPE_CHECKING

from rich.cells import cell_len

from neo_console.panels.logline import brief_length

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_TIME = "HH:MM:SS"
_NEAR = 3  # the part of a row, from its end, in which it is broken at a blank
BRIEF_BELOW = 90  # cells; where there are fewer, a line begins with its time of day alone


class Rows:
    """The first row of every line. Without a width every line takes one row."""

    def __init__(self) -> None:
        self.width = 0
        self._tops = [0]

    def __len__(self) -> int:
        return self._tops[-1]

    @property
    def brief(self) -> bool:
        """Whether lines are shown with the time of day alone."""
        return 0 < self.width < BRIEF_BELOW

    def anew(self, lines: Sequence[str], width: int) -> None:
        """Place every line at another width."""
        self.width, self._tops = width, [0]
        self.put(lines, 0)

    def put(self, lines: Sequence[str], first: int) -> None:
        """Place the lines from the ``first`` on; those before it stay."""
        del self._tops[first + 1 :]
        self._tops += list(accumulate(self._heights(lines[first:]), initial=self._tops[-1]))[1:]

    def put_above(self, lines: Sequence[str], count: int) -> int:
        """Place lines before the first; only the first ``count`` of all stay. Return how many rows they take."""
        above = list(accumulate(self._heights(lines), initial=0))
        added = above.pop()
        self._tops = [*above, *(top + added for top in self._tops)][: count + 1]
        return added

    def drop(self, count: int) -> int:
        """Forget the first lines; return how many rows they took."""
        gone = self._tops[count]
        self._tops = [top - gone for top in self._tops[count:]]
        return gone

    def top_of(self, index: int) -> int:
        """Return the first row of a line."""
        return self._tops[index]

    def at(self, row: int) -> tuple[int, int]:
        """Return which line stands in a row, and how many of its rows stand above that."""
        index = bisect_right(self._tops, row) - 1
        return index, row - self._tops[index]

    def _heights(self, lines: Iterable[str]) -> Iterable[int]:
        width, brief = self.width, self.brief
        if not width:
            return (1 for _ in lines)
        return (_height(line, width, brief=brief) for line in lines)


def parts(text: str, width: int) -> list[tuple[int, int]]:
    """Return where each row of a text begins and ends, at least one: at a blank, if one is near, which is left out.

    A wide character is never cut in two.
    """
    if not width or cell_len(text) <= width:
        return [(0, len(text))]
    reach = _reach_of_ascii if text.isascii() else _reach
    found, begin = [], 0
    while (end := reach(text, begin, width)) < len(text):
        blank = text.rfind(" ", begin + width - width // _NEAR, end + 1)
        found.append((begin, end if blank < 0 else blank))
        begin = end if blank < 0 else blank + 1
    return [*found, (begin, len(text))]


def _reach_of_ascii(text: str, begin: int, width: int) -> int:
    return min(begin + width, len(text))


def _reach(text: str, begin: int, width: int) -> int:
    """Return the place of the first character that has no room in a row; at least one character has."""
    used = 0
    for place in range(begin, len(text)):
        used += cell_len(text[place])
        if used > width and place > begin:
            return place
    return len(text)


def _height(line: str, width: int, *, brief: bool) -> int:
    length = brief_length(line) if brief else len(line)
    if length <= width and line.isascii():
        return 1
    return len(parts(_TIME + line[len(line) - length + len(_TIME) :] if length < len(line) else line, width))
