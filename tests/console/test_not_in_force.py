"""A configuration that is not in force: nothing is started by hand until it is mended, and the refusal says so."""

from __future__ import annotations

import msgspec
import pytest

from neo_core.snapshot import ScheduleView
from screenshots.fixtures import busy_tasks, first_run, snapshot

WRONG = "neo-console.toml: leese: is not a known key. Did you mean lease?"


@pytest.mark.parametrize("known", [True, False], ids=["by the picture", "by the file only"])
async def test_nothing_is_started_by_a_configuration_that_is_not_in_force(machine, open_console, monkeypatch, known):
    shown = snapshot(schedule=ScheduleView(tasks=tuple(one for one in busy_tasks() if not one.running_run_id)))
    machine.picture = msgspec.structs.replace(shown, config_error=WRONG) if known else first_run()
    monkeypatch.setattr(machine, "reconfigure_if_changed", lambda: WRONG)
    async with open_console() as desk:
        await desk.press("t")
        said = "Did you mean lease? — until then nothing is started by hand; what runs can be stopped"
        assert desk.app.journal.results()[0].text == f"{WRONG[: -len('Did you mean lease?')]}{said}"
        assert desk.app.screen is desk.main
        assert machine.asked == []


async def test_a_configuration_that_breaks_while_a_start_is_previewed_stops_it(machine, open_console, monkeypatch):
    machine.picture = first_run()
    async with open_console() as desk:
        await desk.press("t")
        monkeypatch.setattr(machine, "reconfigure_if_changed", lambda: WRONG)
        await desk.press("tab", "enter")
        assert "leese: is not a known key." in desk.screen_text()
        assert "Nothing was done." in desk.screen_text()
        assert machine.asked == []


async def test_the_palette_refuses_likewise(machine, open_console, monkeypatch):
    machine.picture = first_run()
    monkeypatch.setattr(machine, "reconfigure_if_changed", lambda: WRONG)
    async with open_console() as desk:
        await desk.press("colon", *"start backup", "enter")
        assert "until then nothing is started by hand" in desk.app.journal.results()[0].text
        assert desk.app.screen is desk.main
