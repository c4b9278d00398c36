"""Plots in characters: values over time as an area of braille dots or as bars of blocks, and lanes below them.

Everything here is pure; a column without a value stays empty, for unknown is not zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_BRAILLE = 0x2800
_LEFT = (0x40, 0x04, 0x02, 0x01)  # the dots of a cell's left column, from the bottom
_RIGHT = (0x80, 0x20, 0x10, 0x08)
_DOTS = len(_LEFT)
_BLOCKS = " ▁▂▃▄▅▆▇█"
_EIGHTHS = len(_BLOCKS) - 1

Values = list[float | None]


class Axis(NamedTuple):
    """The time axis: which moment stands in which of ``width`` cells."""

    begin: float
    end: float
    width: int

    def cell(self, at: float) -> int:
        """Return the cell of a moment, the nearest one for what lies outside."""
        share = (at - self.begin) / max(1e-9, self.end - self.begin)
        return min(self.width - 1, max(0, int(share * self.width)))

    def cells(self, begin: float, end: float) -> range:
        """Return the cells of an interval; empty when it lies outside."""
        if end < self.begin or begin > self.end:
            return range(0)
        return range(self.cell(begin), self.cell(end) + 1)


def binned(
    points: Iterable[tuple[float, float | None]],
    axis: Axis,
    per_cell: int,
    choose: Callable[[float, float], float],
    *,
    hold: float = 0.0,
) -> Values:
    """Return ``per_cell`` values per cell, of several in one place the chosen one.

    A value stands for the ``hold`` seconds after it, as far as no other came.
    """
    count = axis.width * per_cell
    fine = Axis(axis.begin, axis.end, count)
    length = max(1e-9, (axis.end - axis.begin) / count) if count else 1.0
    values: Values = [None] * count
    for at, value in points:
        if value is None or not axis.begin <= at <= axis.end:
            continue
        place = fine.cell(at)
        known = values[place]
        values[place] = value if known is None else choose(known, value)
    return _held(values, int(hold / length))


def area(values: Sequence[float | None], height: int, top: float) -> list[str]:
    """Return ``height`` lines of braille, the highest first; two values per cell, ``top`` fills the whole height."""
    levels = [_level(value, height * _DOTS, top) for value in values]
    return [
        "".join(
            _cell(_column(left, row, _LEFT) + _column(right, row, _RIGHT))
            for left, right in zip(levels[::2], levels[1::2], strict=True)
        )
        for row in reversed(range(height))
    ]


def bars(values: Sequence[float | None], height: int, top: float) -> list[str]:
    """Return ``height`` lines of blocks, the highest first; one value per cell, ``top`` fills the whole height."""
    levels = [_level(value, height * _EIGHTHS, top) for value in values]
    return [
        "".join(_BLOCKS[min(_EIGHTHS, max(0, level - row * _EIGHTHS))] for level in levels)
        for row in reversed(range(height))
    ]


def _held(values: Values, places: int) -> Values:
    last, age = None, 0
    for place, value in enumerate(values):
        age = 0 if value is not None else age + 1
        last = last if value is None else value
        if value is None and age <= places:
            values[place] = last
    return values


def _level(value: float | None, most: int, top: float) -> int:
    """Return how many of ``most`` steps a value fills; what is known is never drawn as nothing."""
    if value is None or top <= 0:
        return 0
    return min(most, max(1, round(value / top * most)))


def _cell(dots: int) -> str:
    return chr(_BRAILLE + dots) if dots else " "


def _column(level: int, row: int, dots: tuple[int, ...]) -> int:
    return sum(dots[: min(_DOTS, max(0, level - row * _DOTS))])
