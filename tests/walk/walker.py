"""Somebody who presses keys, reads the screen and looks into the world behind it."""

from __future__ import annotations

import time
from collections import Counter

from neo_core.ledger.models import ServiceState

from .terminal import opened

LONG = 60.0  # seconds; over as soon as what is waited for is there
FILTERING = "enter keeps · esc clears"
_EDGES = "─│╭╮╰╯"
_FRESH = 0.025  # seconds between two looks


class MissingError(AssertionError):
    """The screen never showed what it should; the message has the screen."""


class Walker:
    """One console in one terminal, over a scene."""

    def __init__(self, scene, *, kind, size, look, arguments=()):
        self.scene, self.kind, self.size, self.look = scene, kind, size, look
        self.rows = [*scene.tasks(), *(one.name for one in scene.engine.snapshot().services.value)]
        self.terminal = opened(kind, ["--workspace", str(scene.root), *arguments], size=size, look=look)

    @property
    def narrow(self):
        """Whether one panel at a time has room."""
        return self.size[0] < 100 or self.size[1] < 24

    def press(self, *keys):
        """Press keys by name."""
        self.terminal.press(*keys)

    def text(self):
        """Return everything on the screen as one line."""
        return _flat(self.terminal.look())

    def box(self, title):
        """Return what stands in the frame with that title, its edges included; empty without such a frame."""
        return _flat(self.lines(title))

    def header(self, title):
        """Return the line of the column names in the frame with that title."""
        return "".join(self.lines(title)[1:2])

    def lines(self, title):
        """Return the lines of the frame with that title, its edges included; none without such a frame."""
        lines = self.terminal.look()
        for row, line in reversed(list(enumerate(lines))):
            left = line.find(f"╭─ {title}")
            right = line.find("╮", left)
            if left >= 0 and right > left:
                cut = [one[left : right + 1] for one in lines[row:]]
                end = next((index for index, one in enumerate(cut) if one[0] == "╰"), len(cut) - 1)
                return cut[: end + 1]
        return []

    def see(self, *wanted, within="", timeout=LONG):
        """Wait until all of it stands on the screen, or in the frame with the title ``within``."""
        seen = self._wait(lambda: _lacking(wanted, self.box(within) if within else self.text()), timeout)
        if seen:
            where = f"in the frame {within!r}" if within else "on the screen"
            raise MissingError(f"{seen[0]!r} never stood {where}\n{self.screen()}")

    def see_twice(self, text):
        """Wait until it stands on the screen once more than where it was typed."""
        if self._wait(lambda: self.text().count(text) < 2, LONG):
            raise MissingError(f"{text!r} was never offered\n{self.screen()}")

    def see_other_header(self, title, before):
        """Wait until the column names look otherwise than before."""
        if self._wait(lambda: self.header(title) == before, LONG):
            raise MissingError(f"the header of {title!r} stays {before!r}\n{self.screen()}")

    def find(self, text, *, within):
        """Read the page in that frame from its beginning, a few lines at a time, until the text stands there.

        A screen that stays as it was is the end of the page, or slow: the next reading has more patience.
        """
        for patience in (0.15, 1.0, 5.0):
            self.see_frame(within)
            before = self.box(within)
            self.press("g")
            self._wait(lambda before=before: self.box(within) == before, patience)
            before = ""
            while (seen := self.box(within)) != before:
                if text in seen:
                    return
                before = seen
                self.press(*"jjjjj")
                self._wait(lambda before=before: self.box(within) == before, patience)
        raise MissingError(f"{text!r} stands nowhere on the page {within!r}\n{self.screen()}")

    def see_gone(self, *unwanted, within="", timeout=LONG):
        """Wait until none of it stands there."""
        seen = self._wait(
            lambda: [one for one in unwanted if one in (self.box(within) if within else self.text())], timeout
        )
        if seen:
            raise MissingError(f"{seen[0]!r} stays on the screen\n{self.screen()}")

    def see_frame(self, title):
        """Wait for a frame with that title."""
        if self._wait(lambda: not self.box(title), LONG):
            raise MissingError(f"no frame {title!r} appeared\n{self.screen()}")

    def see_no_frame(self, title):
        """Wait until there is no such frame."""
        if self._wait(lambda: self.box(title), LONG):
            raise MissingError(f"the frame {title!r} stays\n{self.screen()}")

    def back(self, title, key="escape"):
        """Leave the frame with that title."""
        self.press(key)
        self.see_no_frame(title)

    def in_panel(self, title):
        """Wait until the panel with that title is the one that keys act in: its title is bold."""
        if self._wait(lambda: title not in self._bold(), LONG):
            raise MissingError(f"{title!r} never had the focus\n{self.screen()}")

    def select(self, name):
        """Select a task or a service in the schedule; what is done with it must then name it."""
        self.press("1", "g", *("j" for _ in range(self.rows.index(name))))

    def selected(self, name):
        """Make sure that what enter opens is about ``name``; any other page of details is a failure."""
        self.press("enter")
        self.see_frame("Detail · ")
        self.see(f"Detail · {name}", within="Detail · ", timeout=2)
        self.back("Detail · ")

    def open_first(self, name):
        """Open the first row of the table that has the focus, again until it is about ``name``."""
        deadline = time.monotonic() + LONG
        while True:
            self.press("g", "enter")
            self.see_frame("Detail · ")
            if not self._wait(lambda: f"Detail · {name}" not in self.box("Detail · "), 0.3):
                return
            if time.monotonic() > deadline:
                raise MissingError(f"the first row was never about {name!r}\n{self.screen()}")
            self.back("Detail · ")

    def filter(self, text):
        """Filter the table that has the focus, and keep the filter."""
        self.press("/")
        self.see(FILTERING)
        self.press(*text)
        self.see(f"· /{text}")
        self.press("enter")
        self.see_gone(FILTERING)

    def go_on_to(self, text, key):
        """Press ``key`` and wait until that took the focus to what shows ``text``: it looks otherwise then."""
        self.see(text)
        before = self._style(text)
        self.press(key)
        if self._wait(lambda: self._style(text) == before, LONG):
            raise MissingError(f"{key} never went to {text!r}\n{self.screen()}")

    def confirm(self, title, button=""):
        """Confirm the dialog with that title by its button, which Cancel stands before."""
        self.go_on_to(button or title.rstrip("?"), "tab")
        self.press("enter")
        self.see_no_frame(title)

    def world(self, condition, what):
        """Wait until something is true behind the screen; keep drawing meanwhile."""
        if self._wait(lambda: not condition(), LONG):
            raise MissingError(f"on the screen all seemed done, but not so: {what}\n{self.screen()}")

    def pid(self, service, *, other_than=None):
        """Wait until a service runs, as another process than that one; return its pid."""
        seen = None

        def runs():
            nonlocal seen
            seen = self.scene.service(service)
            return seen.state is ServiceState.RUNNING and seen.pid not in {None, other_than}

        self.world(runs, f"{service} runs, not as {other_than}")
        return seen.pid

    def never(self, condition, what):
        """Make sure that something is not so."""
        if condition():
            raise MissingError(f"this must not be: {what}\n{self.screen()}")

    def pause(self):
        """Let a lone escape be one: what follows it at once would make it another key."""
        self._wait(lambda: True, 0.3)

    def exit_code(self):
        """Wait for the end of the console; return its exit code."""
        if self._wait(lambda: self.terminal.exit_code() is None, LONG):
            raise MissingError(f"the console did not end\n{self.screen()}")
        return self.terminal.exit_code()

    def colours(self):
        """Return every colour on the screen, as six hexadecimal digits."""
        self.terminal.look()
        return {colour for row in self.terminal.cells() for cell in row for colour in (cell.fg, cell.bg)} - {"default"}

    def ground(self):
        """Return the colour of most of the screen behind the letters."""
        self.terminal.look()
        return Counter(cell.bg for row in self.terminal.cells() for cell in row).most_common(1)[0][0]

    def screen(self):
        """Return the screen as it was seen last, for a person."""
        lines = "\n".join(f"  {line.rstrip()}" for line in self.terminal.look())
        width, height = self.size
        return f"{width}x{height} {self.look} in {self.kind}:\n{lines}"

    def close(self):
        """Leave nothing behind."""
        self.terminal.close()

    def _style(self, text):
        """Return how the lowest such text on the screen is drawn."""
        for row, line in reversed(list(enumerate(self.terminal.look()))):
            if text in line:
                return self.terminal.cells()[row][line.index(text)]._replace(data="")
        return None

    def _bold(self):
        self.terminal.look()
        return "\n".join("".join(cell.data if cell.bold else " " for cell in row) for row in self.terminal.cells())

    def _wait(self, lacking, timeout):
        """Return what is lacking in the end; empty as soon as nothing is."""
        deadline = time.monotonic() + timeout
        while seen := lacking():
            if time.monotonic() > deadline:
                return seen
            time.sleep(_FRESH)
        return seen


def _lacking(wanted, text):
    return [one for one in wanted if one not in text]


def _flat(lines):
    """Return lines as one, without frames and without the breaks and gaps that the width made."""
    text = " ".join(lines).translate(str.maketrans(_EDGES, " " * len(_EDGES)))
    return " ".join(text.split())
