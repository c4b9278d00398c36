"""The last lines: at most eight keys, greyed where the action is blocked, and the result of the last action."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, set_cell_size
from textual.content import Content
from textual.message import Message
from textual.widgets import Static

from neo_console.actions import ACTIONS
from neo_console.context import WAY_OUT
from neo_console.format import clock_time, plain
from neo_console.vocabulary import Tone

if TYPE_CHECKING:
    from textual import events

    from neo_console.context import Context
    from neo_console.keymap import Keymap
    from neo_console.panels.table import Colours
    from neo_console.results import Result

_GAP = 3
MOST_KEYS = 8
MOST_LINES = 4
_LEAST_REASON = 10  # cells
_RAGGED = 8  # cells that a line may lose where it breaks


class Hint(NamedTuple):
    """One key of the footer."""

    action_id: str
    key: str
    label: str
    blocked: bool

    @property
    def width(self) -> int:
        """Cells it takes, without the gap after it."""
        return len(self.key) + 1 + len(self.label)


def hints(context: Context, keymap: Keymap, width: int) -> list[Hint]:
    """Return the keys that fit into ``width``, at most eight; help and quit are the last to go.

    Where nothing may be changed, what changes something is not among them.
    """
    offered = [action for action in ACTIONS if action.footer and not (action.needs_write and context.read_only)]
    ranked = sorted(offered, key=lambda action: action.footer)[:MOST_KEYS]
    shown = [
        Hint(action.id, keymap.key(action.id), action.label_in(context), action.blocked(context) is not None)
        for action in ranked
    ]
    while len(shown) > 1 and sum(hint.width + _GAP for hint in shown) - _GAP > width:
        shown.pop(-3 if len(shown) > 2 else 0)
    return shown


class KeyHints(Static):
    """The footer. A click does what the key does."""

    class Pressed(Message):
        """A hint was clicked."""

        def __init__(self, action_id: str) -> None:
            super().__init__()
            self.action_id = action_id

    def __init__(self) -> None:
        super().__init__(markup=False, id="keys")
        self._hints: list[Hint] = []

    def show(self, context: Context, keymap: Keymap, colours: Colours) -> None:
        """Draw the keys for what is selected, if they changed."""
        shown = hints(context, keymap, self.content_size.width)
        if shown == self._hints:
            return
        self._hints = shown
        gap = Content(" " * _GAP)
        self.update(gap.join(_hint(hint, colours) for hint in shown), layout=False)

    def on_click(self, event: events.Click) -> None:
        """Find the hint under the pointer."""
        offset = event.get_content_offset(self)
        left = 0
        for hint in self._hints:
            if offset is not None and left <= offset.x < left + hint.width:
                self.post_message(self.Pressed(hint.action_id))
            left += hint.width + _GAP


def fitted(text: str, room: int) -> str:
    """Return what fits into ``room`` cells: the way out at its end, after a dash or in its last sentence, stays whole.

    Where even that has no room the text is cut at its end.
    """
    if cell_len(text) <= room:
        return text
    mark = WAY_OUT if WAY_OUT in text else ". "
    reason, _, way_out = text.rpartition(mark)
    left = room - cell_len(f"…{WAY_OUT}{way_out}")
    if not reason or left < _LEAST_REASON:
        return f"{set_cell_size(text, room - 1).rstrip()}…"
    return f"{set_cell_size(reason, left).rstrip()}…{WAY_OUT}{way_out}"


class LastResult(Static):
    """What the last action did, for a while; help keeps every result of the session."""

    def __init__(self) -> None:
        super().__init__(markup=False, id="result")
        self.display = False
        self._result: Result | None = None
        self._colours: Colours = {}

    def expire(self, now: float) -> None:
        """Go away when the result has stood long enough, or a refusal no longer holds."""
        if self.display and (self._result is None or self._result.past(now)):
            self.display = False

    def show(self, result: Result, colours: Colours) -> None:
        """Show one result."""
        self._result, self._colours = result, colours
        self.display = True
        self._draw()

    def on_resize(self) -> None:
        """Fit it to the width."""
        self._draw()

    def _draw(self) -> None:
        """Write it into as many lines as it may have; what to do about it is the last to be cut."""
        result, colours = self._result, self._colours
        if result is None:
            return
        time = clock_time(result.at)
        room = MOST_LINES * (self.app.size.width - 2 - _RAGGED) - cell_len(f"{time}  {result.badge} ")
        said = fitted(plain(result.text), max(1, room))
        head = (time, colours[Tone.DIM]), "  ", (result.badge, f"bold {colours[result.tone]}"), " "
        content = Content.assemble(*head, said)
        if content != self.content:
            self.update(content)


def _hint(hint: Hint, colours: Colours) -> Content:
    dim = colours[Tone.DIM]
    if hint.blocked:
        return Content.assemble((f"{hint.key} {hint.label}", dim))
    return Content.assemble((hint.key, "bold"), " ", (hint.label, ""))
