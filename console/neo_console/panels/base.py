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


class Shown(NamedTuple):
    """What a panel showed last: the section, as of when, and how it was drawn."""

    view: View[Any]
    now: float
    look: Look


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
        self.aside = ""
        self._rows: Sequence[Row] = ()
        self._shown: Shown | None = None
        self._edges = (self.TITLE, "")

    def statuses(self) -> set[str]:
        """Return the names that a status can have here."""
        return {name for row in self._rows for name in row.status}

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
        self._rows = self.rows(picture, now) if view.usable else ()
        self._shown = Shown(view, now, look)
        self.show_again(refiltered=refiltered)

    def show_again(self, *, refiltered: bool = False) -> None:
        """Show what was shown last with filter and order as they are now; nothing newer, for it may be frozen."""
        if self._shown is None:
            return
        view, now, look = self._shown
        rows, matching = self._rows, self.matching(self._rows)
        closing = self.closing(len(matching), now)
        self.table.show_header = bool(matching) or closing is not None
        shown = matching if closing is None else [*matching, closing]
        self.table.show_rows(shown, look.colours, refiltered=refiltered)
        self._say(view, now, look, hidden=len(rows) if rows and not matching and closing is None else 0)
        self._count(len(matching), len(rows))

    def closing(self, matching: int, now: float) -> Row | None:
        """Return the row that closes the table when so many match, if one does."""

    def matching(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Return the rows that pass the filter."""
        return [row for row in rows if self.filter.matches(row)] if self.filter.terms else rows

    def set_filter(self, text: str) -> None:
        """Show only what ``text`` asks for from the next showing on; a mistake in it is in the filter."""
        self.filter = parse_filter(text, self.statuses())

    def _say(self, view: View[Any], now: float, look: Look, *, hidden: int) -> None:
        if hidden:
            said = nothing_matches(plain(self.filter.text), plural(hidden, *self.NOUN))
            self._notice.say(said, Seen.EMPTY, look.colours)
            return
        old = age(now - view.at) if view.at is not None else ""
        text = sentence(self.NAME, view.seen, look.keys, age=old, error=plain(view.error))
        self._notice.say(text, view.seen, look.colours)

    def counted(self, known: int) -> str:
        """Return how many rows there are, in words."""
        return plural(known, *self.NOUN) if known else ""

    def tally(self, shown: int, known: int) -> tuple[int, int]:
        """Return how many rows pass the filter, and of how many, in all tables of the panel."""
        return shown, known

    def _count(self, shown: int, known: int) -> None:
        """Say above how many rows pass the filter and which it is, below how many there are and what clears it."""
        passing, among = self.tally(shown, known)
        filtered = f"{passing} of {among} · /{plain(self.filter.text)}" if self.filter.text else ""
        order = f"by {self.table.hidden_order}" if self.table.hidden_order else ""
        title = " · ".join(part for part in (self.TITLE, filtered, order, self.aside) if part)
        wrong = "✗ a part is wrong and left out · " if self.filter.mistake else ""
        subtitle = f"{wrong}esc clears the filter" if self.filter.text else self.counted(known)
        if (title, subtitle) != self._edges:
            self._edges = (title, subtitle)
            self.border_title, self.border_subtitle = Content(title), Content(subtitle)
