"""Everything known of one moment of the recorded memory, or of the present."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from neo_console.drawing import Fact, Heading, sections, written
from neo_console.format import age, exactly, plain, plural, size
from neo_console.rows.strip import lease_now
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
        then = self._then
        return sections([*_facts(then, self.console.now()), *_left_out(then)], self.console.colours)


class PresentPage(Page):
    """What has the memory now, tree by tree, from one look at the machine; who holds the lease goes on."""

    def __init__(self) -> None:
        super().__init__(opened_by="detail")
        self._then: Then | None = None
        self._why = ""

    def take(self, result: object, why: str) -> None:
        """Take what the look found, or why there is none."""
        self._then, self._why = (None, why) if why else (cast("Then", result), "")
        if self.is_attached:
            self.refresh_page()

    def title_text(self) -> str:
        """Say of when the look is."""
        now = self.console.now()
        if self._then is None:
            return "Memory NOW"
        return f"Memory NOW · looked at {exactly(self._then.at, now)}, {age(now - self._then.at)} ago"

    def body(self) -> RenderableType:
        """Show it, or that it is still to come."""
        console = self.console
        if self._why:
            return written(f"What has the memory cannot be told. {self._why}", console.colours, Tone.FAIL)
        if self._then is None:
            return written("Looking at every process of this machine.", console.colours, Tone.DIM)
        now = console.now()
        return sections(_facts(self._then, now, lease_now(console.picture, now)), console.colours)


def _facts(then: Then, now: float, lease: str = "") -> list[Heading | Fact]:
    """Return the readings, the company and the trees; of the present ``lease`` says what its record does."""
    told = [*(amounts(then.sample.reading) if then.sample else ()), *company(then, now, lease)]
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
    return facts


def _left_out(then: Then) -> list[Fact]:
    return [Fact("", text) for text in left_out(then)]
