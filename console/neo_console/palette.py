"""The command palette: every action of the registry by name; a blocked one says why. No emoji, so widths hold."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, cast

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider, SearchIcon
from textual.markup import escape

from neo_console.actions import ACTIONS, Action
from neo_console.format import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neo_console.app import NeoConsole


class Palette(CommandPalette):
    """The palette over the actions."""

    def __init__(self) -> None:
        super().__init__(providers=[ActionCommands], placeholder="What do you want to do? esc closes")

    def on_mount(self) -> None:
        """Take a mark of one cell in place of the emoji."""
        self.query_one(SearchIcon).icon = ":"


class ActionCommands(Provider):
    """Offers the actions."""

    @property
    def _console(self) -> NeoConsole:
        return cast("NeoConsole", self.app)

    async def discover(self) -> Hits:
        """Offer everything before anything is typed."""
        for action, title, told in self._offers():
            yield DiscoveryHit(escape(title), partial(self._console.perform, action.id), text=title, help=escape(told))

    async def search(self, query: str) -> Hits:
        """Offer what matches."""
        matcher = self.matcher(query)
        for action, title, told in self._offers():
            score = matcher.match(title)
            if score > 0:
                command = partial(self._console.perform, action.id)
                yield Hit(score, escape(title), command, text=title, help=escape(told))

    def _offers(self) -> Iterator[tuple[Action, str, str]]:
        console = self._console
        context = console.main.context()
        for action in ACTIONS:
            blocked = action.blocked(context)
            told = f"not now: {blocked}" if blocked else action.tooltip
            yield action, f"{action.label_in(context)}  {console.keymap.key(action.id)}", plain(told)
