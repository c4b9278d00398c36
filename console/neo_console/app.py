"""The Textual app: it owns the picture, the UI thread's engine and the collector; screens and flows do the rest."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.widgets import Input

import neo_styles
from neo_console import heap
from neo_console.actions import BY_ID
from neo_console.collector import Collected, CollectFailed, Collector
from neo_console.ending import Ending
from neo_console.firstdrawing import PATIENCE
from neo_console.format import clock_time
from neo_console.keymap import resolve_keys
from neo_console.keysinturn import KeysInTurn
from neo_console.lostsize import heed_size
from neo_console.news import News
from neo_console.panels.base import Look
from neo_console.panels.sentences import keys_of
from neo_console.picture import STALE_AFTER, Picture
from neo_console.rows.strip import Flags
from neo_console.screens.main import MainScreen
from neo_console.screens.page import too_small
from neo_console.telling import Telling
from neo_console.theming import Colourless, check_theme
from neo_console.vocabulary import Tone

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import App
    from textual.filter import LineFilter
    from textual.screen import Screen

    from neo_console.collector import Then
    from neo_console.context import Context
    from neo_console.daemon import Daemon
    from neo_console.ports import Connect, EngineLike
    from neo_core.config import Config

_NO_PICTURE = 1.5  # seconds
_SETTLED_AFTER = 1.5  # seconds, when the first picture is long drawn
_LOOK_AGAIN = (0.15, 0.5)  # seconds after an action
_NO_COLOUR = (Colourless(),)


class NeoConsole(KeysInTurn, inherit_bindings=False):
    """The operator console over one workspace."""

    CSS_PATH = str(neo_styles.STYLESHEET)
    TITLE = "neo-console"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+c", "say_how_to_quit", show=False, system=True)]

    def __init__(
        self,
        connect: Connect,
        config: Config,
        *,
        config_path: str = "neo-console.toml",
        workspace_name: str = "",
        read_only: bool = False,
        daemon: Daemon | None = None,
        unusable: str = "",
        collector: Collector | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self.keymap = resolve_keys(config.keys, config_path)
        self.picture = Picture(stale_after=max(STALE_AFTER, 5 * config.console.refresh_every))
        self.telling = Telling(self)
        self.journal = self.telling.journal
        self.workspace_name = workspace_name
        self.orchestrator_busy = ""
        self.unloading: set[str] = set()
        self.now = now
        self.main: MainScreen = MainScreen()
        self.ready = False
        self._ticked_at = 0.0
        self._asked_again = False
        self._asked_read_only = read_only
        self.terminal_size: Callable[[], tuple[int, int]] = lambda: (0, 0)  # unknown
        self._daemon = daemon
        self._unusable = unusable
        self._connect = connect
        self._engine: EngineLike | None = None
        self.ending = Ending()
        self._collector = collector or Collector(connect, every=config.console.refresh_every)
        self._wear(config.console.theme, config_path)
        remote = os.environ.get("SSH_CONNECTION") or os.environ.get("SSH_TTY")
        if remote and "TEXTUAL_ANIMATIONS" not in os.environ:
            self.animation_level = "none"

    @property
    def read_only(self) -> str:
        """Why nothing can be changed; empty when it can."""
        if self._asked_read_only:
            return "started with --read-only"
        if self._unusable:
            return self._unusable
        return self.picture.snapshot.read_only if self.picture.snapshot else ""

    @property
    def write_again(self) -> str:
        """What makes changes possible again."""
        if self._unusable and not self._asked_read_only:
            return "mend the file: it is read again by itself"
        return "start it without --read-only, in a state folder you may write to"

    @property
    def resting(self) -> bool:
        """Whether everything that was to be collected or asked for has been."""
        return self._collector.resting

    def get_default_screen(self) -> Screen[None]:
        """Return the main screen."""
        return self.main

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give a theme that is not ours what the stylesheet needs."""
        return neo_styles.stylesheet_variables(self.current_theme)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what every drawn line goes through; with NO_COLOR set no colour leaves."""
        return _NO_COLOUR if self.no_color else super().get_line_filters()

    def refresh_css(self, animate: bool = True) -> None:
        """Restyle everything; before anything is mounted that is to know the theme's variables."""
        if self.ready:
            super().refresh_css(animate)
        else:
            self.stylesheet.set_variables(self.get_css_variables())

    def on_mount(self) -> None:
        """Take pictures from now on."""
        self.ready = True
        if not self.is_headless:
            self.terminal_size = partial(shutil.get_terminal_size, (0, 0))
            self.ending.follow_signals(asyncio.get_running_loop(), self.exit)
            self.set_timer(_SETTLED_AFTER, self._load_the_rest)
            self.set_timer(2 * _SETTLED_AFTER, heap.settle)
        self.app_resume_signal.subscribe(self, self._come_back)
        self._collector.listen(lambda found: self.post_message(News(found)))
        self.set_timer(PATIENCE, self.main.late)
        self.main.refresh_picture()
        self.set_interval(1.0, self._beat)

    def on_unmount(self) -> None:
        """Let the collector end."""
        self._collector.stop()

    async def on_event(self, event: events.Event) -> None:
        """Let no key act on what nobody sees: where the terminal is too small they only quit."""
        if not isinstance(event, (events.Key, events.Paste)) or not too_small(self.size):
            await super().on_event(event)
        elif isinstance(event, events.Key) and {event.key, event.character} & set(self.keymap.keys("quit")):
            self.exit(0)

    def on_key(self, event: events.Key) -> None:
        """Put what was typed ahead of a field into it: the field has the focus, the key was on its way elsewhere."""
        field = self.focused
        if isinstance(field, Input) and event.is_printable and event.character:
            field.replace(event.character, *field.selection)
            event.prevent_default()

    def on_news(self, message: News) -> None:
        """Take a new picture and show it, keep what is known as stale, or tell how work went that was asked for."""
        found = message.found
        if isinstance(found, Collected):
            self._take(found)
        elif isinstance(found, CollectFailed):
            self.picture.fail(found.why)
            self._looked_again(f"not refreshed: {found.why}", Tone.FAIL)
            self._tick()
        else:
            found.then(found.result, found.why)
            self.nudge()

    def action_say_how_to_quit(self) -> None:
        """Answer ctrl+c, which never quits."""
        self.say(f"{self.keymap.key('quit')} quits the console; work goes on.")

    def context(self) -> Context:
        """Return what actions are judged by."""
        return self.main.context()

    def flags(self) -> Flags:
        """Return what the console itself is doing."""
        return Flags(self.read_only, self.main.frozen, self.orchestrator_busy, self.main.frozen_at)

    def engine(self) -> EngineLike:
        """Return the engine of this thread, with the configuration as it is now; raises ``NeoError``."""
        if self._engine is None:
            self._engine = self._connect()
        self._engine.reconfigure_if_changed()
        return self._engine

    def consult(self, work: Callable[[EngineLike], object], then: Then) -> None:
        """Ask the collector's engine what may be much to read; ``then`` takes the answer, or why there is none."""
        self._collector.consult(work, then)

    def aside(self, work: Callable[[EngineLike], object], then: Then) -> None:
        """Have done at once what may hang, beside everything else; ``then`` takes the answer, or why there is none."""
        self._collector.aside(work, then)

    def command_orchestrator(self, busy: str, work: Callable[[Daemon], object], then: Then) -> None:
        """Have the orchestrator started or stopped without waiting for it; the strip shows that it is ``busy``."""
        daemon = self._daemon
        if daemon is None:
            then(None, "This console was opened without a workspace of its own.")
            return

        def done(result: object, why: str) -> None:
            self.orchestrator_busy = ""
            then(result, why)

        self.orchestrator_busy = busy
        self._collector.ask(lambda: work(daemon), done)
        self.main.refresh_strip()

    def perform(self, action_id: str) -> None:
        """Do one action of the registry, or say why not and what to do instead."""
        action, context = BY_ID[action_id], self.context()
        blocked = action.blocked(context)
        if blocked is not None:
            self.telling.refuse(blocked, action.blocked, context)
            return
        from neo_console.performers import PERFORMERS

        PERFORMERS[action_id](self)
        self.telling.review()

    def report(self, text: str, tone: Tone, still: Callable[[], bool] | None = None) -> None:
        """Tell a result: as a line below the main screen and the pages over it, and in the list of the help page."""
        self.telling.report(text, tone, still)

    def say(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Say something that is no result and that nobody has to look up later."""
        self.telling.say(text, tone)

    def nudge(self) -> None:
        """Have a new picture collected now, and again when what was asked for has had time to happen."""
        self._collector.nudge()
        for seconds in _LOOK_AGAIN:
            self.set_timer(seconds, self._collector.nudge)

    def open_palette(self) -> None:
        """Open the command palette."""
        from neo_console.palette import Palette

        self.push_screen(Palette())

    def look_again(self) -> None:
        """Have a new picture collected, and tell when it came or why it did not."""
        self._asked_again = True
        self.nudge()

    def _take(self, found: Collected) -> None:
        self.picture.take(found.snapshot, found.course)
        if not found.snapshot.config_error:
            self._unusable = ""
        self.telling.follow_up()
        self._looked_again(f"refreshed {clock_time(self.now())}", Tone.OK)
        self._tick()

    def _looked_again(self, text: str, tone: Tone) -> None:
        if self._asked_again:
            self._asked_again = False
            self.say(text, tone)

    def _come_back(self, _app: App[object]) -> None:
        """Draw everything anew after the shell had the terminal."""
        self.refresh(layout=True)
        self.nudge()

    def _load_the_rest(self) -> None:
        from neo_console import palette, performers  # noqa: F401 - so that no key has to wait for them

    def _beat(self) -> None:
        """Let the clock tick; ages tick with every picture, and here while none comes."""
        heed_size(self, self.terminal_size())
        if time.monotonic() - self._ticked_at > _NO_PICTURE:
            self._tick()
        elif self.screen_stack:
            self.main.refresh_strip()

    def _tick(self) -> None:
        self._ticked_at = time.monotonic()
        if not self.screen_stack:  # a picture that came while the console was closing
            return
        if self.screen is not self.main:
            self.main.refresh_picture()  # it can be seen behind what lies over it
        refresh = getattr(self.screen, "refresh_page", None)
        if refresh is not None:
            refresh()

    def _wear(self, theme: str, config_path: str) -> None:
        for one in neo_styles.THEMES:
            self.register_theme(one)
        check_theme(theme, config_path)
        self.theme = theme
        self.colours = {Tone(name): colour for name, colour in neo_styles.tones(self.available_themes[theme]).items()}
        shade = neo_styles.stylesheet_variables(self.available_themes[theme])["neo-cursor"]
        self.look = Look(self.colours, keys_of(self.keymap.key), shade)
