"""NO_COLOR: what has the focus or is selected is seen by how its letters are drawn."""

from __future__ import annotations

import pytest

from screenshots.fixtures import pressed


@pytest.fixture(autouse=True)
def _no_colour(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")


def told_apart(desk, region):
    """Return the text in the region that is reversed or underlined."""
    lines = desk.app.screen._compositor.render_strips()[region.y : region.bottom]
    cut = [segment for line in lines for segment in line.crop(region.x, region.right)]
    return "".join(
        segment.text for segment in cut if segment.style and (segment.style.reverse or segment.style.underline)
    )


def reversed_rows(desk):
    """Return the lines of the screen that are reversed from their first letter to their last."""
    lines = desk.app.screen._compositor.render_strips()
    turned = ("".join(segment.text for segment in line if segment.style and segment.style.reverse) for line in lines)
    return [line.strip(" █") for line in turned if line.strip(" █")]


@pytest.mark.parametrize(
    "keys",
    [("d",), ("P",), ("3", "x"), ("3", "X"), ("m", "down", "enter")],
    ids=["defer", "pause", "stop", "force stop", "unload"],
)
async def test_of_everything_in_a_dialog_only_what_has_the_focus_is_told_apart(machine, open_console, keys):
    if keys[0] == "m":
        machine.picture = pressed()
    async with open_console(size=(80, 24)) as desk:
        await desk.press(*keys[:1])
        if keys[0] == "m":
            await desk.until(lambda: desk.app.screen.table.row_count == 4)
        await desk.press(*keys[1:])
        dialog = desk.app.screen
        assert len(dialog.focus_chain) > 1
        for _ in dialog.focus_chain:
            focused = desk.app.focused
            # A cursor blinks; what tells the focus must not go with it.
            if hasattr(focused, "_cursor_visible"):
                focused._pause_blink(visible=False)
                await desk.settled()
            assert told_apart(desk, focused.region).strip()
            for other in dialog.focus_chain:
                assert other is focused or told_apart(desk, other.region) == ""
            await desk.press("tab")


@pytest.mark.parametrize("keys", [("3", "X", "tab"), ("slash",)])
async def test_the_cursor_of_a_field_is_reversed(open_console, keys):
    async with open_console() as desk:
        await desk.press(*keys)
        await desk.press("a", "b", "left")
        field = desk.app.focused
        field._pause_blink(visible=True)
        await desk.settled()
        x, y = field.cursor_screen_offset
        (cell,) = desk.app.screen._compositor.render_strips()[y].crop(x, x + 1)
        assert (cell.text, cell.style.reverse) == ("b", True)


async def test_the_chosen_entry_of_a_menu_is_reversed(open_console):
    async with open_console() as desk:
        await desk.press("2", "down", "y")
        for key, number in (("j", "2"), ("k", "1")):
            await desk.press(key)
            (row,) = [row for row in reversed_rows(desk) if row[:1].isdigit() and "Processes" not in row]
            assert row.startswith(number)


async def test_the_chosen_action_of_the_palette_is_reversed(open_console):
    async with open_console() as desk:
        await desk.press("colon")
        await desk.until(lambda: any(row.startswith("trigger") for row in reversed_rows(desk)))
        await desk.press("down")
        rows = reversed_rows(desk)
        assert any(row.startswith("defer") for row in rows)
        assert not any(row.startswith("trigger") for row in rows)
