"""Why the whole is as healthy as the strip says: every cause, the worst first, with what mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from neo_console.drawing import Fitted, written
from neo_console.format import NOTHING, ago
from neo_console.screens.page import Page
from neo_console.vocabulary import Tone, term

if TYPE_CHECKING:
    from neo_console.panels.table import Colours
    from neo_core.snapshot import Cause

_ROOMY = 90  # cells


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

    def _causes(self, causes: tuple[Cause, ...]) -> RenderableType:
        colours = self.console.colours
        return Fitted(_columns(causes, colours), _blocks(causes, colours), _ROOMY)


def _columns(causes: tuple[Cause, ...], colours: Colours) -> Table:
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


def _blocks(causes: tuple[Cause, ...], colours: Colours) -> Table:
    """Return the same with the mend on lines of its own below its cause."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(width=1)
    table.add_column(ratio=1, overflow="fold")
    for cause in causes:
        shown = term(cause.status)
        about = Text.assemble(written(f"{cause.subject}: ", colours, strong=True), written(cause.sentence, colours))
        table.add_row(written(shown.badge, colours, shown.tone), about)
        if cause.mend:
            table.add_row(Text(), written(f"→ {cause.mend}", colours))
    return table
