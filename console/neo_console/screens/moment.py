"""Everything known of one moment of the recorded memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.drawing import Fact, Heading, sections
from neo_console.format import age, exactly, plain, plural, size
from neo_console.screens.page import Page
from neo_console.thens import amounts, company, left_out, looked_at
from neo_console.vocabulary import Tone

if TYPE_CHECKING:
    from rich.console import RenderableType

    from neo_core.recorder.past import Then


class MomentPage(Page):
    """The readings, who held the lease, what ran, and every tree that was recorded. Nothing here can be acted on."""

    def __init__(self, then: Then) -> None:
        super().__init__(opened_by="detail")
        self._then = then

    def title_text(self) -> str:
        """Name the moment, as one that is past."""
        now = self.console.now()
        return f"Memory THEN · {exactly(self._then.at, now)}, {age(now - self._then.at)} ago"

    def body(self) -> RenderableType:
        """Show it."""
        then, now = self._then, self.console.now()
        told = [*(amounts(then.sample.reading) if then.sample else ()), *company(then, now)]
        facts: list[Heading | Fact] = [Heading(f"The memory at {exactly(then.at, now)}")]
        facts += [Fact("" if place else one.label, line) for one in told for place, line in enumerate(one.lines)]
        looked, apart = looked_at(then, now)
        facts.append(Heading(looked))
        facts += [Fact("", apart, Tone.DIM)] if apart else []
        for tree in then.trees:
            of = f"{tree.kind} {tree.run_id}".strip()
            count = plural(tree.processes, "process", "processes")
            facts.append(
                Fact(plain(tree.owner), f"{size(tree.cost)} · {of} · pid {tree.pid} · {count} · RSS {size(tree.rss)}")
            )
        facts += [Fact("", text) for text in left_out(then)]
        return sections(facts, self.console.colours)
