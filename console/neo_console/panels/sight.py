"""How far a table is scrolled: it shows its top unless the operator scrolled it, or chose a row further down."""

from __future__ import annotations


def scroll_after_change(scrolled: int, before: int, row: int, height: int, *, chosen: bool) -> int:
    """Return where to scroll when the selected row went from place ``before`` to ``row``; all in lines.

    What the operator scrolled to stays in its place on the screen. Otherwise it is the top, unless a row that he chose
    would go out of sight.
    """
    if chosen and scrolled == _least(before, height):
        return _least(row, height)
    return max(0, scrolled + row - before) if scrolled else 0


def scroll_after_resize(scrolled: int, row: int, before: int, height: int) -> int:
    """Return where to scroll when there are ``height`` lines in place of ``before``, so that a chosen row stays."""
    lost = 0 <= row - scrolled < before and row - scrolled >= height
    return _least(row, height) if lost or scrolled == _least(row, before) else scrolled


def _least(row: int, height: int) -> int:
    """Return how far it is scrolled at least when that row is in sight."""
    return max(0, row - height + 1)
