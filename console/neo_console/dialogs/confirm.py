"""Confirm something that changes things: target, effect, age of the data; the identity was captured before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text
from textual.widgets import Static

from neo_console.dialogs.base import Dialog
from neo_console.drawing import Fact, fact_table
from neo_console.field import Field
from neo_console.format import age, plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.widget import Widget


@dataclass(frozen=True, slots=True)
class Proposal:
    """What is to be confirmed. ``changed`` says what is different now, empty while everything is as captured.

    While the dialog is open every picture is asked the same, by ``seen`` where ``changed`` reads too much for that, and
    ``told`` gives the facts and their time anew. ``body`` stands below the facts. With ``typed``, exactly that must be
    typed first; ``undone`` says what did not happen when something else is.
    """

    title: str
    facts: tuple[Fact, ...]
    confirm: str
    as_of: float
    changed: Callable[[], str]
    body: RenderableType | None = None
    typed: str = ""
    undone: str = "nothing was done"
    seen: Callable[[], str] | None = None
    told: Callable[[], tuple[tuple[Fact, ...], float]] | None = None


class Confirm(Dialog[bool]):
    """Answers ``True`` only when confirmed while nothing had changed, and says at once when something has."""

    def __init__(self, proposal: Proposal) -> None:
        super().__init__(proposal.title, proposal.confirm)
        self._proposal = proposal
        self._facts = Static(markup=False)
        self._why = ""
        self._refused = False
        self._input = (
            Field(
                changed=self._follow,
                entered=self.action_confirm,
                placeholder=f"type {proposal.typed}",
                id="typed",
                select_on_focus=False,
            )
            if proposal.typed
            else None
        )

    def parts(self) -> list[Widget]:
        """Return the facts, and the input when something must be typed."""
        return [self._facts, *([self._input] if self._input else [])]

    def on_mount(self) -> None:
        """Draw the facts; what must be typed keeps the button shut until then."""
        self.refresh_page()

    def refresh_page(self) -> None:
        """Show the facts as they are by now, or that what was captured is not there any more."""
        super().refresh_page()
        proposal, console = self._proposal, self.console
        if not self._refused:
            self._shut((proposal.seen or proposal.changed)())
        facts, as_of = (proposal.facts, proposal.as_of) if proposal.told is None or self._why else proposal.told()
        old = Fact("data", f"{age(console.now() - as_of)} old")
        table = fact_table((*facts, old), console.colours, label_width=8)
        self._facts.update(Group(table, Text(), proposal.body) if proposal.body else table)

    def on_key(self, event: events.Key) -> None:
        """Let typing reach the input although Cancel has the focus, or had it when the key came."""
        if self._input is not None and event.is_printable and event.character:
            self.set_focus(self._input)
            self._input.insert_text_at_cursor(event.character)
            event.stop()

    def action_confirm(self) -> None:
        """Confirm, unless the target is gone or changed, or the name is wrong: then say so and do nothing."""
        if self._why or self.unseen:
            return
        if not self._named:
            self.complain(f"That is not {plain(self._proposal.typed)}; {self._proposal.undone}.")
            return
        changed = self._proposal.changed()
        if changed:
            self._refused = True
            self._shut(changed)
            return
        self.dismiss(True)

    @property
    def _named(self) -> bool:
        """Whether what must be typed was, if anything must be."""
        return self._input is None or self._input.value == self._proposal.typed

    def _follow(self, _text: str) -> None:
        """Open the button when the right name stands there."""
        if not self._why:
            self.stop_complaining()
        self._open_or_close()

    def _shut(self, why: str) -> None:
        """Let nothing be confirmed because of ``why``, or again when that is empty."""
        if why != self._why:
            self._why = why
            self.cancel.label = "Close" if why else "Cancel"
            if why:
                self.complain(f"{plain(why)} Nothing was done.")
                self.set_focus(self.cancel)
            else:
                self.stop_complaining()
        self._open_or_close()

    def _open_or_close(self) -> None:
        self.confirm.disabled = bool(self._why) or not self._named
