"""Keys that come faster than the screen follows: they never act where they were not meant, and nothing ends twice."""

from __future__ import annotations

from neo_console.dialogs.confirm import Confirm
from neo_console.screens.health import HealthPage


async def test_a_dialog_answers_once(open_console):
    async with open_console() as desk:
        await desk.press("o")
        dialog = desk.app.screen
        assert isinstance(dialog, Confirm)
        dialog.action_cancel()
        dialog.action_cancel()
        await desk.settled()
        assert desk.app.screen is desk.main


async def test_a_page_closes_once(open_console):
    async with open_console() as desk:
        await desk.press("h")
        page = desk.app.screen
        assert isinstance(page, HealthPage)
        page.action_close()
        page.action_close()
        await desk.settled()
        assert desk.app.screen is desk.main


async def test_what_was_typed_ahead_of_the_filter_does_not_act(open_console):
    async with open_console() as desk:
        desk.main.ask_filter()
        for action in ("pause", "orchestrator", "quit"):
            desk.main.action_perform(action)
        await desk.settled()
        assert desk.app.screen is desk.main
        assert desk.main.filter_bar.display


async def test_the_panel_asked_for_last_is_the_one_in_front(open_console):
    async with open_console(size=(80, 24)) as desk:
        for _ in range(7):
            desk.main.go_by(-1)
        await desk.settled()
        assert (desk.main.current, desk.app.focused) == (desk.main.memory, desk.main.memory.plot)
