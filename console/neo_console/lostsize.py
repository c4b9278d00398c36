"""The size of the terminal where a change of it was not told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.geometry import Size

if TYPE_CHECKING:
    from textual.app import App


def heed_size(app: App[int], told: tuple[int, int]) -> None:
    """Have ``app`` take the size that the terminal says by now, in cells; (0, 0) is unknown.

    Of changes that follow each other at once Textual can take the last but one for the last: its signal handler reads
    the size, is interrupted by the next signal, and hands on what it read after that.
    """
    size = Size(*told)
    if size and size != app.size:
        app.post_message(events.Resize(size, size))
