"""Choose one of a few things; the first is chosen already."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingsMap, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from neo_console.dialogs.base import CANCELLED
from neo_console.format import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult

    from neo_console.app import NeoConsole

_LONGEST = 60
_MOVES = {"down": "cursor_down", "up": "cursor_up", "top": "first", "bottom": "last"}


class Menu(ModalScreen[int], inherit_bindings=False):
    """Answers with the place of what was chosen, or with nothing; the key that opened it chooses too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "cancel", "Cancel"),
        Binding("ctrl+c", "app.say_how_to_quit", show=False),
        *(Binding(str(number), f"choose({number - 1})", show=False) for number in range(1, 10)),
    ]
    AUTO_FOCUS = "OptionList"

    def __init__(self, title: str, entries: Sequence[tuple[str, str]], *, opened_by: str) -> None:
        super().__init__()
        self._opened_by = opened_by
        self._frame = Vertical(id="dialog")
        self._frame.border_title = Content(title)
        widest = max(len(label) for label, _ in entries)
        self.options = OptionList(
            *(Option(_line(number, label, text, widest)) for number, (label, text) in enumerate(entries, 1)),
            markup=False,
        )

    def compose(self) -> ComposeResult:
        """Put the entries into a frame."""
        with self._frame:
            yield self.options

    def on_mount(self) -> None:
        """Bind the keys as the operator has them."""
        keymap = cast("NeoConsole", self.app).keymap
        opened_by = keymap.key(self._opened_by)
        self._frame.border_subtitle = Content(f"enter or {opened_by} copies · 1-9 too · esc cancel")
        bound = [Binding(key, "choose_highlighted") for key in keymap.keys(self._opened_by)]
        for action_id, move in _MOVES.items():
            bound.extend(Binding(key, f"move('{move}')") for key in keymap.keys(action_id))
        self._bindings = BindingsMap.merge([self._bindings, BindingsMap(bound)])
        self.options.highlighted = 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer."""
        event.stop()
        self.dismiss(event.option_index)

    def action_choose(self, index: int) -> None:
        """Answer with an entry by its number."""
        if index < self.options.option_count:
            self.dismiss(index)

    def action_choose_highlighted(self) -> None:
        """Answer with the entry that is marked."""
        self.action_choose(self.options.highlighted or 0)

    def action_move(self, move: str) -> None:
        """Mark another entry."""
        getattr(self.options, f"action_{move}")()

    def action_cancel(self) -> None:
        """Answer with nothing, and say so."""
        if self.is_active:
            cast("NeoConsole", self.app).say(CANCELLED)
            self.dismiss(None)


def _line(number: int, label: str, text: str, widest: int) -> Content:
    shown = plain(text)
    shown = shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
    return Content.assemble(f"{number} ", (f"{label:<{widest}}", "bold"), f"  {shown}")
