"""The screen that is drawn first: it waits a moment for something to show; an empty one costs as much and flickers."""

from __future__ import annotations

from abc import abstractmethod

from textual import events, on
from textual.screen import Screen

PATIENCE = 0.3  # seconds


class FirstDrawing(Screen[None], inherit_bindings=False):
    """Draws nothing until it is ``complete``, or told that it is ``late``."""

    def __init__(self) -> None:
        super().__init__()
        self._drawn = False

    @abstractmethod
    def complete(self) -> bool:
        """Return whether what is to be seen first is there."""

    async def on_event(self, event: events.Event) -> None:
        """Leave out a size that is outdated: of two that are under way each layout would ask for the other."""
        if not isinstance(event, events.Resize) or event.size == self.app.size:
            await super().on_event(event)

    @on(events.ScreenResume)
    def _style_once(self, event: events.ScreenResume) -> None:
        """Style nothing again that has just been styled for the first time."""
        event.refresh_styles = event.refresh_styles and self._drawn

    def on_idle(self) -> None:
        """Draw as soon as that makes sense instead of with the next frame."""
        if not self._drawn and self.complete():
            self._on_timer_update()

    def late(self) -> None:
        """Draw what there is."""
        if not self._drawn:
            self._drawn = True
            self.refresh()

    def _compositor_refresh(self) -> None:
        self._drawn = self._drawn or self.complete()
        if self._drawn:
            super()._compositor_refresh()
