"""Everything known about the selected thing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.drawing import Fact, sections, written
from neo_console.facts import Facts, facts_of
from neo_console.facts_service import event_facts
from neo_console.format import plain
from neo_console.screens.page import Page
from neo_console.vocabulary import Tone
from neo_core.errors import NeoError

if TYPE_CHECKING:
    from rich.console import RenderableType

    from neo_console.subjects import Subject

_EVENTS = 20


class Detail(Page):
    """Follows one subject by its identity; says so when it is gone."""

    def __init__(self, subject: Subject) -> None:
        super().__init__(opened_by="detail")
        self._subject = subject

    def title_text(self) -> str:
        """Name the subject."""
        return f"Detail · {plain(self._subject.label)}"

    def facts(self) -> Facts:
        """Return what is known as of now; empty when it is gone."""
        console = self.console
        key = "" if console.read_only else console.keymap.key("stop")
        return facts_of(self._subject, console.picture, console.now(), key)

    def body(self) -> RenderableType:
        """Show its facts as of now."""
        console = self.console
        facts = self.facts()
        if not facts:
            return written(f"{self._subject.label} is gone.", console.colours, Tone.UNKNOWN)
        return sections(facts, console.colours)


class ServiceDetail(Detail):
    """Adds what happened to the service lately."""

    def facts(self) -> Facts:
        """Return what is known, and the newest events of the ledger."""
        known = super().facts()
        return [*known, *self._events()] if known else []

    def _events(self) -> Facts:
        console = self.console
        try:
            events = console.engine().service_events(self._subject.service, _EVENTS)
        except NeoError as error:
            return [Fact("events", str(error), Tone.UNKNOWN)]
        return event_facts(events, console.now())
