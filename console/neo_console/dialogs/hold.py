"""Ask for how long something is held back, and why: one task, or everything."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content
from textual.widgets import Label, Static

from neo_console.dialogs.base import Dialog
from neo_console.field import Field
from neo_console.format import countdown, plain
from neo_core.durations import parse_duration

if TYPE_CHECKING:
    from textual.widget import Widget


class Hold(NamedTuple):
    """For how long, ``None`` until somebody ends it, and why."""

    seconds: float | None
    because: str


class HoldForm(Dialog[Hold]):
    """Two fields; enter goes on, and from the last one answers. Subclasses say what is held."""

    AUTO_FOCUS = "#duration"
    EXAMPLE = "for example: giving a talk"
    DEFAULT = "1h"
    MISSING = "Why? A few words, for whoever looks."

    def __init__(self, title: str, confirm: str) -> None:
        super().__init__(title, confirm)
        self._duration = Field(
            self.DEFAULT,
            changed=self._follow,
            entered=self._go_on,
            id="duration",
            placeholder=self.duration_hint(),
        )
        self._because = Field(
            changed=self._follow, entered=self.action_confirm, id="because", placeholder=self.EXAMPLE, max_length=200
        )
        self._until = Static(markup=False, id="until")

    def duration_hint(self) -> str:
        """Return how a duration is written."""
        return "30m, 2h or 1d"

    def effect(self) -> str:
        """Return what happens until then."""
        return ""

    def parts(self) -> list[Widget]:
        """Return the two fields with their labels."""
        return [
            Label("For how long", markup=False),
            self._duration,
            self._until,
            Label("Why", markup=False),
            self._because,
        ]

    def on_mount(self) -> None:
        """Say until when."""
        self.refresh_page()

    def refresh_page(self) -> None:
        """Show what the duration means on the clock."""
        super().refresh_page()
        seconds, now = self.seconds(), self.console.now()
        if seconds is None:
            said = f"until somebody ends it: {self.effect()}"
        elif seconds:
            said = f"{countdown(now + seconds, now)}: {self.effect()}"
        else:
            said = f"not a duration yet: {self.duration_hint()}"
        self._until.update(Content(said))

    def _follow(self, _text: str) -> None:
        self.stop_complaining()
        self.refresh_page()

    def _go_on(self) -> None:
        self.set_focus(self._because)

    def seconds(self) -> float | None:
        """Return the duration as typed, 0 when it is none."""
        try:
            return parse_duration(self._duration.value)
        except ValueError:
            return 0.0

    def action_confirm(self) -> None:
        """Answer when both fields make sense; else say which does not, and why."""
        if self.unseen:
            return
        because, seconds = self._because.value.strip(), self.seconds()
        if seconds == 0:
            self.complain(f"For how long? Write it like {self.duration_hint()}.")
            self.set_focus(self._duration)
        elif not because:
            self.complain(self.MISSING)
            self.set_focus(self._because)
        else:
            self.dismiss(Hold(seconds, because))


class DeferForm(HoldForm):
    """Holds one task back."""

    def __init__(self, task: str) -> None:
        super().__init__(f"Defer {plain(task)}", "Defer")

    def effect(self) -> str:
        """Say what a deferral does."""
        return f"nothing starts it before then; {self.console.keymap.key('defer')} again resumes it"


class DeferHeavyForm(HoldForm):
    """Holds back everything heavy; ``effect`` names what that is."""

    EXAMPLE = "for example: it swaps"

    def __init__(self, effect: str) -> None:
        super().__init__("Defer everything heavy", "Defer")
        self._effect = effect

    def effect(self) -> str:
        """Say what is held back, and that this frees nothing by itself."""
        return f"{self._effect}; frees nothing by itself"


class PauseForm(HoldForm):
    """Holds everything back, by default until somebody ends it."""

    EXAMPLE = "for example: measuring the machine"
    DEFAULT = ""

    def __init__(self) -> None:
        super().__init__("Pause every task", "Pause")

    def duration_hint(self) -> str:
        """A pause may be open."""
        return "30m, 2h or 1d; empty for no end"

    def effect(self) -> str:
        """Say what a pause does."""
        return "no task starts; what runs goes on, and so do services and neo-lease run"

    def seconds(self) -> float | None:
        """Return the duration as typed; nothing typed means no end."""
        return super().seconds() if self._duration.value.strip() else None
