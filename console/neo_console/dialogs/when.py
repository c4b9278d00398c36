"""Ask for a moment of the past, as the command line takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Label, Static

from neo_console.dialogs.base import Dialog
from neo_console.field import Field
from neo_console.format import age, exactly
from neo_console.times import EXAMPLES, parse_moment

if TYPE_CHECKING:
    from textual.widget import Widget


class MomentForm(Dialog[float]):
    """One field; answers with seconds since the epoch, never ahead of now."""

    AUTO_FOCUS = "#moment"

    def __init__(self) -> None:
        super().__init__("What had the memory at …", "Show it")
        self._moment = Field(
            changed=self._follow, entered=self.action_confirm, id="moment", placeholder="14:03", max_length=40
        )
        self._meant = Static(markup=False, id="meant")

    def parts(self) -> list[Widget]:
        """Return the field, and what stands below it."""
        return [Label("A time, or how long ago", markup=False), self._moment, self._meant]

    def refresh_page(self) -> None:
        """Say which moment is meant by what was typed so far."""
        super().refresh_page()
        now, meant = self.console.now(), self._meant_moment()
        said = f"like {EXAMPLES}" if isinstance(meant, str) else f"{exactly(meant, now)}, {age(now - meant)} ago"
        self._meant.update(Content(said))

    def action_confirm(self) -> None:
        """Answer with the moment, or say why what was typed is none."""
        if self.unseen:
            return
        meant = self._meant_moment()
        if isinstance(meant, str):
            self.complain(meant)
            self.set_focus(self._moment)
        else:
            self.dismiss(meant)

    def _follow(self, _text: str) -> None:
        self.stop_complaining()
        self.refresh_page()

    def _meant_moment(self) -> float | str:
        """Return the moment, or why there is none."""
        now, typed = self.console.now(), self._moment.value.strip()
        if not typed:
            return f"Which time? Write it like {EXAMPLES}."
        try:
            at = parse_moment(typed, now)
        except ValueError:
            return f"That is no time. Write it like {EXAMPLES}."
        return at if at <= now else f"{exactly(at, now)} is still to come. Write a time that is past."
