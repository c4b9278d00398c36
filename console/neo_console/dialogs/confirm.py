"""Confirm something that changes things: target, effect, age of the data; the identity was captured before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text
from textual.widgets import Input, Static

from neo_console.dialogs.base import Dialog
from neo_console.drawing import Fact, fact_table
from neo_console.format import age

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.widget import Widget


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is to be confirmed. ``changed`` says what is different now, empty while everything is as captured.

    ``body`` stands below the facts. With ``typed``, exactly that must be typed first.
    """

    title: str
    facts: tuple[Fact, ...]
    confirm: str
    as_of: float
    changed: Callable[[], str]
    body: RenderableType | None = None
    typed: str = ""


class Confirm(Dialog[bool]):
    """Answers ``True`` only when confirmed while nothing had changed."""

    def __init__(self, proposal: Proposal) -> None:
        super().__init__(proposal.title, proposal.confirm)
        self._proposal = proposal
        self._facts = Static(markup=False)
        self._input = (
            Input(placeholder=f"type {proposal.typed}", id="typed", select_on_focus=False) if proposal.typed else None
        )

    def parts(self) -> list[Widget]:
        """Return the facts, and the input when something must be typed."""
        return [self._facts, *([self._input] if self._input else [])]

    def on_mount(self) -> None:
        """Draw the facts; what must be typed keeps the button shut until then."""
        self.confirm.disabled = self._input is not None
        self.refresh_page()

    def refresh_page(self) -> None:
        """Let the age of the data tick."""
        super().refresh_page()
        proposal, console = self._proposal, self.console
        old = Fact("data", f"{age(console.now() - proposal.as_of)} old")
        table = fact_table((*proposal.facts, old), console.colours, label_width=8)
        self._facts.update(Group(table, Text(), proposal.body) if proposal.body else table)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Open the button when the right name stands there."""
        self.confirm.disabled = event.value != self._proposal.typed

    def on_input_submitted(self) -> None:
        """Confirm by enter, if the name is right."""
        self.action_confirm()

    def on_key(self, event: events.Key) -> None:
        """Let typing reach the input although Cancel has the focus, or had it when the key came."""
        if self._input is not None and event.is_printable and event.character:
            self.set_focus(self._input)
            self._input.insert_text_at_cursor(event.character)
            event.stop()

    def action_confirm(self) -> None:
        """Confirm, unless the target is gone or changed: then say so and do nothing."""
        if self.confirm.disabled or self.unseen:
            return
        changed = self._proposal.changed()
        if changed:
            self.complain(f"{changed} Nothing was done.")
            self.confirm.disabled = True
            self.cancel.label = "Close"
            self.cancel.focus()
            return
        self.dismiss(True)
