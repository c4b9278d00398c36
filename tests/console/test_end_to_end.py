"""The console over the real engine: a task is started, runs, and becomes a row with a log."""

from __future__ import annotations

import time

from neo_console.app import NeoConsole
from neo_core.config import Config, ConsoleConfig, load_config
from neo_core.durations import Duration
from neo_core.engine import Engine
from neo_core.ledger.models import Outcome

TOML = """
console.refresh_every = "100ms"

[tasks.hello]
command = ["sh", "-c", "echo hello from the task"]
class = "light"
"""


async def test_a_start_becomes_a_row_with_a_log(workspace):
    workspace.config.write_text(TOML, encoding="utf-8")
    config = load_config(workspace.config)
    app = NeoConsole(lambda: Engine(workspace, config), config, workspace_name=str(workspace.root))
    async with app.run_test(size=(120, 40)) as pilot:

        async def until(condition):
            deadline = time.monotonic() + 20
            while not condition():
                assert time.monotonic() < deadline, app.journal.results()
                await pilot.pause()

        await until(lambda: app.main.schedule.table.row_count == 7)
        await pilot.press("G", "t", "tab", "enter")
        await until(lambda: app.picture.latest_run("hello") is not None)
        await until(lambda: app.picture.latest_run("hello").outcome is Outcome.COMPLETED)
        await until(lambda: "hello from the task" in app.main.log_panel.log_view.text)
        await pilot.press("3", "w")
        assert "as it was then" in app.screen.title_text()


async def test_what_is_deferred_in_the_console_is_deferred_for_everybody(workspace):
    config = Config(console=ConsoleConfig(refresh_every=Duration(0.1)))
    app = NeoConsole(lambda: Engine(workspace, config), config)
    async with app.run_test(size=(120, 40)) as pilot:
        while app.context().task is None:
            await pilot.pause()
        await pilot.press("d", "enter", *"later", "enter")
        task = next(one for one in Engine(workspace, config).snapshot().schedule.value.tasks if one.name == "backup")
        assert task.snoozed_because == "later"
