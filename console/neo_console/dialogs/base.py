"""What dialogs have in common: a frame, a row of buttons, esc cancels, arrows go between the buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from neo_console.panels.strip import Banners
from neo_console.rows.banners import pause_banner
from neo_console.screens.page import too_small

if TYPE_CHECKING:
    from textual import events
    from textual.app import ComposeResult
    from textual.widget import Widget

    from neo_console.app import NeoConsole
    from neo_console.results import Result

Answer = TypeVar("Answer")
_AROUND, _AROUND_SMALL, _COMPLAINT = 9, 5, 2
_SMALL = 24
CANCELLED = "cancelled, nothing was done"
HINT = "tab next · enter choose · esc cancel"


class Dialog(ModalScreen[Answer], inherit_bindings=False):
    """A question with a Cancel button that has the focus."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel"),
        Binding("tab,right", "app.focus_next", show=False),
        Binding("shift+tab,left", "app.focus_previous", show=False),
        Binding("up", "scroll(-1)", show=False),
        Binding("down", "scroll(1)", show=False),
        Binding("ctrl+c", "say_how_to_quit", show=False),
    ]
    AUTO_FOCUS = "#cancel"

    def __init__(self, title: str, confirm: str) -> None:
        super().__init__()
        self._frame = Vertical(id="dialog")
        self._frame.border_title = Content(title)
        self._frame.border_subtitle = Content(HINT)
        self.banners = Banners(most=1)
        self.confirm = Button(Content(confirm), id="confirm")
        self.cancel = Button(Content("Cancel"), id="cancel")
        self.complaint = Static(markup=False, id="complaint")
        self.complaint.display = False
        self._parts = VerticalScroll(id="parts", can_focus=False)
        self._latest: tuple[Result, ...] = ()

    @property
    def console(self) -> NeoConsole:
        """The app, as what it is."""
        return cast("NeoConsole", self.app)

    def on_mount(self) -> None:
        """Remember which result is the latest."""
        self._latest = self.console.journal.results()[:1]

    def parts(self) -> list[Widget]:
        """Return what stands above the buttons."""
        return []

    def dismiss(self, result: Answer | None = None) -> AwaitComplete:
        """Answer once: what was pressed again before the dialog had gone is no second answer."""
        return super().dismiss(result) if self.is_active else AwaitComplete()

    def compose(self) -> ComposeResult:
        """Stack the parts, the complaint and the buttons."""
        with self._frame:
            yield self.banners
            with self._parts:
                yield from self.parts()
            yield self.complaint
            with Horizontal(id="buttons"):
                yield self.cancel
                yield self.confirm

    @property
    def unseen(self) -> bool:
        """Whether the terminal is too small for it; nothing is confirmed then."""
        return self.has_class("tiny")

    def on_resize(self, event: events.Resize) -> None:
        """Use less air where there is little room; where there is none, let the sentence behind it be read."""
        self.set_class(event.size.height < _SMALL, "small")
        self.set_class(too_small(event.size), "tiny")
        self._fit()

    def complain(self, text: str) -> None:
        """Say what is wrong, in the dialog itself."""
        self.complaint.update(Content(f"✗ {text}"))
        self.complaint.display = True
        self._fit()

    def stop_complaining(self) -> None:
        """Take back what was wrong."""
        self.complaint.display = False
        self._fit()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Cancel, or try to confirm."""
        event.stop()
        if event.button is self.cancel:
            self.action_cancel()
        elif not self.unseen:
            self.action_confirm()

    def action_scroll(self, step: int) -> None:
        """Scroll what stands above the buttons."""
        self._parts.scroll_relative(y=step, animate=False)

    def action_say_how_to_quit(self) -> None:
        """Answer ctrl+c in the dialog itself."""
        self.complain(f"esc cancels this; {self.console.keymap.key('quit')} then quits the console.")

    def action_cancel(self) -> None:
        """Answer with nothing, and say so, unless a result that came meanwhile stands there to be read."""
        if self.is_active and self.console.journal.results()[:1] == self._latest:
            self.console.say(CANCELLED)
        self.dismiss(None)

    def action_confirm(self) -> None:
        """Answer, if the answer holds."""

    def _fit(self) -> None:
        """Keep the buttons in sight; what stands above them scrolls."""
        around = _AROUND_SMALL if self.has_class("small") else _AROUND
        if self.has_class("small"):
            around += _COMPLAINT * self.complaint.display + self.banners.display
        self._parts.styles.max_height = max(3, self.size.height - around)
        self.call_after_refresh(self._hint)

    def _hint(self) -> None:
        """Say which keys there are, also that there is more to read than fits."""
        more = self._parts.virtual_size.height > self._parts.size.height > 0
        self._frame.border_subtitle = Content(f"↑ ↓ more · {HINT}" if more else HINT)

    def on_screen_resume(self) -> None:
        """Show what holds everything, if anything does."""
        self.refresh_page()

    def refresh_page(self) -> None:
        """Draw again what ages; called every second."""
        console = self.console
        lines = pause_banner(console.picture, console.now(), console.flags(), console.keymap.key)
        self.banners.show(lines, console.colours)
        self._fit()
