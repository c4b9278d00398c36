"""Opening loads what the first picture needs and no more, and collects no garbage meanwhile."""

from __future__ import annotations

import gc
import subprocess
import sys
from importlib import import_module

from textual.screen import Screen

from neo_console import app, heap
from neo_console.cli.group import HOMES


def test_the_commands_are_loaded_when_one_is_asked_for():
    code = (
        "import sys\nfrom neo_console.cli.group import cli\n"
        "loaded = lambda: {name for name in sys.modules if name.startswith('neo_console.cli.')}\n"
        "before = loaded()\nassert 'status' in cli.commands\nprint(sorted(before), loaded() >= {'neo_console.cli.see'})"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "['neo_console.cli.group', 'neo_console.cli.terminal'] True\n"


def test_the_console_opens_without_the_parser_of_the_command_line():
    code = (
        "import sys\nfrom neo_console.cli.main import main\ncode = main([])\n"
        "print(code, [name for name in ('click', 'textual') if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "1 []\n"
    assert told.stderr.startswith("neo-console: the console: needs a terminal to open in.")


def test_every_command_is_found_where_it_is_looked_for():
    for home, names in HOMES.items():
        assert tuple(one.name for one in import_module(f"neo_console.cli.{home}").COMMANDS) == names


def test_a_command_loads_no_other_module_of_commands():
    code = (
        "import sys\nfrom neo_console.cli.group import HOMES, cli\ncli.get_command(None, 'status')\n"
        "print([home for home in HOMES if f'neo_console.cli.{home}' in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "['see', 'completion']\n"  # the names of tasks are completed


async def test_the_first_drawing_has_the_rows_of_the_schedule(open_console, monkeypatch):
    drawn = []

    def draw(screen):
        drawn.append([one.table.row_count for one in (screen.schedule, screen.outcomes)])
        drawing(screen)

    drawing = Screen._compositor_refresh
    monkeypatch.setattr(Screen, "_compositor_refresh", draw)
    async with open_console() as desk:
        await desk.until(lambda: drawn)
        assert 0 not in drawn[0]


async def test_without_a_picture_the_first_drawing_waits_until_it_is_late(machine, open_console, monkeypatch):
    drawn = []
    drawing = Screen._compositor_refresh
    monkeypatch.setattr(Screen, "_compositor_refresh", lambda screen: (drawn.append(screen), drawing(screen)))
    monkeypatch.setattr(app, "PATIENCE", 3600)
    machine.gate.clear()
    async with open_console(first=False) as desk:
        await desk.until(lambda: desk.main.schedule.table.fitted)
        await desk.pilot.pause()
        assert not drawn
        desk.main.late()
        await desk.until(lambda: drawn)
        assert "Reading the tasks of this workspace." in desk.screen_text()


def test_garbage_waits_until_the_console_is_open_and_what_is_there_then_stays():
    try:
        heap.hold()
        assert not gc.isenabled()
        heap.settle()
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
    finally:
        gc.enable()
        gc.unfreeze()
