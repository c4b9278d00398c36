"""Renderables of the overlays: facts in two columns, and the chain of gates. Only plain text goes in."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.console import Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from neo_console.format import NOTHING, in_local_time, plain
from neo_console.vocabulary import Tone, gate_term, outcome_term, term
from neo_core.schedule.decision import Decision, Gate, GateResult, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console, ConsoleOptions, RenderResult

    from neo_console.panels.table import Colours

_ROOM_FOR_GATES = 90


class Fact(NamedTuple):
    """One line of facts; one that may be ``cut`` keeps to one line where it is too long."""

    label: str
    value: str
    tone: Tone = Tone.PLAIN
    cut: bool = False


class Heading(NamedTuple):
    """A title between facts."""

    title: str


def written(text: str, colours: Colours, tone: Tone = Tone.PLAIN, *, strong: bool = False) -> Text:
    """Return text in a tone, never parsed as markup."""
    style = " ".join(word for word in ("bold" if strong else "", colours.get(tone, "")) if word)
    return Text(plain(text), style=style)


def fact_table(facts: Sequence[Fact], colours: Colours, *, label_width: int = 14, label_tone: Tone = Tone.DIM) -> Table:
    """Return facts in two columns, the labels dim."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(width=label_width, no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    for fact in facts:
        value = written(fact.value or NOTHING, colours, fact.tone)
        if fact.cut:
            value.no_wrap, value.overflow = True, "ellipsis"
        table.add_row(written(fact.label, colours, label_tone), value)
    return table


def sections(parts: Sequence[Heading | Fact], colours: Colours, *, label_tone: Tone = Tone.DIM) -> RenderableType:
    """Return facts under their headings."""
    drawn: list[RenderableType] = []
    facts: list[Fact] = []
    for part in parts:
        if isinstance(part, Fact):
            facts.append(part)
            continue
        _flush(facts, drawn, colours, label_tone)
        drawn.append(heading(part.title, colours, first=not drawn))
    _flush(facts, drawn, colours, label_tone)
    return Group(*drawn)


def heading(title: str, colours: Colours, *, first: bool = False) -> RenderableType:
    """Return a title with a thin line after it."""
    rule = Rule(written(title, colours, strong=True), align="left", characters="─", style=colours.get(Tone.DIM, ""))
    return rule if first else Group(Text(), rule)


class Fitted(NamedTuple):
    """One of two drawings of the same, by whether ``least`` cells are there for the wide one."""

    wide: RenderableType
    narrow: RenderableType
    least: int

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.wide if options.max_width >= self.least else self.narrow


def gate_table(decision: Decision, colours: Colours, *, past: bool = False) -> RenderableType:
    """Return every gate in order: verdict, gate, what it saw, against what, and when it clears or would have."""
    clears = _clears(past=past)
    return Fitted(_gate_columns(decision, colours, clears), _gate_blocks(decision, colours, clears), _ROOM_FOR_GATES)


def gist(decision: Decision, colours: Colours, *, past: bool = False) -> RenderableType:
    """Return the decision in one sentence and, where a gate blocks, what clears it: what is to be read first."""
    verdict, gate = verdict_line(decision, colours, past=past), decision.blocking
    if gate is None or not gate.clears_when:
        return verdict
    clears = f"{_clears(past=past)}: {in_local_time(gate.clears_when, decision.at)}"
    return Group(verdict, written(clears, colours, strong=not past))


def _clears(*, past: bool) -> str:
    return "was to clear when" if past else "clears when"


def _gate_columns(decision: Decision, colours: Colours, clears: str) -> Table:
    table = Table(box=None, expand=True, padding=(0, 2, 0, 0), show_edge=False, header_style=colours.get(Tone.DIM, ""))
    table.add_column("verdict", width=8, no_wrap=True)
    table.add_column("gate", width=17, no_wrap=True)
    for label, ratio in (("saw", 4), ("limit", 2), (clears, 4)):
        table.add_column(label, ratio=ratio, overflow="fold")
    for gate in decision.results:
        table.add_row(*_gate_cells(gate, colours, decision.at))
    return table


def _gate_blocks(decision: Decision, colours: Colours, clears: str) -> Table:
    """Return the same with a line for what it saw, and one below it for what is told besides."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(width=8, no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    for gate in decision.results:
        verdict, name, saw, *_ = _gate_cells(gate, colours, decision.at)
        line = Text.assemble(name, ": ", saw)
        line.no_wrap, line.overflow = saw.no_wrap, saw.overflow
        table.add_row(verdict, line)
        besides = (("limit", gate.limit), (clears, gate.clears_when))
        if told := " · ".join(f"{label}: {in_local_time(text, decision.at)}" for label, text in besides if text):
            table.add_row(Text(), written(told, colours, Tone.DIM))
    return table


def gate_lines(decision: Decision, colours: Colours) -> Table:
    """Return every gate in one line each, for a dialog."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(width=8, no_wrap=True)
    table.add_column(width=17, no_wrap=True)
    table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
    for gate in decision.results:
        table.add_row(*_gate_cells(gate, colours, decision.at)[:3])
    return table


def verdict_line(decision: Decision, colours: Colours, *, past: bool = False) -> Text:
    """Return the decision in one sentence: of now as the command line says it, of the past as what came of it."""
    gate, name = decision.blocking, plain(decision.task)
    if gate is None:
        said = "Every gate passed: it was allowed to start." if past else f"{name} may start now: every gate passes."
        return written(f"{term(Verdict.PASS).badge} {said}", colours, Tone.OK, strong=True)
    shown = outcome_term(gate.outcome) if gate.outcome else term(Verdict.BLOCK)
    said = shown.word if past else f"{name} may not start"
    return written(f"{shown.badge} {said}: {gate.sentence}", colours, shown.tone, strong=True)


def _gate_cells(gate: GateResult, colours: Colours, at: float) -> tuple[Text, ...]:
    verdict = term(gate.verdict)
    quiet = Tone.DIM if gate.verdict is Verdict.NOT_APPLICABLE else Tone.PLAIN
    saw = written(in_local_time(gate.value, at) or NOTHING, colours, quiet)
    if gate.gate is Gate.CONFIGURED and gate.verdict is Verdict.PASS:  # a command may be longer than all the rest
        saw.no_wrap, saw.overflow = True, "ellipsis"
    return (
        written(str(verdict), colours, verdict.tone),
        written(gate_term(gate).word, colours, quiet, strong=gate.verdict is Verdict.BLOCK),
        saw,
        written(in_local_time(gate.limit, at) or NOTHING, colours, Tone.DIM),
        written(in_local_time(gate.clears_when, at) or NOTHING, colours, quiet),
    )


def _flush(facts: list[Fact], drawn: list[RenderableType], colours: Colours, label_tone: Tone) -> None:
    if facts:
        drawn.append(fact_table(facts, colours, label_tone=label_tone))
        facts.clear()
