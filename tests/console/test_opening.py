"""Opening loads what the first picture needs and no more, and collects no garbage meanwhile."""

from __future__ import annotations

import gc
import subprocess
import sys

from neo_console import heap


def test_the_commands_are_loaded_when_one_is_asked_for():
    code = (
        "import sys\nfrom neo_console.cli.main import cli\n"
        "loaded = lambda: {name for name in sys.modules if name.startswith('neo_console.cli.')}\n"
        "before = loaded()\nassert 'status' in cli.commands\nprint(before, loaded() >= {'neo_console.cli.see'})"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "{'neo_console.cli.main'} True\n"


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
