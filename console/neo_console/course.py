"""How the memory went, drawn: a word, available memory and pressure over one time axis, runs below, what grew."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from neo_console.format import age, brief, plain, plural, size
from neo_console.lanes import drawn_lane, lanes_of
from neo_console.plot import Axis, area, bars, binned
from neo_console.thens import tree_name
from neo_console.vocabulary import Tone, term
from neo_core.memory.incidents import Phase
from neo_core.snapshot import MemoryView

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from neo_console.lanes import Mark
    from neo_console.panels.table import Colours
    from neo_core.ledger.models import Run
    from neo_core.memory.reading import Reading
    from neo_core.recorder.course import Course

_GUTTER = 5
_HOLD = 30.0  # seconds for which a sample stands
_QUIET = 60.0
_LEAST_PRESSURE = 20.0  # percent, so that a calm machine draws a calm line
_CALM, _SHUT, _POINTER = "─", "▒", "▲"
_MOST_LANES = 5


class Shares(NamedTuple):
    """How many lines each part has."""

    available: int
    pressure: int
    lanes: int
    growth: int


class Line(NamedTuple):
    """One line of the head."""

    text: str
    tone: Tone = Tone.PLAIN


def head_lines(memory: MemoryView | None, course: Course | None, now: float, width: int) -> list[Line]:
    """Return the phase with the amounts, what put it there, and whether nobody records any more."""
    lines: list[Line] = []
    if memory is not None:
        shown = term(memory.phase)
        since = f" {age(now - memory.since)}" if memory.since is not None else ""
        word = f"{shown.badge} {shown.word.upper()}{since}"
        lines.append(Line(fitted([word, *_amounts(memory)], width), shown.tone))
        if memory.phase not in (Phase.NORMAL, Phase.UNKNOWN):
            told = [plain(f"{memory.signal} {memory.value}, limit {memory.limit}")]
            told += [f"incident {memory.incident}"] if memory.incident else []
            lines.append(Line(fitted(told, width), shown.tone))
    if course is not None and course.samples:
        quiet = now - course.samples[-1].reading.at
        if quiet > _QUIET:
            lines.append(Line(f"no sample for {age(quiet)}: nobody records", Tone.WAIT))
    return lines


def amounts_of(reading: Reading) -> list[str]:
    """Return the amounts of one reading, as the live head has them."""
    return _amounts(
        MemoryView(
            total=reading.total,
            available=reading.available,
            swap_used=reading.swap_used,
            pressure=reading.some.avg10 if reading.some else None,
        )
    )


def plotted(
    course: Course,
    runs: Iterable[Run],
    colours: Colours,
    *,
    width: int,
    height: int,
    shade: str = "",
    words: bool = True,
    label: str = "",
) -> Text:
    """Return the plot in the room there is; ``shade`` is the incidents' ground; without ``words`` no tree is named.

    ``label`` stands at the beginning of the time axis; without it how long ago that is, for one that ends now.
    """
    axis = _axis(course, width)
    lanes = lanes_of(runs, course.begin, course.end)
    shares = shared(height, len(lanes), words=words)
    shut = _shut(course, axis)
    painter = _Painter(colours, shut, shade)
    readings = [sample.reading for sample in course.samples]
    total = max((reading.total or 0 for reading in readings), default=0)
    free = binned(((one.at, one.available) for one in readings), axis, 2, min, hold=_HOLD)
    stalls = [(one.at, one.some.avg10 if one.some else None) for one in readings]
    worst = max((value for _, value in stalls if value is not None), default=None)
    top = max(_LEAST_PRESSURE, worst or 0.0)
    lines = [
        *_part(painter, area(free, shares.available, total), "free", size(total) if total else "?", Tone.PLAIN),
        *_part(
            painter,
            bars(binned(stalls, axis, 1, max, hold=_HOLD), shares.pressure, top),
            "PSI",
            "PSI ?" if worst is None else f"{top:.0f}%",
            Tone.DIM,
        ),
        painter.axis(label or f"-{brief(course.end - course.begin)}"),
        *(painter.lane(drawn_lane(lane, axis)) for lane in lanes[: shares.lanes]),
    ]
    if shares.growth:
        hidden = len(lanes) - shares.lanes
        more = f" · {plural(hidden, 'more run')}" if hidden > 0 else ""
        lines.append(painter.told(fitted(_grown(course), width - len(more)), more, width))
    return Text("\n").join(lines[:height])


def cursor_line(course: Course, at: float, width: int, colours: Colours) -> Text:
    """Return the line below a plot of that width which points at a moment."""
    axis = _axis(course, width)
    return Text(" " * (_GUTTER + axis.cell(at)) + _POINTER, style=f"bold {colours.get(Tone.PLAIN, '')}".strip())


def shared(height: int, lanes: int, *, words: bool = True) -> Shares:
    """Return who gets how many of ``height`` lines; what matters least goes first where there are few."""
    growth = int(words and height >= 6)
    pressure = 1 if height < 8 else 2 if height < 16 else 3
    room = height - 1 - pressure - growth
    shown = max(0, min(lanes, _MOST_LANES, room - 2 if room < 6 else room // 2))
    return Shares(max(1, room - shown), pressure, shown, growth)


class _Painter:
    """Puts characters into lines, with the columns of incidents shaded."""

    def __init__(self, colours: Colours, shut: Sequence[Tone | None], shade: str) -> None:
        self._colours, self._shut, self._shade = colours, shut, shade

    def row(self, label: str, text: str, tone: Tone) -> Text:
        """Return a line of the plot; where an incident was it has the incident's tone."""
        return self._line(label, ((char, shut or tone) for char, shut in zip(text, self._shut, strict=True)))

    def lane(self, marks: Sequence[Mark]) -> Text:
        """Return a lane."""
        return self._line("", marks)

    def axis(self, label: str) -> Text:
        """Return the axis, on which incidents show without colour too."""
        return self._line(label, ((_SHUT if shut else _CALM, shut or Tone.DIM) for shut in self._shut))

    def told(self, text: str, after: str, width: int) -> Text:
        """Return a line of words."""
        line = Text(text, style=self._colours.get(Tone.DIM, ""), no_wrap=True, end="")
        line.truncate(max(1, width - len(after)), overflow="ellipsis")
        return line.append(after)

    def _line(self, label: str, marks: Iterable[tuple[str, Tone]]) -> Text:
        line = Text(no_wrap=True, end="")
        line.append(f"{label:<{_GUTTER}}"[:_GUTTER], self._colours.get(Tone.DIM, ""))
        for (char, tone), shut in zip(marks, self._shut, strict=True):
            ground = f"on {self._shade}" if shut and self._shade else ""
            line.append(char, " ".join(part for part in (self._colours.get(tone, ""), ground) if part))
        return line


def _axis(course: Course, width: int) -> Axis:
    return Axis(course.begin, course.end, max(2, width - _GUTTER))


def _part(painter: _Painter, rows: Sequence[str], name: str, top: str, tone: Tone) -> list[Text]:
    """Return the lines of one plot: what its top means beside the first, its name beside the last."""
    labels = [""] * len(rows)
    if labels:
        labels[-1] = name
        labels[0] = top if len(rows) > 1 else name
    return [painter.row(label, row, tone) for label, row in zip(labels, rows, strict=True)]


def _shut(course: Course, axis: Axis) -> list[Tone | None]:
    """Return the tone of the incident in each cell, if any."""
    found: list[Tone | None] = [None] * axis.width
    for incident in course.incidents:
        ended = course.end if incident.ended_at is None else incident.ended_at
        for cell in axis.cells(incident.began_at, ended):
            found[cell] = term(incident.phase).tone
    return found


def _amounts(memory: MemoryView) -> list[str]:
    of = f" of {size(memory.total)}" if memory.total else ""
    parts = [f"{size(memory.available)}{of} free" if memory.available is not None else "available unknown"]
    parts.append("PSI unknown" if memory.pressure is None else f"PSI {memory.pressure:.1f}")
    if memory.swap_used:
        parts.append(f"swap {size(memory.swap_used)}")
    return parts


def fitted(parts: list[str], width: int) -> str:
    """Return as many of the parts in one line as there is room for, the first one always."""
    while len(parts) > 1 and len(" · ".join(parts)) > width:
        parts.pop()
    return " · ".join(parts)


def _grown(course: Course) -> list[str]:
    """Return which trees grew most, or while none did which are the biggest, each as one part."""
    if course.grew:
        parts = [f"{tree_name(one.tree)} +{size(one.grown)}" for one in course.grew[:3]]
        return [f"grew: {parts[0]}", *parts[1:]]
    last = course.samples[-1].trees if course.samples else ()
    parts = [f"{tree_name(tree)} {size(tree.cost)}" for tree in sorted(last, key=lambda tree: -tree.cost)[:3]]
    return [f"most: {parts[0]}", *parts[1:]] if parts else []
