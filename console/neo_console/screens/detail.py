"""Everything known about the selected thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.drawing import sections, written
from neo_console.facts import facts_of
from neo_console.format import plain
from neo_console.screens.page import Page
from neo_console.vocabulary import Tone

if TYPE_CHECKING:
    from rich.console import RenderableType

    from neo_console.subjects import Subject


class Detail(Page):
    """Follows one subject by its identity; says so when it is gone."""

    def __init__(self, subject: Subject) -> None:
        super().__init__(opened_by="detail")
        self._subject = subject

    def title_text(self) -> str:
        """Name the subject."""
        return f"Detail · {plain(self._subject.label)}"

    def body(self) -> RenderableType:
        """Show its facts as of now."""
        console = self.console
        facts = facts_of(self._subject, console.picture, console.now())
        if not facts:
            return written(f"{self._subject.label} is gone.", console.colours, Tone.UNKNOWN)
        return sections(facts, console.colours)
