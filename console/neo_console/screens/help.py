"""All keys, generated from the registry, and what this console itself uses and did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.actions import ACTIONS, GROUPS
from neo_console.drawing import Fact, Heading, sections
from neo_console.filters import GRAMMAR
from neo_console.format import age, clock_time, percent, plural
from neo_console.rows.processes import CONSOLE, tree_memory
from neo_console.screens.page import Page
from neo_console.vocabulary import Tone

if TYPE_CHECKING:
    from rich.console import RenderableType


class Help(Page):
    """The help page."""

    def __init__(self) -> None:
        super().__init__(opened_by="help")

    def title_text(self) -> str:
        """Say what it is."""
        return "Help · every key"

    def body(self) -> RenderableType:
        """List the keys by group, then the console's own footprint and results."""
        return sections(
            [*self._keys(), *self._footprint(), *self._results()], self.console.colours, label_tone=Tone.PLAIN
        )

    def subtitle_text(self) -> str:
        """Show the console's own use without scrolling."""
        facts = {part.label: part.value for part in self._footprint() if isinstance(part, Fact)}
        told = [f"{name} {facts[name]}" for name in ("memory", "CPU") if name in facts]
        count = len(self.console.journal.results())
        if count:
            told.append(f"{plural(count, 'result')} at the end: {self.console.keymap.key('bottom')}")
        return " · ".join((*told, "esc back"))

    def _keys(self) -> list[Heading | Fact]:
        keymap = self.console.keymap
        parts: list[Heading | Fact] = []
        for group in GROUPS:
            parts.append(Heading(group))
            for action in (action for action in ACTIONS if action.group == group):
                shut = action.needs_write and self.console.read_only
                tone = Tone.DIM if shut else Tone.PLAIN
                tooltip = f"{action.tooltip} (read-only)" if shut else action.tooltip
                parts.append(Fact("  ".join(keymap.keys(action.id)), tooltip, tone))
        parts.append(Fact("esc", "clear the filter, end the zoom, take the last line away; close a page or a dialog"))
        parts.append(Fact("arrows, pages", "move as everywhere"))
        return [*parts, Heading("Filter"), *(Fact(*line) for line in GRAMMAR)]

    def _footprint(self) -> list[Heading | Fact]:
        console = self.console
        mine = next((tree for tree in console.picture.trees() if tree.kind == CONSOLE), None)
        parts: list[Heading | Fact] = [Heading("This console"), Fact("workspace", console.workspace_name)]
        if mine is None:
            parts.append(Fact("memory", "not known yet", Tone.UNKNOWN))
        else:
            cpu = [process.cpu for process in mine.processes if process.cpu is not None]
            parts.append(Fact("memory", tree_memory(mine)))
            parts.append(
                Fact("CPU", percent(sum(cpu)) if cpu else "not known yet", Tone.PLAIN if cpu else Tone.UNKNOWN)
            )
        if console.picture.snapshot is not None:
            parts.append(Fact("picture", f"{age(console.now() - console.picture.snapshot.at)} old"))
        if console.read_only:
            parts.append(Fact("read-only", console.read_only, Tone.WAIT))
        return parts

    def _results(self) -> list[Heading | Fact]:
        results = self.console.journal.results()
        parts: list[Heading | Fact] = [Heading("Results of this session")]
        parts.extend(Fact(clock_time(one.at), f"{one.badge} {one.text}", one.tone) for one in results)
        return parts if results else []
