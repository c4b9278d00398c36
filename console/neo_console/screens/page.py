"""A page over the main screen: a title, something to read and scroll, and one way back."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingsMap, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from neo_console.panels.footer import LastResult
from neo_console.panels.strip import Banners
from neo_console.rows.banners import pause_banner

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual import events
    from textual.app import ComposeResult
    from textual.geometry import Size

    from neo_console.app import NeoConsole
    from neo_console.results import Result

_SMALL = 24
LEAST = (60, 16)  # columns and lines
_HELP, _SUSPEND = "help", "suspend"
_MOVES = {"down": "scroll_line(1)", "up": "scroll_line(-1)", "top": "scroll_to(0)", "bottom": "scroll_to(1)"}


def too_small(size: Size) -> bool:
    """Return whether the console has not the cells that it needs."""
    return size.width < LEAST[0] or size.height < LEAST[1]


class Overlay(ModalScreen[None], inherit_bindings=False):
    """What every page does: it closes with esc, q or the key that opened it, and scrolls with the console's keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Back"),
        Binding("ctrl+c", "app.say_how_to_quit", show=False),
    ]

    def __init__(self, *, opened_by: str) -> None:
        super().__init__()
        self._opened_by = opened_by
        self.banners = Banners(most=1)
        self.result = LastResult()

    @property
    def console(self) -> NeoConsole:
        """The app, as what it is."""
        return cast("NeoConsole", self.app)

    def on_mount(self) -> None:
        """Bind the keys as the operator has them."""
        keymap = self.console.keymap
        bound = [Binding(key, "close") for key in keymap.keys(self._opened_by) if key not in {"q", "escape"}]
        if self._opened_by != _HELP:
            bound.extend(Binding(key, "help") for key in keymap.keys(_HELP))
        bound.extend(Binding(key, "suspend") for key in keymap.keys(_SUSPEND))
        for action_id, action in _MOVES.items():
            bound.extend(Binding(key, action) for key in keymap.keys(action_id))
        self._bindings = BindingsMap.merge([self._bindings, BindingsMap(bound)])
        self.mount(self.result)
        self.refresh_page()

    def on_resize(self, event: events.Resize) -> None:
        """Use less air where there is little room; where there is none, let the sentence behind it be read."""
        self.set_class(event.size.height < _SMALL, "small")
        self.set_class(too_small(event.size), "tiny")

    def on_screen_resume(self) -> None:
        """Catch up with what was missed while another page lay over this one."""
        self.refresh_page()

    def action_close(self) -> None:
        """Go back, once: a second key may have come before the page had gone."""
        if self.is_active:
            self.dismiss(None)

    def action_help(self) -> None:
        """Show all keys over this page."""
        self.console.perform(_HELP)

    def action_suspend(self) -> None:
        """Go back to the shell for a while."""
        self.console.perform(_SUSPEND)

    def show_result(self, result: Result) -> None:
        """Let the result of an action stand below the page for a while."""
        self.result.show(result, self.console.colours)

    def refresh_page(self) -> None:
        """Draw again what may have changed; called every second while the page is in front."""
        console = self.console
        self.result.expire(console.now())
        lines = pause_banner(console.picture, console.now(), console.flags(), console.keymap.key)
        self.banners.show(lines, console.colours)


class Page(Overlay):
    """A page of facts. Subclasses give its title and body, again every second."""

    def __init__(self, *, opened_by: str) -> None:
        super().__init__(opened_by=opened_by)
        self._scroll = VerticalScroll(id="page-scroll")
        self._body = Static(markup=False, id="page-body")
        self._frame = Vertical(id="page")

    @abstractmethod
    def title_text(self) -> str:
        """Return the title."""

    @abstractmethod
    def body(self) -> RenderableType:
        """Return what is to be read."""

    def subtitle_text(self) -> str:
        """Return what stands in the lower edge."""
        return "esc back"

    def compose(self) -> ComposeResult:
        """Put the body into a frame."""
        with self._frame:
            yield self.banners
            with self._scroll:
                yield self._body

    def refresh_page(self) -> None:
        """Draw the page as things are now."""
        super().refresh_page()
        self._frame.border_title = Content(self.title_text())
        self._frame.border_subtitle = Content(self.subtitle_text())
        self._body.update(self.body())

    def action_scroll_line(self, step: int) -> None:
        """Scroll by a line."""
        self._scroll.scroll_relative(y=step, animate=False)

    def action_scroll_to(self, end: int) -> None:
        """Scroll to the beginning or the end."""
        if end:
            self._scroll.scroll_end(animate=False)
        else:
            self._scroll.scroll_home(animate=False)
