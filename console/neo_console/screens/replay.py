"""A memory incident replayed sample by sample: what there was to see then, and what coincided with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.console import Group, RenderableType
from rich.text import Text
from textual.binding import Binding, BindingsMap, BindingType
from textual.widgets import Static

from neo_console.course import cursor_line, plotted
from neo_console.drawing import heading, written
from neo_console.format import clock_time, plain
from neo_console.moments import (
    acts_table,
    deferred_table,
    reliefs_table,
    runs_table,
    schedule_table,
    state_line,
    trees_table,
)
from neo_console.screens.page import Page
from neo_console.vocabulary import Tone, term
from neo_core.recorder.course import Course

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.app import ComposeResult
    from textual.timer import Timer

    from neo_core.recorder.replay import Moment, Replay

_FAR = 12  # samples, a minute at the usual interval
_TALL, _LOW, _LEAST = 9, 6, 3
_ROOMY, _SHORT = 30, 20


class ReplayPage(Page):
    """Left and right step, space plays; the plot above says where in the incident this is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", show=False, priority=True),
        Binding("right", "step(1)", show=False, priority=True),
        Binding("shift+left,pageup", f"step(-{_FAR})", show=False, priority=True),
        Binding("shift+right,pagedown", f"step({_FAR})", show=False, priority=True),
        Binding("home", "step(-1000000)", show=False, priority=True),
        Binding("end", "step(1000000)", show=False, priority=True),
        Binding("space", "play", show=False, priority=True),
    ]

    steps_a_second: ClassVar[float] = 5

    def __init__(self, replay: Replay, export: Callable[[], None]) -> None:
        super().__init__(opened_by="incidents")
        self._replay, self._export = replay, export
        self._index = self._begin()
        self._timer: Timer | None = None
        self._plot: tuple[tuple[int, int], Text] | None = None
        self._state = Static(markup=False, id="replay-state")

    def compose(self) -> ComposeResult:
        """Put the time and the level above what scrolls, so that they are always there."""
        with self._frame:
            yield self.banners
            yield self._state
            with self._scroll:
                yield self._body

    @property
    def playing(self) -> bool:
        """Whether it goes on by itself."""
        return self._timer is not None

    @property
    def moment(self) -> Moment | None:
        """What is shown; ``None`` when no sample is left of the incident."""
        return self._replay.moment(self._index) if self._replay.report.samples else None

    def on_mount(self) -> None:
        """Bind the export to its keys."""
        bound = [Binding(key, "export") for key in {"e", *self.console.keymap.keys("copy")}]
        self._bindings = BindingsMap.merge([self._bindings, BindingsMap(bound)])

    def on_resize(self, event: events.Resize) -> None:  # noqa: ARG002 - Overlay's own runs too
        """Fit the plot into the new width."""
        self.call_after_refresh(self.refresh_page)

    def on_screen_suspend(self) -> None:
        """Do not play behind something else."""
        self._stop()

    def title_text(self) -> str:
        """Name the incident and the place in it."""
        incident, count = self._replay.report.incident, len(self._replay.report.samples)
        where = f"sample {self._index + 1} of {count}" if count else "no sample is left"
        return f"Incident {incident.incident_id} · {term(incident.phase).word} · {where}"

    def subtitle_text(self) -> str:
        """Say what the keys do."""
        return f"←/→ step · space {'stops' if self.playing else 'plays'} · e exports · esc back"

    def body(self) -> RenderableType:
        """Show the moment, the course with its place marked, and what coincided."""
        colours, moment = self.console.colours, self.moment
        if moment is None:
            text = "The samples of this incident were overwritten: a day of them is kept. The export has the rest."
            return Group(written(text, colours, Tone.UNKNOWN), Text(), *self._coincided())
        return Group(
            *self._course(moment),
            heading(f"Trees at {clock_time(moment.reading.at)}, the dearest first", colours, first=self._short),
            trees_table(moment, colours),
            heading(f"The schedule at {clock_time(moment.reading.at)}", colours),
            schedule_table(moment, colours),
            *self._coincided(),
        )

    def refresh_page(self) -> None:
        """Draw the moment; its time and level stand above the rest."""
        super().refresh_page()
        moment = self.moment
        self._state.display = moment is not None
        if moment is not None:
            self._state.update(state_line(moment, self._replay.report.incident, self.console.colours))

    def action_step(self, step: int) -> None:
        """Go to another sample, by hand: it no longer plays."""
        self._stop()
        self._go(self._index + step)

    def action_play(self) -> None:
        """Go on by itself, or stop; at the end it begins again."""
        if self.playing:
            self._stop()
        elif self._replay.report.samples:
            if self._index == len(self._replay.report.samples) - 1:
                self._index = 0
            self._timer = self.set_interval(1 / self.steps_a_second, self._advance)
        self.refresh_page()

    def action_export(self) -> None:
        """Write the incident to files."""
        self._export()

    @property
    def _short(self) -> bool:
        """Whether there are so few lines that the trees need those of the plot."""
        return self.size.height < _SHORT

    def _begin(self) -> int:
        """Return the sample at which the incident began."""
        began, samples = self._replay.report.incident.began_at, self._replay.report.samples
        return next((index for index, one in enumerate(samples) if one.reading.at >= began), 0)

    def _advance(self) -> None:
        if self._index >= len(self._replay.report.samples) - 1:
            self._stop()
        self._go(self._index + 1)

    def _go(self, index: int) -> None:
        self._index = max(0, min(index, len(self._replay.report.samples) - 1))
        self.refresh_page()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    def _course(self, moment: Moment) -> list[RenderableType]:
        """Return the plot of the whole incident, drawn once per size, and the mark of this moment."""
        report, colours = self._replay.report, self.console.colours
        course = Course(
            begin=report.samples[0].reading.at,
            end=report.samples[-1].reading.at,
            samples=report.samples,
            incidents=(report.incident,),
        )
        width = max(20, self._scroll.size.width - 1)
        height = _LEAST if self._short else _TALL if self.size.height >= _ROOMY else _LOW
        if self._plot is None or self._plot[0] != (width, height):
            shade = self.console.look.shade
            text = plotted(course, report.runs, colours, width=width, height=height, shade=shade, words=False)
            self._plot = (width, height), text
        drawn: list[RenderableType] = [] if self._short else [Text()]
        return [*drawn, self._plot[1], cursor_line(course, moment.reading.at, width, colours)]

    def _coincided(self) -> list[RenderableType]:
        """Return what coincided by this moment; of a moment that is lost, all of it."""
        report, colours, moment = self._replay.report, self.console.colours, self.moment
        runs = moment.runs if moment else report.runs
        deferred = moment.deferred if moment else report.deferred
        acts = moment.acts if moment else report.acts
        parts: list[RenderableType] = [heading("It coincided with these runs", colours), runs_table(runs, colours)]
        if report.incident.collisions:
            parts += [heading("It coincided with these collisions", colours)]
            parts += [written(plain(text), colours) for text in report.incident.collisions]
        parts += [heading("Starts held back by then", colours), deferred_table(deferred, colours)]
        parts += [heading("What operators did by then", colours), acts_table(acts, colours)]
        reliefs = moment.reliefs if moment else report.reliefs
        if reliefs:
            parts += [heading("What they did to free memory, and what was measured by then", colours)]
            parts += [reliefs_table(reliefs, colours)]
        return parts
