"""How what the collector found comes to the thread of the screen: as a message of Textual."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from neo_console.collector import Found


class News(Message):
    """The collector found something."""

    def __init__(self, found: Found) -> None:
        super().__init__()
        self.found = found
