"""What of a table is in sight: its top, unless the operator scrolled it or chose a row further down."""

from __future__ import annotations

import pytest

from neo_console.panels.sight import scroll_after_change, scroll_after_resize
from neo_console.vocabulary import Tone
from neo_core.ledger.models import Outcome
from screenshots.fixtures import snapshot
from screenshots.parts import NOW, run


@pytest.mark.parametrize(
    ("scrolled", "before", "row", "chosen", "wanted"),
    [
        (0, 0, 12, False, 0),  # newer rows came above one that was only entered
        (0, 2, 3, True, 0),  # a chosen row is still in sight
        (0, 2, 12, True, 5),  # a chosen row would go out of sight
        (5, 12, 3, True, 0),  # and comes back
        (4, 6, 9, True, 7),  # the operator scrolled: the row stays where it is on the screen
        (4, 6, 0, True, 0),
    ],
)
def test_the_top_is_followed_until_the_operator_scrolls(scrolled, before, row, chosen, wanted):
    assert scroll_after_change(scrolled, before, row, 8, chosen=chosen) == wanted


def test_lines_that_are_lost_for_a_while_scroll_back_when_they_are_there_again():
    assert scroll_after_resize(0, 7, 8, 5) == 3
    assert scroll_after_resize(3, 7, 5, 8) == 0
    assert scroll_after_resize(2, 4, 8, 5) == 2


def runs(count):
    return tuple(
        run(f"{number:012x}", f"t{number}", Outcome.COMPLETED, at=NOW - 1000 + number, ended_at=NOW - 1000 + number)
        for number in range(count, 0, -1)
    )


async def test_the_newest_outcome_stays_in_sight_when_the_panel_was_only_entered(machine, open_console):
    machine.picture = snapshot(outcomes=runs(9))
    async with open_console(size=(80, 24)) as desk:
        table = desk.main.outcomes.table
        await desk.press("3")
        for count in (12, 30, 45):
            await desk.see(snapshot(outcomes=runs(count)))
            assert table.scroll_offset.y == 0
            assert f" t{count} " in desk.screen_text()
        assert table.subject.task == "t9", "the selection is still what it was"


async def test_a_chosen_row_stays_in_sight_and_a_passing_result_moves_nothing_for_good(machine, open_console):
    machine.picture = snapshot(outcomes=runs(9))
    async with open_console(size=(80, 24)) as desk:
        table = desk.main.outcomes.table
        await desk.press("3", "j", "j")
        await desk.see(snapshot(outcomes=runs(40)))
        assert table.subject.task == "t7"
        assert " t7 " in desk.screen_text()
        await desk.press("g", *["j"] * (table.scrollable_content_region.height - 2))
        assert table.scroll_offset.y == 0
        desk.app.report("something was done — see " + "what it was " * 12, Tone.OK)
        await desk.settled()
        assert table.scroll_offset.y > 0
        desk.clock.at += 100
        desk.main.refresh_page()
        await desk.settled()
        assert table.scroll_offset.y == 0
