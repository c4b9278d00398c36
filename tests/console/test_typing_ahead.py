"""Keys that come faster than the screen follows: they never act where they were not meant, and nothing ends twice."""

from __future__ import annotations

import asyncio

import pytest
from textual.events import Key

from neo_console import keysinturn
from neo_console.dialogs.confirm import Confirm
from neo_console.field import Field
from neo_console.keysinturn import KeyTaken
from neo_console.screens.health import HealthPage
from neo_console.screens.log import LogScreen
from neo_console.screens.why import WhyNow

AHEAD = "/qPo?jL:"
NAMES = {"/": "slash", "?": "question_mark", ":": "colon", "\n": "enter", "\x15": "ctrl+u", "\t": "tab", " ": "space"}


def type_at_once(desk, text):
    """Put every key into the queue before the first is looked at, as a terminal does."""
    for character in text:
        desk.app.post_message(Key(NAMES.get(character, character), character if character.isprintable() else None))


async def test_keys_whose_widgets_vanish_hold_no_other_up(open_console, monkeypatch):
    async with open_console() as desk:
        monkeypatch.setattr(KeyTaken, "bubble", False)
        monkeypatch.setattr(keysinturn, "_AT_MOST", 0)
        type_at_once(desk, "4523")
        await desk.until(lambda: desk.main.current is desk.main.outcomes)
        type_at_once(desk, "12")
        await desk.until(lambda: desk.main.current is desk.main.processes)


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


@pytest.mark.parametrize("place", ["a table", "the log panel", "the log page"])
async def test_what_is_typed_right_after_the_slash_goes_into_the_field_and_never_acts(open_console, place):
    async with open_console(size=(80, 24)) as desk:
        if place != "a table":
            await desk.press("5" if place == "the log panel" else "l")
        screen = desk.app.screen
        assert isinstance(screen, LogScreen) == (place == "the log page")
        bar = desk.main.filter_bar
        if place != "a table":
            bar = screen.pane.bar if place == "the log page" else desk.main.log_panel.bar
        type_at_once(desk, AHEAD)
        await desk.until(lambda: bar.typing and bar._input.value == AHEAD[1:])
        await desk.settled()
        assert desk.app.screen is screen
        assert desk.machine.asked == []
        assert desk.app.journal.results() == ()
        if place == "a table":
            assert desk.main.schedule.filter.text == AHEAD[1:]
        else:
            assert f"/{AHEAD[1:]}" in desk.screen_text()
            assert "no match" in desk.screen_text()
        await desk.press("escape")
        assert not bar.typing
        assert desk.app.screen is screen


async def test_what_is_typed_right_behind_enter_acts_on_what_the_filter_left(open_console):
    async with open_console() as desk:
        type_at_once(desk, "/kbSync\nw")
        await desk.settled()
        assert desk.main.schedule.filter.text == "kbSync"
        assert not desk.main.filter_bar.typing
        assert desk.app.screen.query_one("#page").border_title.startswith("Why · kbSync")


async def test_a_key_waits_for_one_before_it_that_is_slow(open_console, monkeypatch):
    slow = asyncio.Event()
    submit = Field.action_submit

    async def submit_slowly(field):
        await slow.wait()
        await submit(field)

    monkeypatch.setattr(Field, "action_submit", submit_slowly)
    monkeypatch.setattr(keysinturn, "_LOOK_EVERY", 0.01)
    async with open_console() as desk:
        looks = count_calls(monkeypatch, desk.app, "_look_after_it")
        type_at_once(desk, "/kbSync\nw")
        async with asyncio.timeout(10):
            while len(looks) <= 3:
                await asyncio.sleep(0.005)
        assert desk.main.schedule.filter.text == "kbSync"
        assert desk.app.screen is desk.main
        slow.set()
        await desk.until(lambda: isinstance(desk.app.screen, WhyNow))


def count_calls(monkeypatch, of, name):
    """Return a list that grows with every call."""
    calls, called = [], getattr(of, name)

    async def call():
        calls.append(name)
        await called()

    monkeypatch.setattr(of, name, call)
    return calls


async def test_a_filter_that_is_typed_over_at_once_is_the_new_one(open_console):
    async with open_console() as desk:
        for burst in (["/took:>1m\n"], ["/", "\x15status:waiting\n"], ["/\x15task:b\n"]):
            for keys in burst:
                type_at_once(desk, keys)
                await desk.pilot.pause()
            await desk.settled()
            assert desk.main.schedule.filter.text == "".join(burst).strip("/\n").replace("/", "").replace("\x15", "")
            assert not desk.main.filter_bar.typing


async def test_what_is_typed_behind_the_search_of_a_log_goes_to_the_log(open_console):
    async with open_console(size=(80, 24)) as desk:
        await desk.press("l")
        pane = desk.app.screen.pane
        type_at_once(desk, "/copied\nN")
        await desk.settled()
        assert pane.search.matcher.text == "copied"
        assert "2 of 3" in desk.screen_text()


async def test_the_fields_of_a_form_are_filled_at_once(open_console):
    async with open_console() as desk:
        type_at_once(desk, "d\x152h\na talk about /etc\n")
        await desk.until(lambda: desk.app.screen is desk.main)
        await desk.settled()
        (asked,) = desk.machine.asked
        assert "a talk about /etc" in repr(asked)
        assert "2h" in desk.screen_text() or "in 2h" in repr(desk.app.journal.results())


async def test_a_bar_that_is_opened_again_offers_what_was_kept_and_typing_replaces_it(open_console):
    async with open_console() as desk:
        await desk.press("slash", *"back", "enter", "slash")
        assert desk.main.filter_bar._input.value == "back"
        await desk.press(*"kb")
        assert desk.main.schedule.filter.text == "kb"


async def test_the_panel_asked_for_last_is_the_one_in_front(open_console):
    async with open_console(size=(80, 24)) as desk:
        for _ in range(7):
            desk.main.go_by(-1)
        await desk.settled()
        assert (desk.main.current, desk.app.focused) == (desk.main.memory, desk.main.memory.plot)
