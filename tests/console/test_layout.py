"""Sizes, footers and colours: what fits, and what reads without colour."""

from __future__ import annotations

import re

import pytest

from neo_console.panels.fitting import GAP, fit
from neo_console.rows import incidents, outcomes, processes, reliefs, schedule, services
from neo_console.vocabulary import Tone
from screenshots.fixtures import first_run, pressed, trouble

EXPORTED = {"ff5f57", "febc2e", "28c840", "c5c8c6"}  # the drawn window's own buttons and text


async def test_where_it_is_narrow_one_panel_at_a_time(open_console):
    async with open_console(size=(99, 40)) as desk:
        for size in ((99, 40), (80, 24), (60, 16), (120, 20)):
            await desk.resize(*size)
            assert "  2 Processes   " in desk.screen_text(), size
            for key, part in (
                ("2", "python3"),
                ("3", "completed"),
                ("4", "dream ━"),
                ("5", "5 Log"),
                ("1", "primary-dev-sync"),
            ):
                await desk.press(key)
                assert part in desk.screen_text(), (size, key)
                assert sum(panel.display for panel in desk.main.panels) == 1, (size, key)
                assert desk.app.focused is desk.main.current.body, (size, key)


@pytest.mark.parametrize("size", [(59, 40), (120, 15), (10, 3)])
async def test_where_it_is_tiny_a_sentence(open_console, size):
    async with open_console(size=size) as desk:
        assert desk.main._tiny.display
        assert not desk.main._body.display
        if size[0] > 50:
            assert f"{size[0]}×{size[1]} cells; the console needs 60×16" in desk.screen_text()
        await desk.resize(120, 40)
        await desk.until(lambda: "● HELD" in desk.screen_text())


async def test_where_it_is_tiny_no_key_acts_but_the_one_that_quits(open_console):
    async with open_console(size=(20, 5)) as desk:
        await desk.press("j", "enter", "p", "z", "colon", "P")
        assert desk.app.screen is desk.main
        assert not desk.main.frozen
        assert not desk.main.zoomed
        await desk.resize(120, 40)
        assert desk.app.context().subject.key == "backup"
        await desk.press("P")
        await desk.resize(20, 5)
        await desk.press("x", "escape")
        await desk.resize(120, 40)
        assert "Pause every task" in desk.screen_text(), "what was asked is still there, as it was"
        await desk.resize(20, 5)
        await desk.pilot.press("q")
        assert desk.app.return_code == 0


async def test_who_blocks_a_start_is_read_in_the_schedule_and_in_the_outcomes(open_console):
    async with open_console() as desk:
        for size in ((120, 40), (80, 24)):
            await desk.resize(*size)
            await desk.press("1")
            assert "waiting 12m: dream, pid 4211 " in desk.screen_text(), size
            await desk.press("3")
            assert "by dream, pid 4211" in desk.screen_text(), size


@pytest.mark.parametrize(("size", "most"), [((60, 16), 2), ((120, 40), 3)])
async def test_the_first_words_leave_room_for_the_tasks(machine, open_console, size, most):
    machine.picture = first_run()
    async with open_console(size=size) as desk:
        assert desk.main.banners.size.height <= most
        for part in ("t starts the selected", "o the orchestrator", "? lists the keys"):
            assert part in " ".join(desk.text_of(desk.main.banners).split())


async def test_a_console_that_may_change_nothing_offers_nothing_that_changes_something(open_console):
    async with open_console(read_only=True) as desk:
        assert [hint.action_id for hint in desk.main.keys._hints] == ["why", "log", "filter", "help", "quit"]
        await desk.press("x")
        assert "this console is read-only" in desk.screen_text()


async def test_resizing_keeps_selection_and_focus(open_console):
    async with open_console() as desk:
        await desk.press("3", "down", "down")
        key = desk.app.context().subject.key
        for size in ((80, 24), (120, 40), (60, 16), (140, 50)):
            await desk.resize(*size)
            assert desk.app.context().subject.key == key
            assert desk.app.focused is desk.main.outcomes.table


async def test_no_line_overflows(open_console):
    async with open_console(size=(60, 40)) as desk:
        for width in (60, 80, 100, 120):
            await desk.resize(width, 40)
            shown = desk.screen_text().splitlines()
            assert "q quit" in shown[-1], width
            assert "14:03:22" in shown[0], width


async def test_the_footer_is_grey_where_an_action_is_blocked(open_console):
    async with open_console() as desk:
        grey = {hint.action_id for hint in desk.main.keys._hints if hint.blocked}
        assert grey == {"trigger", "stop"}
        await desk.press("3")
        await desk.press("g")
        grey = {hint.action_id for hint in desk.main.keys._hints if hint.blocked}
        assert grey == {"trigger"}


@pytest.mark.parametrize("size", [(60, 16), (200, 60)])
async def test_a_dialog_keeps_its_buttons_and_its_target_in_sight(machine, open_console, size):
    machine.picture = first_run()
    async with open_console(size=size) as desk:
        await desk.press("t")
        for part in ("Start backup?", "target", "Cancel", "  Start backup  "):
            assert part in desk.screen_text()


async def test_a_preview_shows_the_gates_verdict_above_the_fold(machine, open_console):
    machine.picture = first_run()
    async with open_console(size=(60, 16)) as desk:
        await desk.press("t")
        assert "✓ all 8 let it start" in desk.screen_text()


async def test_a_form_keeps_its_buttons_where_there_is_little_room(open_console):
    async with open_console(size=(60, 16)) as desk:
        for key in ("P", "d"):
            await desk.press(key)
            if key == "d":
                await desk.press("enter")
            await desk.press("enter", "enter")
            for part in ("Why? A few words", "Cancel", "esc cancel"):
                assert part in desk.screen_text()
            await desk.press("escape")


async def test_the_schedule_and_the_services_have_room(machine, open_console):
    machine.picture = trouble()
    parts = ("starved 2h: dream", "retry 2 in 1m", "in 16h", "Sat 06:30", "chroma", "◌ backoff", "✗ COLLISION")
    async with open_console() as desk:
        for size in ((120, 40), (80, 24), (60, 16)):
            await desk.resize(*size)
            assert [part for part in parts if part not in desk.screen_text()] == [], size


async def test_every_page_opens_where_there_is_little_room(open_console):
    async with open_console(size=(60, 16)) as desk:
        for key in ("w", "enter", "l", "question_mark", "d", "colon"):
            await desk.press(key)
            assert desk.app.screen is not desk.main
            desk.screen_text()
            await desk.press("escape")


async def test_a_click_on_a_hint_does_what_the_key_does(open_console):
    async with open_console() as desk:
        line = desk.screen_text().splitlines()[-1]
        await desk.pilot.click(offset=(line.index("? help"), 39))
        await desk.pilot.pause()
        assert "Help" in desk.screen_text()


async def test_it_reads_without_colour(open_console, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    async with open_console() as desk:
        drawn = desk.app.export_screenshot()
        colours = {colour.lower() for colour in re.findall(r"(?:fill: |fill=\")#([0-9a-fA-F]{6})", drawn)}
        assert {colour for colour in colours if len({colour[0:2], colour[2:4], colour[4:6]}) > 1} <= EXPORTED
        for part in ("● HELD", "◐ deferred", "✗ failed", "✓ completed", "waiting 12m: dream"):
            assert part in desk.screen_text()


@pytest.mark.parametrize("key", ["d", "question_mark", "l"])
async def test_a_page_or_dialog_in_a_terminal_too_small_says_so_and_nothing_is_confirmed(machine, open_console, key):
    async with open_console(size=(80, 24)) as desk:
        await desk.press("j", "j", "j", "j", key)
        opened = desk.app.screen
        await desk.resize(40, 10)
        assert "This terminal has 40×10 cells" in desk.screen_text()
        if key == "d":
            opened.confirm.press()
            await desk.press("enter", "enter")
        assert machine.asked == []
        await desk.resize(80, 24)
        assert desk.app.screen is opened
        assert "This terminal has" not in desk.screen_text()


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 16)])
async def test_a_dialog_is_never_covered_and_names_its_keys(machine, open_console, size):
    machine.picture = first_run()
    async with open_console(size=size) as desk:
        await desk.press("ctrl+c", "t", "ctrl+c")
        await desk.settled()
        shown = desk.screen_text()
        assert "esc cancels this; q then quits the console." in " ".join(shown.replace("│", " ").split())
        for part in ("tab next · enter choose · esc cancel", "  Start backup  ", "all 8 let it start"):
            assert part in shown
        if size != (80, 24):
            assert ("↑ ↓ more" in shown) == (size == (60, 16))


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 16)])
async def test_an_empty_workspace_explains_itself_without_a_key(machine, open_console, size):
    machine.picture = first_run()
    async with open_console(size=size) as desk:
        shown = " ".join(desk.screen_text().split())
        for part in ("nothing has run here yet", "o the orchestrator", "t starts the selected"):
            assert part in shown
        assert ("neo-console init" in shown) is (size[1] >= 24), "where lines are few, the first keys have them"
        assert "due: never ran" in shown
        await desk.press("j", "t")
        assert "Start kbSync?" in desk.screen_text()


@pytest.mark.parametrize(
    "columns", [panel.COLUMNS for panel in (schedule, services, outcomes, processes, reliefs, incidents)]
)
@pytest.mark.parametrize("available", [53, 56, 65, 76])
def test_a_table_never_asks_for_more_cells_than_there_are(columns, available):
    widths = fit(columns, available)
    assert sum(widths.values()) + GAP * (len(widths) - 1) <= available
    assert {index for index, column in enumerate(columns) if not column.spare} <= set(widths)


async def test_the_selected_row_stays_in_sight_when_a_result_takes_its_lines(open_console):
    async with open_console(size=(60, 16)) as desk:
        await desk.press("3")
        table = desk.main.outcomes.table
        await desk.press(*"j" * (table.scrollable_content_region.height - 2))
        desk.app.report("a result of three lines " * 7, Tone.OK)
        await desk.settled()
        assert desk.main.result.size.height == 4
        top = table.cursor_row - table.scroll_offset.y
        assert 0 <= top < table.scrollable_content_region.height - 1
        assert table.get_row_at(table.cursor_row)[0].plain in desk.screen_text()


async def test_in_the_smallest_terminal_what_is_shortened_says_so(machine, open_console):
    machine.picture = pressed()
    async with open_console(size=(60, 16)) as desk:
        await desk.press("3")
        assert "manual, pid 4… │" in desk.screen_text()
        await desk.press("i")
        await desk.until(lambda: "grew most" in desk.screen_text())
        for part in ("≥3m12s", "✗ critical ", "dream +9.6G"):
            assert part in desk.screen_text()


async def test_a_change_of_the_size_that_was_not_told_is_noticed(open_console):
    async with open_console(size=(120, 40)) as desk:
        desk.app.terminal_size = lambda: (40, 10)
        desk.app._beat()
        await desk.resized(40, 10)
        assert "This terminal has 40×10 cells" in desk.screen_text()
        desk.app.terminal_size = lambda: (0, 0)
        desk.app._beat()
        await desk.settled()
        assert desk.app.size == (40, 10)
