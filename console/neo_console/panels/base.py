"""What the table panels have in common: a numbered title, a sentence for every state, a filter, a keyed table."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from neo_console.filters import Filter, parse_filter
from neo_console.format import age, plain, plural
from neo_console.panels.sentences import Keys, nothing_matches, sentence
from neo_console.panels.table import Colours, KeyedTable
from neo_console.vocabulary import Seen, term

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from neo_console.picture import Picture, View
    from neo_console.rows.model import Column, Row


class Look(NamedTuple):
    """What a panel needs to draw itself: colours for tones, the keys its sentences name, the ground of incidents."""

    colours: Colours
    keys: Keys
    shade: str = ""


class Notice(Static):
    """The sentence of a panel's state; not there while there is nothing to say."""

    def __init__(self) -> None:
        super().__init__(markup=False, classes="notice")
        self.display = False

    def say(self, text: str, seen: Seen, colours: Colours) -> None:
        """Show the sentence with the badge and word of the state, or hide."""
        self.display = bool(text)
        shown = term(seen)
        content = Content.assemble((f"{shown.badge} {shown.word.upper()}", f"bold {colours[shown.tone]}"), "  ", text)
        if self.display and content != self.content:
            self.update(content)


class TablePanel(Vertical):
    """A panel around one table. Subclasses say which section it shows and how its rows are made."""

    NAME: ClassVar[str]
    TITLE: ClassVar[str]
    COLUMNS: ClassVar[tuple[Column, ...]]
    NOUN: ClassVar[tuple[str, str]]

    def __init__(self) -> None:
        super().__init__(id=self.NAME, classes="panel")
        self.border_title = Content(self.TITLE)
        self.table = KeyedTable(self.COLUMNS, id=f"{self.NAME}-table")
        self.filter = Filter()
        self.seen = Seen.LOADING
        self._notice = Notice()
        self._subtitle = ""

    @abstractmethod
    def view(self, picture: Picture, now: float) -> View[Any]:
        """Return the section this panel shows."""

    @abstractmethod
    def rows(self, picture: Picture, now: float) -> Sequence[Row]:
        """Return the rows of the section, as far as it is known."""

    @property
    def body(self) -> KeyedTable:
        """The table that takes the focus and whose selection keys act on."""
        return self.table

    def compose(self) -> ComposeResult:
        """Put the sentence above the table."""
        yield self._notice
        yield self.table

    def show(self, picture: Picture, now: float, look: Look, *, refiltered: bool = False) -> None:
        """Show the picture as of ``now``."""
        view = self.view(picture, now)
        self.seen = view.seen
        rows = self.rows(picture, now) if view.usable else ()
        matching = self.matching(rows)
        self.table.show_header = bool(matching)
        self.table.show_rows(matching, look.colours, refiltered=refiltered)
        self._say(view, now, look, hidden=len(rows) if rows and not matching else 0)
        self._count(len(matching), len(rows))

    def matching(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Return the rows that pass the filter."""
        return [row for row in rows if self.filter.matches(row)] if self.filter.text else rows

    def set_filter(self, text: str) -> None:
        """Show only what ``text`` asks for from the next showing on."""
        self.filter = parse_filter(text)

    def _say(self, view: View[Any], now: float, look: Look, *, hidden: int) -> None:
        if hidden:
            self._notice.say(nothing_matches(self.filter.text, hidden), Seen.EMPTY, look.colours)
            return
        old = age(now - view.at) if view.at is not None else ""
        text = sentence(self.NAME, view.seen, look.keys, age=old, error=plain(view.error))
        self._notice.say(text, view.seen, look.colours)

    def counted(self, known: int) -> str:
        """Return how many rows there are, in words."""
        return plural(known, *self.NOUN) if known else ""

    def _count(self, shown: int, known: int) -> None:
        """Say in the lower edge how many rows there are, and how many pass the filter."""
        subtitle = f"/{self.filter.text} · {shown} of {known} · esc clears" if self.filter.text else self.counted(known)
        if subtitle != self._subtitle:
            self._subtitle = subtitle
            self.border_subtitle = Content(subtitle)
