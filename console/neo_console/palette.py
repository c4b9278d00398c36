"""The command palette: every action by name and key, and every task and service; what is blocked is grey and says why.

No emoji, so widths hold.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple, cast

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider, SearchIcon
from textual.content import Content
from textual.markup import escape

from neo_console.actions import ACTIONS, BY_ID, Action
from neo_console.flows.look import go_to
from neo_console.format import plain
from neo_console.subjects import Subject, service_subject, task_subject
from neo_console.vocabulary import Tone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from neo_console.app import NeoConsole
    from neo_console.context import Context

_MOST_NAMED = 40
_OF_A_NAME = ("trigger", "stop", "why", "defer", "log")
_BY_ANOTHER_WORD = 0.9  # of the score: what is called so comes first


class Offer(NamedTuple):
    """One line of the palette: what it does, its key if it has one, what is told below it, and whether it is grey.

    ``also`` is the same title in other words, by which it is found too.
    """

    title: str
    told: str
    blocked: bool
    perform: Callable[[], object]
    also: tuple[str, ...] = ()


class Palette(CommandPalette):
    """The palette over the actions."""

    def __init__(self) -> None:
        super().__init__(providers=[ActionCommands], placeholder="What do you want to do? esc closes")

    def on_mount(self) -> None:
        """Take a mark of one cell in place of the emoji."""
        self.query_one(SearchIcon).icon = ":"


class ActionCommands(Provider):
    """Offers the actions, and for what is typed also the tasks and services of that name."""

    @property
    def _console(self) -> NeoConsole:
        return cast("NeoConsole", self.app)

    async def discover(self) -> Hits:
        """Offer every action before anything is typed."""
        for offer in self._actions():
            yield DiscoveryHit(self._drawn(offer), offer.perform, text=offer.title, help=escape(offer.told))

    async def search(self, query: str) -> Hits:
        """Offer what matches."""
        matcher = self.matcher(query)
        for offer in (*self._actions(), *self._named(query)):
            others = (_BY_ANOTHER_WORD * matcher.match(text) for text in offer.also)
            score = max(matcher.match(offer.title), *others, 0.0)
            if score > 0:
                yield Hit(score, self._drawn(offer), offer.perform, text=offer.title, help=escape(offer.told))

    def _drawn(self, offer: Offer) -> Content:
        return Content.styled(offer.title, self._console.colours[Tone.DIM] if offer.blocked else "")

    def _actions(self) -> Iterator[Offer]:
        console = self._console
        context = console.main.context()
        for action in ACTIONS:
            title = f"{action.label_in(context)}  {console.keymap.key(action.id)}"
            yield self._offer(action, context, title, partial(console.perform, action.id))

    def _named(self, query: str) -> Iterator[Offer]:
        """Offer what can be done with each task and service that a word of the query names."""
        console, words = self._console, query.casefold().split()
        schedule, services = (
            console.picture.schedule(console.now()).value,
            console.picture.services(console.now()).value,
        )
        subjects = [task_subject(one.name, one.running_run_id) for one in (schedule.tasks if schedule else ())]
        subjects += [service_subject(one.name) for one in services or ()]
        found = [one for one in subjects if any(word in one.key.casefold() for word in words)]
        for subject in found[:_MOST_NAMED]:
            name = plain(subject.key)
            go = partial(go_to, console, subject.key, service=bool(subject.service))
            yield Offer(f"go to {name}", "select it in the schedule", blocked=False, perform=go)
            context = console.main.context()._replace(subject=subject, gone=None, past="")
            for action in (BY_ID[one] for one in _OF_A_NAME):
                if action.id != "defer" or not subject.service:
                    title = f"{action.label_in(context)} {name}"
                    yield self._offer(action, context, title, partial(self._perform_on, subject, action.id))

    def _perform_on(self, subject: Subject, action_id: str) -> None:
        """Select it, then do what its key would do."""
        if go_to(self._console, subject.key, service=bool(subject.service)):
            self._console.perform(action_id)

    def _offer(self, action: Action, context: Context, title: str, perform: Callable[[], object]) -> Offer:
        blocked = action.blocked(context)
        told = f"not now: {blocked}" if blocked else action.tooltip
        rest = title.removeprefix(action.label_in(context))
        also = tuple(f"{word}{plain(rest)}" for word in (action.label, *action.also))
        return Offer(plain(title), plain(told), blocked is not None, perform, also)
