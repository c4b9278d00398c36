"""The main screen: strip, panels, log, footer; one column of tabs where it is narrow, a sentence where it is tiny."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingsMap, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Static

from neo_console.actions import ACTIONS
from neo_console.context import Context
from neo_console.firstdrawing import FirstDrawing
from neo_console.panels.base import TablePanel
from neo_console.panels.filterbar import FilterBar
from neo_console.panels.footer import KeyHints, LastResult
from neo_console.panels.log import LogPanel
from neo_console.panels.memory import MemoryPanel
from neo_console.panels.outcomes import OutcomesPanel
from neo_console.panels.schedule import SchedulePanel
from neo_console.panels.strip import Banners, LeaseStrip
from neo_console.panels.tables import ProcessesPanel
from neo_console.panels.tabs import Tabs
from neo_console.rows.banners import banners
from neo_console.screens.page import LEAST, too_small
from neo_console.vocabulary import Tone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events
    from textual.app import ComposeResult

    from neo_console.app import NeoConsole
    from neo_console.results import Result

Panel = TablePanel | MemoryPanel | LogPanel
WIDE, TALL = 100, 24


class MainScreen(FirstDrawing, inherit_bindings=False):
    """Shows the picture. It decides nothing: keys go to the action registry."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "step_back", show=False)]
    AUTO_FOCUS = "#schedule-table"

    def __init__(self) -> None:
        super().__init__()
        self.strip = LeaseStrip()
        self.banners = Banners()
        self.schedule = SchedulePanel()
        self.processes = ProcessesPanel()
        self.outcomes = OutcomesPanel()
        self.memory = MemoryPanel()
        self.log_panel = LogPanel()
        self.filter_bar = FilterBar(changed=self._filter_as_typed, closed=self._stop_filtering)
        self.keys = KeyHints()
        self.result = LastResult()
        self.tabs = Tabs()
        self.frozen = False
        self.frozen_at = 0.0
        self.zoomed = False
        self.current: Panel = self.schedule
        self._top = Horizontal(id="top")
        self._middle = Horizontal(id="middle")
        self._body = Vertical(id="body")
        self._tiny = Static(markup=False, id="tiny")
        self._table: TablePanel = self.schedule
        self._narrow = False

    @property
    def console(self) -> NeoConsole:
        """The app, as what it is."""
        return cast("NeoConsole", self.app)

    @property
    def panels(self) -> tuple[Panel, ...]:
        """The panels in the order of their numbers."""
        return (self.schedule, self.processes, self.outcomes, self.memory, self.log_panel)

    def compose(self) -> ComposeResult:
        """Lay everything out once; what is not needed is hidden."""
        yield self._tiny
        with self._body:
            yield self.strip
            yield self.banners
            yield self.tabs
            with self._top:
                yield self.schedule
                yield self.processes
            with self._middle:
                yield self.outcomes
                yield self.memory
            yield self.log_panel
            yield self.filter_bar
            yield self.result
            yield self.keys

    def on_mount(self) -> None:
        """Bind every action of the registry to its keys."""
        keymap = self.console.keymap
        bound = [Binding(key, f"perform('{one.id}')", one.label) for one in ACTIONS for key in keymap.keys(one.id)]
        self._bindings = BindingsMap.merge([self._bindings, BindingsMap(bound)])

    def complete(self) -> bool:
        """Return whether the schedule can be shown, or why it cannot."""
        picture = self.console.picture
        return too_small(self.size) or (self.schedule.table.fitted and bool(picture.snapshot or picture.failure))

    def action_perform(self, action_id: str) -> None:
        """Hand a key to the registry."""
        self.console.perform(action_id)

    def action_step_back(self) -> None:
        """End the first there is of: a search in the log, the look back, the filter, the zoom, the result's line."""
        if self.current is self.log_panel and self.log_panel.stop_search():
            return
        if self.current is self.memory and self.memory.to_present():
            self.refresh_picture()
            return
        if self.clear_filter():
            return
        if self.zoomed:
            self.toggle_zoom()
        else:
            self.result.display = False

    def clear_filter(self) -> bool:
        """Show every row of the current table again; return whether some were hidden."""
        hid = bool(self._table.filter.text)
        if hid:
            self._filter(self._table, "")
        return hid

    def on_screen_resume(self) -> None:
        """Catch up with what came while something lay over this screen."""
        self.refresh_picture()

    def on_resize(self, event: events.Resize) -> None:
        """Choose the layout for the size."""
        width, height = event.size
        tiny = too_small(event.size)
        self._tiny.display, self._body.display = tiny, not tiny
        self._tiny.update(Content(_too_small(width, height, self.console.keymap.key("quit"))))
        self._narrow = width < WIDE or height < TALL
        self._arrange()
        self.call_after_refresh(self.refresh_picture)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Remember which panel the operator is in, unless the focus has gone on since."""
        if event.widget is not self.focused:
            return
        panel = next((one for one in self.panels if one in event.widget.ancestors), None)
        if panel is not None and panel is not self.current:
            self._enter(panel)
        elif self.is_current:
            self._show_selection()

    def on_data_table_row_highlighted(self) -> None:
        """Follow the selection with the log and the footer."""
        self._show_selection()

    def on_key_hints_pressed(self, event: KeyHints.Pressed) -> None:
        """Do what a clicked hint says."""
        self.console.perform(event.action_id)

    def on_tabs_pressed(self, event: Tabs.Pressed) -> None:
        """Go to the clicked panel."""
        self.go(event.name)

    def context(self) -> Context:
        """Return what actions are judged by, as of this moment."""
        selection = self._selection()
        if self.current is not self.memory:
            return selection
        return selection._replace(subject=None, gone=None, past=self.memory.past_time, whole=True)

    def _selection(self) -> Context:
        """Return what the last table has selected, whose log the log panel shows."""
        console, table = self.console, self._table.body
        return Context(
            picture=console.picture,
            subject=table.subject,
            gone=table.gone,
            read_only=console.read_only,
            key=console.keymap.key,
            write_again=console.write_again,
        )

    def go(self, name: str) -> None:
        """Enter a panel by name, at the row where its cursor stands now."""
        panel = next(one for one in self.panels if name == one.NAME)
        self._enter(panel)
        self.set_focus(panel.body)  # at once: the next key may be in the queue already
        if isinstance(panel, TablePanel) and panel.body.settle():
            self._show_selection()

    def go_by(self, step: int) -> None:
        """Enter the next panel, or the one before."""
        panels = self.panels
        self.go(panels[(panels.index(self.current) + step) % len(panels)].NAME)

    def ask_filter(self) -> None:
        """Open the filter of the current table, or the search of the log."""
        if self.current is self.log_panel:
            self.log_panel.ask()
            return
        self.filter_bar.open(self._table.filter.text)

    def toggle_freeze(self) -> None:
        """Keep the tables as they are, or let them go on; the strip always goes on."""
        self.refresh_panels(self.panels if not self.frozen else ())
        self.frozen = not self.frozen
        snapshot = self.console.picture.snapshot
        self.frozen_at = snapshot.at if self.frozen and snapshot is not None else 0.0
        self.refresh_picture()

    def toggle_zoom(self) -> None:
        """Give the current panel the whole screen, or show all of them again."""
        self.zoomed = not self.zoomed
        self._arrange()
        self.call_after_refresh(self.refresh_picture)

    def sort(self, *, reverse: bool) -> None:
        """Sort the focused table by its next column, or turn its order round."""
        if not isinstance(self.current, TablePanel):
            said, panel = "there is nothing to sort here — go to a table first", self.current
            self.console.report(said, Tone.WAIT, still=lambda: self.current is panel)
            return
        table, key = self.current.body, self.console.keymap.key("sort")
        if not reverse:
            table.sort_next()
        elif not table.sort_reverse():
            said = f"this is the table's own order — {key} sorts by a column"
            self.console.report(said, Tone.WAIT, still=lambda: not table.order.column)
        self.current.show_again()
        self._show_selection()

    def show_result(self, result: Result) -> None:
        """Let the result of an action stay in sight for a while."""
        self.result.show(result, self.console.colours)

    def refresh_picture(self) -> None:
        """Show the latest picture as of now."""
        console = self.console
        if not console.ready:
            return
        self.refresh_strip()
        if not self.frozen:
            self.refresh_panels([panel for panel in self.panels if panel.display])
        self._show_selection()

    def refresh_panels(self, panels: Sequence[Panel]) -> None:
        """Show the latest picture in these panels; the log is fed by the selection."""
        console = self.console
        for panel in panels:
            if not isinstance(panel, LogPanel):
                panel.show(console.picture, console.now(), console.look)

    def refresh_strip(self) -> None:
        """Show the lease, the clock and what must be read first, also behind a page."""
        console = self.console
        if not console.ready:
            return
        now, flags = console.now(), console.flags()
        self.strip.show(console.picture, now, flags, console.colours)
        short = self.size.height < TALL
        self.banners.show(banners(console.picture, now, flags, console.keymap.key, short=short), console.colours)
        self.result.expire(now)

    def refresh_page(self) -> None:
        """Let ages and the clock tick."""
        self.refresh_picture()

    def _enter(self, panel: Panel) -> None:
        self.current = panel
        if isinstance(panel, TablePanel):
            self._table = panel
        self._arrange()
        self.refresh_picture()

    def _arrange(self) -> None:
        """Show every panel, or in one column or zoomed only the current one."""
        alone = self._narrow or self.zoomed
        for panel in self.panels:
            panel.display = not alone or panel is self.current
        self.set_class(alone, "narrow")
        self._top.display = self.schedule.display or self.processes.display
        self._middle.display = self.outcomes.display or self.memory.display
        hint = f"zoomed: {self.console.keymap.key('zoom')} or esc shows all" if self.zoomed else ""
        self.tabs.show(self.current.NAME, visible=alone, hint=hint)

    def _filter(self, panel: TablePanel, text: str) -> None:
        panel.set_filter(text)
        panel.show_again(refiltered=True)
        self._show_selection()

    def _filter_as_typed(self, text: str) -> None:
        self._filter(self._table, text)
        self.filter_bar.complain(self._table.filter.mistake)

    def _stop_filtering(self, keep: bool) -> None:
        if not keep:
            self._filter(self._table, "")
        self.set_focus(self._table.body)

    def _show_selection(self) -> None:
        console, context = self.console, self.context()
        self.keys.show(context, console.keymap, console.colours)
        if self.log_panel.display and console.picture.snapshot is not None:
            self.log_panel.follow(self._selection())


def _too_small(width: int, height: int, quit_key: str) -> str:
    return (
        f"This terminal has {width}×{height} cells; the console needs {LEAST[0]}×{LEAST[1]}.\n\n"
        f"Make it larger, or use: neo-console status\n\n{quit_key} quits; work goes on."
    )
