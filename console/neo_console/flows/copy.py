"""Copy what names or explains the selection, through the terminal's clipboard; a menu where it is several things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.copying import LEASE, Copyable, copyables
from neo_console.dialogs.menu import Menu
from neo_console.format import plain
from neo_console.vocabulary import Tone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neo_console.app import NeoConsole

_LONGEST = 60


def copy(app: NeoConsole) -> None:
    """Ask which of the things known now is to be copied; what is not there any more cannot be chosen."""
    context = app.context()
    found = copyables(context, app.now())
    if context.subject is not None:
        offer(app, context.subject.label, found)


def offer(app: NeoConsole, label: str, found: Sequence[Copyable]) -> None:
    """Ask which of these is to be copied; one alone is copied at once."""
    if len(found) == 1:
        _copy(app, found[0])
    elif found:
        menu = Menu(f"Copy of {plain(label)}", found, opened_by="copy")
        app.push_screen(menu, lambda index: None if index is None else _copy(app, found[index]))


def _copy(app: NeoConsole, one: Copyable) -> None:
    app.copy_to_clipboard(one.text)
    shown = plain(one.text) if len(one.text) <= _LONGEST else f"{len(one.text)} characters"
    app.report(f"copied the {one.label}" if one.label == LEASE else f"copied the {one.label}: {shown}", Tone.PLAIN)
