"""What console tests share: a machine that can be changed, an app over it, and waiting for conditions."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.css.stylesheet import Stylesheet

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from neo_console.app import NeoConsole  # noqa: E402 - the screenshots' fixtures lie beside the packages
from neo_core.config import Config, ConsoleConfig  # noqa: E402
from neo_core.durations import Duration  # noqa: E402
from screenshots.drawn import LOOK_EVERY, drawn, press  # noqa: E402
from screenshots.engine import FixedEngine  # noqa: E402
from screenshots.parts import NOW  # noqa: E402

SELDOM = Config(console=ConsoleConfig(refresh_every=Duration(3600)))


class Machine(FixedEngine):
    """An engine whose picture a test changes, that can fail, and that can take as long as the test wants."""

    def __init__(self, picture=None, **more):
        super().__init__(picture, **more)
        self.failure: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.collecting = threading.Event()

    def snapshot(self):
        self.collecting.set()
        self.gate.wait(20)
        if self.failure is not None:
            raise self.failure
        return self.picture


class Desk:
    """An app under test, with its pilot."""

    def __init__(self, app, pilot, machine, clock):
        self.app, self.pilot, self.machine, self.clock = app, pilot, machine, clock

    @property
    def main(self):
        return self.app.main

    async def until(self, condition, *, timeout=10.0):
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, "the condition never came"
            await drawn(self.pilot, collected=False)
            await asyncio.sleep(LOOK_EVERY)

    async def press(self, *keys):
        await press(self.pilot, *keys, collected=self.machine.gate.is_set())

    async def settled(self):
        """Wait until what was asked for is laid out and drawn, and what was to follow that is done."""
        await drawn(self.pilot, collected=self.machine.gate.is_set())

    async def resize(self, width, height):
        """Change the terminal's size and wait until it is the screen's."""
        await self.pilot.resize_terminal(width, height)
        await self.resized(width, height)

    async def resized(self, width, height):
        """Wait until a size is the screen's; Textual hears of it by a timer."""
        await self.until(lambda: self.app.screen._compositor.size == (width, height))
        await self.settled()

    async def see(self, picture):
        """Let the machine be as in ``picture`` and the app know it."""
        self.machine.picture = picture
        self.app.nudge()
        await self.until(lambda: self.app.picture.snapshot is picture)
        await self.settled()

    def screen_text(self):
        """Everything on the screen as plain lines."""
        screen = self.app.screen
        width, height = self.app.size
        lines = screen._compositor.render_strips()
        assert (width, height) == (max(line.cell_length for line in lines), len(lines))
        return "\n".join(line.text for line in lines)

    def text_of(self, widget):
        """What a widget shows, as one line without the breaks that its width made."""
        x, y, width, height = widget.content_region
        lines = self.app.screen._compositor.render_strips()[y : y + height]
        return " ".join(" ".join(line.text[x : x + width] for line in lines).split())


class Clock:
    """A wall clock that a test moves."""

    def __init__(self, at=NOW):
        self.at = at

    def __call__(self):
        return self.at


@pytest.fixture(autouse=True, scope="session")
def _styles_are_parsed_once():
    """Let the many apps of one process share what parsing the same styles with the same variables gave."""
    parse, known = Stylesheet._parse_rules, {}

    def shared(self, css, read_from, is_default_rules=False, tie_breaker=0, scope=""):
        variables = frozenset(self._variables.items())
        key = (css, read_from, is_default_rules, tie_breaker, scope, variables)
        if key not in known:
            known[key] = parse(self, css, read_from, is_default_rules, tie_breaker, scope)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Stylesheet, "_parse_rules", shared)
        yield


@pytest.fixture(autouse=True)
def _utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def machine():
    return Machine()


@pytest.fixture
def open_console(machine):
    """Open the app over ``machine`` and wait for its first picture."""

    @asynccontextmanager
    async def opened(*, size=(120, 40), config=SELDOM, first=True, **more):
        clock = Clock()
        app = NeoConsole(lambda: machine, config, now=clock, workspace_name="/w", **more)
        async with app.run_test(size=size, notifications=True) as pilot:
            desk = Desk(app, pilot, machine, clock)
            if first:
                await desk.until(lambda: app.picture.snapshot is not None or app.picture.failure)
                await desk.settled()
            yield desk
            machine.gate.set()

    return opened
