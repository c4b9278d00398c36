"""Where a table looks while rows come: a key that goes somewhere gets there, whatever was collected meanwhile."""

from __future__ import annotations

import pytest

from neo_console.collector import Collected
from neo_console.news import News
from neo_core.ledger.models import Outcome
from screenshots.fixtures import snapshot
from screenshots.parts import NOW, run

KEPT = 500
NEWER = (1, 2)


def ended(number):
    at = NOW - 100_000 + 60 * number
    return run(f"{number + 10_000:012x}", "kbSync", Outcome.COMPLETED, at=at, started_at=at, ended_at=at + 1)


def until(number, kept):
    """Return the picture whose newest outcome has that number."""
    return snapshot(outcomes=tuple(ended(number - place) for place in range(kept)))


def place(table):
    """Return in which line of the table's rows the selected one stands; it is in sight below ``height``."""
    return table.cursor_row - table.scroll_offset.y


def height(table):
    return table.scrollable_content_region.height - 1


@pytest.mark.parametrize(
    ("begin", "kept", "order"),
    [
        ("g", 60, "key, rows, rows"),
        ("gjjj", 60, "rows, key, rows"),
        ("G", 60, "rows, key, rows"),
        ("G", KEPT, "rows, key, rows"),
    ],
)
async def test_the_end_is_reached_while_rows_come(machine, open_console, begin, kept, order):
    machine.picture = until(0, kept)
    async with open_console(size=(60, 16)) as desk:
        table = desk.main.outcomes.table
        await desk.press("3", *begin)
        newer = (until(number, min(kept + number, KEPT)) for number in NEWER)
        # All of it before anything is drawn, as keys and pictures that have waited.
        for part in order.split(", "):
            if part == "key":
                table.move_to_end(last=begin != "G")
            else:
                desk.app.on_news(News(Collected(next(newer))))
        machine.picture = desk.app.picture.snapshot
        await desk.settled()
        assert 0 <= place(table) < height(table)


async def test_who_looked_elsewhere_goes_on_seeing_the_same_rows(machine, open_console):
    machine.picture = until(0, 60)
    async with open_console(size=(60, 16)) as desk:
        table = desk.main.outcomes.table
        await desk.press("3", "g", *"jjj")
        table.scroll_to(y=30, animate=False, immediate=True)
        await desk.settled()
        await desk.see(until(2, 62))
        assert (table.cursor_row, table.scroll_offset.y) == (5, 32)


@pytest.mark.parametrize(("before", "last"), [("3G1", False), ("3g1", True), ("1", True)])
async def test_a_key_that_follows_the_one_that_shows_the_panel_goes_where_it_says(machine, open_console, before, last):
    machine.picture = until(0, 60)
    async with open_console(size=(60, 16)) as desk:
        table = desk.main.outcomes.table
        await desk.press(*before)
        desk.app.perform("panel-3")
        table.move_to_end(last=last)
        await desk.settled()
        assert 0 <= place(table) < height(table)
