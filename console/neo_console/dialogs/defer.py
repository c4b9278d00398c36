"""Ask for how long a task is deferred, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual.content import Content
from textual.widgets import Input, Label, Static

from neo_console.dialogs.base import Dialog
from neo_console.format import countdown, plain
from neo_core.durations import parse_duration

if TYPE_CHECKING:
    from textual.widget import Widget

_DEFAULT = "1h"


class Snooze(NamedTuple):
    """For how long, and why."""

    seconds: float
    because: str


class DeferForm(Dialog[Snooze]):
    """Two fields; enter goes on, and from the last one defers."""

    AUTO_FOCUS = "#duration"

    def __init__(self, task: str) -> None:
        super().__init__(f"Defer {plain(task)}", "Defer")
        self._duration = Input(_DEFAULT, id="duration", placeholder="30m, 2h, 1d")
        self._because = Input(id="because", placeholder="a few words that the schedule will show", max_length=200)
        self._until = Static(markup=False, id="until")

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
        seconds = _seconds(self._duration.value)
        now = self.console.now()
        text = "nothing starts it before then; d again resumes it"
        self._until.update(Content(f"{countdown(now + seconds, now)}: {text}" if seconds else "not a duration yet"))

    def on_input_changed(self) -> None:
        """Follow the typing."""
        self.complaint.display = False
        self.refresh_page()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to the next field, or finish."""
        if event.input is self._duration:
            self._because.focus()
        else:
            self.action_confirm()

    def action_confirm(self) -> None:
        """Answer when both fields make sense; else say which does not, and why."""
        because = self._because.value.strip()
        seconds = _seconds(self._duration.value)
        if not seconds:
            self.complain("For how long? Write it like 30m, 2h or 1d.")
            self._duration.focus()
        elif not because:
            self.complain("Why? A few words, so that others understand the schedule.")
            self._because.focus()
        else:
            self.dismiss(Snooze(seconds, because))


def _seconds(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError:
        return 0.0
