"""Why the whole is as healthy as the strip says: every cause, the worst first, with what mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from neo_console.drawing import written
from neo_console.format import NOTHING, ago
from neo_console.screens.page import Page
from neo_console.vocabulary import Tone, term

if TYPE_CHECKING:
    from neo_core.snapshot import Cause


class HealthPage(Page):
    """The verdict over the latest picture."""

    def __init__(self) -> None:
        super().__init__(opened_by="health")

    def title_text(self) -> str:
        """Say what it is."""
        return "Health · every cause"

    def body(self) -> RenderableType:
        """Show the verdict, its causes and how old they are."""
        console = self.console
        picture, colours = console.picture, console.colours
        if picture.health is None or picture.snapshot is None:
            return written("Nothing was read yet, so nothing is known.", colours, Tone.UNKNOWN)
        shown = term(picture.health.status)
        judged = f"Judged {ago(picture.snapshot.at, console.now())}, from everything this console shows."
        said = "" if picture.health.causes else "Everything could be read, and all is well."
        drawn: list[RenderableType] = [written(f"{shown} {said}".strip(), colours, shown.tone, strong=True), Text()]
        if picture.health.causes:
            drawn += [self._causes(picture.health.causes), Text()]
        return Group(*drawn, written(judged, colours, Tone.DIM))

    def _causes(self, causes: tuple[Cause, ...]) -> Table:
        colours = self.console.colours
        table = Table(box=None, expand=True, padding=(0, 2, 0, 0), show_edge=False, header_style=colours[Tone.DIM])
        table.add_column("", width=1)
        for label, ratio in (("about", 3), ("cause", 5), ("mend", 4)):
            table.add_column(label, ratio=ratio, overflow="fold")
        for cause in causes:
            shown = term(cause.status)
            table.add_row(
                written(shown.badge, colours, shown.tone),
                written(cause.subject, colours, strong=True),
                written(cause.sentence, colours),
                written(cause.mend or NOTHING, colours, Tone.PLAIN if cause.mend else Tone.DIM),
            )
        return table
