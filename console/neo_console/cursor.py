"""The time cursor of the memory panel: where in the record it stands, and how that moment is drawn. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from neo_console.course import Line, amounts_of, cursor_line, fitted, plotted
from neo_console.drawing import written
from neo_console.format import age, exactly, plain, size
from neo_console.panels.fitting import sized
from neo_console.thens import tree_name
from neo_console.vocabulary import Tone, term
from neo_core.recorder.course import Course

if TYPE_CHECKING:
    from neo_console.panels.table import Colours
    from neo_core.memory.attribution import TreeCost
    from neo_core.recorder.past import Past, Then

LONG = 1800.0  # seconds of the record that are read at once, as many as the live panel shows
MARGIN = 300.0  # seconds of them that lie on the other side of where the cursor comes from
FAR = 12  # samples, a minute at the usual interval
_LEAST_PLOT = 4
_WIDEST = 40
_NUMBERS = 18  # cells of a tree's kind, memory and processes


class Cursor(NamedTuple):
    """One sample of a part of the record, which has at least this one."""

    past: Past
    place: int

    @property
    def at(self) -> float:
        """The moment, in seconds since the epoch."""
        return self.past.samples[self.place].reading.at

    @property
    def then(self) -> Then:
        """What is known of the moment."""
        return self.past.moment(self.place)

    @property
    def course(self) -> Course:
        """That part of the record, to be plotted."""
        past = self.past
        return Course(begin=past.begin, end=past.end, samples=past.samples, incidents=past.incidents)

    @property
    def gaps(self) -> tuple[float | None, float | None]:
        """How many seconds before and after it nothing was recorded, where that is more than between two samples."""
        samples, past = self.past.samples, self.past
        before = samples[self.place - 1].reading.at if self.place else past.before
        after = samples[self.place + 1].reading.at if self.place + 1 < len(samples) else past.after
        gone = (None if before is None else self.at - before, None if after is None else after - self.at)
        left, right = (seconds if seconds is not None and seconds > past.near else None for seconds in gone)
        return left, right


def cursor_title(cursor: Cursor, now: float) -> str:
    """Return what the panel's title says while it shows the past, with or without colours.

    Trees that were looked at after the moment are named as such: what they list may not have been there then.
    """
    looked = cursor.then.looked_at
    later = looked is not None and looked - cursor.at >= 1.0
    return f"THEN {exactly(cursor.at, now)}" + (f", trees of {exactly(looked, now)}" if looked and later else "")


def cursor_head(cursor: Cursor, now: float, width: int) -> list[Line]:
    """Return the lines above the plot: who had the lease and what ran, the readings, an incident, what is missing."""
    then = cursor.then
    others = [plain(run.task) for run in then.runs if run.run_id != then.holder_run]
    who = [f"lease {plain(then.holder)}" if then.holder else "no live run had the lease"]
    who += [f"also ran {', '.join(others)}"] if others else []
    lines = [Line(fitted([f"THEN {age(now - cursor.at)} ago", *who], width), Tone.WAIT)]
    lines.append(Line(fitted(amounts_of(cursor.past.samples[cursor.place].reading), width)))
    for one in then.incidents:
        shown = term(one.phase)
        lines.append(Line(f"{shown.badge} incident {one.incident_id}, {shown.word} at its worst", shown.tone))
    for seconds, where in zip(cursor.gaps, ("before", "after"), strict=True):
        if seconds is not None:
            lines.append(Line(f"no record for {age(seconds)} {where} it", Tone.UNKNOWN))
    return lines


def drawn_cursor(cursor: Cursor, now: float, colours: Colours, *, width: int, height: int, shade: str = "") -> Text:
    """Return the plot with the moment marked, and below it the dearest trees of then, in the room there is."""
    then = cursor.then
    room = height - _LEAST_PLOT - 2
    trees = then.trees[: max(0, min(room, max(3, height // 2)))]
    label = exactly(cursor.past.begin, now)[-8:-3]
    told = 1 + len(trees) if trees else 0
    plot = plotted(
        cursor.course,
        cursor.past.runs,
        colours,
        width=width,
        height=max(1, height - 1 - told),
        shade=shade,
        words=False,
        label=label,
    )
    lines = [plot, cursor_line(cursor.course, cursor.at, width, colours)]
    if trees:
        looked = exactly(then.at if then.looked_at is None else then.looked_at, now)
        lines.append(written(f"{len(trees)} of {len(then.trees)} trees, as at {looked}"[:width], colours, Tone.DIM))
        lines += [_tree_line(tree, width, colours) for tree in trees]
    return Text("\n").join(lines)


def _tree_line(tree: TreeCost, width: int, colours: Colours) -> Text:
    name = sized(tree_name(tree), min(_WIDEST, max(8, width - _NUMBERS)))
    line = Text(no_wrap=True, end="")
    line.append(name)
    line.append(sized(tree.kind, 12), colours.get(Tone.DIM, ""))
    line.append(sized(size(tree.cost), 6, right=True))
    return line
