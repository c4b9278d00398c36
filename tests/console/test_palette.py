"""The palette finds an action by the words that operators have for it, not by its own name alone."""

from __future__ import annotations

from neo_console.actions import ACTIONS
from neo_console.palette import ActionCommands
from screenshots.fixtures import first_run

FOUND = {
    "start dream": "trigger dream",
    "run dream": "trigger dream",
    "stop dream": "stop dream",
    "kill dream": "stop dream",
    "end dream": "stop dream",
    "explain dream": "why dream",
    "snooze dream": "defer dream",
    "logs dream": "log dream",
    "hold": "pause  P",
    "explain": "why  w",
    "exit": "quit  q",
    "why": "why  w",
    "log": "log  l",
}


async def test_an_action_is_found_by_other_words_for_it(open_console):
    async with open_console() as desk:
        provider = ActionCommands(desk.app.screen)
        found = {typed: max([hit async for hit in provider.search(typed)]).text for typed in FOUND}
        assert found == FOUND


async def test_start_and_a_name_previews_its_start(machine, open_console):
    machine.picture = first_run()
    async with open_console() as desk:
        await desk.press("colon", *"start kbs")
        await desk.until(lambda: "trigger kbSync" in desk.screen_text())
        await desk.press("down", "enter")
        await desk.until(lambda: "Start kbSync?" in desk.screen_text())


def test_another_word_is_not_the_name_of_its_own_action():
    assert [action.id for action in ACTIONS if action.label in action.also] == []
