"""The time cursor of the memory panel: it walks through the record, and says that what it shows is the past."""

from __future__ import annotations

import re

import msgspec
import pytest

from neo_console.cursor import FAR, LONG
from neo_console.screens.detail import Detail
from neo_console.screens.moment import MomentPage
from neo_core.errors import LedgerError
from neo_core.snapshot import Section
from screenshots.courses import STEP, calm_course
from screenshots.engine import FixedEngine, past_of
from screenshots.fixtures import pressed
from screenshots.parts import NOW


async def look_back(desk, *keys):
    """Press keys in the memory panel and wait until what they ask for was read."""
    await desk.press(*keys)
    await desk.until(lambda: desk.main.memory.reading is None)
    await desk.settled()
    return desk.text_of(desk.main.memory)


async def press_while_the_record_is_read(desk, machine, *keys):
    await desk.press("4")
    machine.gate.clear()
    desk.app.nudge()
    await desk.until(lambda: not desk.app.resting)
    for key in keys:
        await desk.pilot.press(key)
    machine.gate.set()


def title(desk):
    return str(desk.main.memory.border_title)


@pytest.mark.parametrize("size", [(120, 40), (60, 16)])
async def test_a_moment_that_is_past_is_shown_as_such_with_its_table(machine, open_console, size, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    machine.picture = pressed()
    async with open_console(size=size) as desk:
        shown = await look_back(desk, "4", "[", "{")
        assert "4 Memory · THEN 14:01:22" in desk.screen_text()
        for part in ("THEN 2m00s ago · lease dream", "2.2G of 16G free · PSI 19.2", "incident 3, critical", "▲"):
            assert part in shown
        assert re.search(r"dream +run +8\.5G", shown)
        assert "trees, as at 14:01:22" in shown


async def test_it_goes_back_to_now(open_console):
    async with open_console() as desk:
        for back in ("0", "escape", "G"):
            await look_back(desk, "4", "[", "[")
            assert "THEN" in title(desk)
            shown = await look_back(desk, back)
            assert title(desk) == "4 Memory"
            assert "THEN" not in shown
            assert "● NORMAL" in shown
            assert desk.main.current is desk.main.memory


async def test_arrows_and_keys_step_by_a_sample_and_by_a_minute(open_console):
    async with open_console() as desk:
        await look_back(desk, "4", "left", "left", "[")
        at = desk.main.memory.cursor.at
        assert at == NOW - 2 * STEP
        await look_back(desk, "shift+left")
        assert desk.main.memory.cursor.at == at - FAR * STEP
        await look_back(desk, "right", "]")
        assert desk.main.memory.cursor.at == at - (FAR - 2) * STEP
        await look_back(desk, "}", "}")
        assert desk.main.memory.cursor is None


async def test_keys_that_come_while_the_record_is_read_are_not_lost(machine, open_console):
    async with open_console() as desk:
        await press_while_the_record_is_read(desk, machine, *["["] * 4)
        await look_back(desk)
        assert desk.main.memory.cursor.at == NOW - 3 * STEP


@pytest.mark.parametrize("size", [(120, 40), (60, 16)])
async def test_a_time_can_be_typed_from_anywhere(open_console, size):
    async with open_console(size=size) as desk:
        await desk.press("at", *"14:01")
        assert "14:01:00, 2m22s ago" in desk.screen_text()
        await look_back(desk, "enter")
        assert title(desk) == "4 Memory · THEN 14:01:02"
        assert desk.main.current is desk.main.memory
        assert desk.app.journal.results() == ()
        await look_back(desk, "at", *"5m ago", "enter")
        assert title(desk) == "4 Memory · THEN 13:58:22"


async def test_what_is_no_time_or_still_to_come_is_refused_in_the_dialog(open_console):
    async with open_console() as desk:
        await desk.press("4", "at", "enter")
        assert "Which time? Write it like 14:03" in desk.screen_text()
        await desk.press(*"soon", "enter")
        assert "That is no time. Write it like 14:03" in desk.screen_text()
        await desk.press(*["backspace"] * 4, *"2030-01-01T00:00", "enter")
        assert "is still to come" in desk.screen_text()
        await desk.press("escape")
        assert desk.main.memory.cursor is None


async def test_a_time_in_a_gap_of_the_record_shows_the_nearest_sample_and_says_so(machine, open_console):
    machine.memory_past = Archive().memory_past
    async with open_console() as desk:
        await look_back(desk, "at", *"12:10", "enter")
        assert desk.main.memory.cursor.at == NOW - 7200
        said = desk.app.journal.results()[0].text
        assert said == "nothing was recorded near 12:10:00; the nearest sample is 12:03:22, 6m38s away"
        await look_back(desk, "at", *"8h", "enter")
        assert "nothing was recorded near 06:03:22" in desk.app.journal.results()[0].text
        assert desk.main.memory.cursor.place == 0


async def test_now_asked_for_while_the_record_is_read_stays_now(machine, open_console):
    async with open_console() as desk:
        await press_while_the_record_is_read(desk, machine, "[", "0")
        await desk.settled()
        assert desk.main.memory.cursor is None


async def test_new_samples_do_not_move_the_moment(open_console):
    async with open_console() as desk:
        await look_back(desk, "4", "[", "{")
        before = title(desk)
        desk.clock.at += 60
        newer = msgspec.structs.replace(calm_course(), samples=())
        desk.app.picture.take(desk.app.picture.snapshot, Section(at=NOW + 60, value=newer))
        desk.main.refresh_picture()
        await desk.settled()
        assert title(desk) == before
        assert "THEN 3m00s ago" in desk.text_of(desk.main.memory)


class Archive(FixedEngine):
    """A record of two half hours, a sample a minute, and an hour and a half between them in which nobody recorded."""

    def __init__(self):
        super().__init__()
        whole = calm_course().samples[:: FAR // 2]
        self.samples = tuple(
            msgspec.structs.replace(one, reading=msgspec.structs.replace(one.reading, at=one.reading.at - hours * 3600))
            for hours in (2, 0)
            for one in whole
        )

    def memory_past(self, begin, end):
        return past_of(self.samples, begin, end, near=90.0)


async def test_what_is_older_than_the_panel_comes_from_the_record_and_a_gap_is_named(machine, open_console):
    archive = Archive()
    machine.memory_past = archive.memory_past
    async with open_console(size=(120, 60)) as desk:
        await look_back(desk, "4", "[", "{", "{", *["["] * 6)
        assert desk.main.memory.cursor.at == NOW - LONG
        assert "no record for 1h30m before it" in desk.text_of(desk.main.memory)
        shown = await look_back(desk, "[")
        assert desk.main.memory.cursor.at == NOW - 7200
        assert "no record for 1h30m after it" in shown
        await look_back(desk, "]")
        assert desk.main.memory.cursor.at == NOW - LONG
        await look_back(desk, "g")
        assert desk.main.memory.cursor.at == archive.samples[0].reading.at
        await look_back(desk, "{")
        assert "nothing older is kept: the record begins 11:33:22" in desk.screen_text()


async def test_a_record_that_ended_long_ago_is_shown_from_its_end(machine, open_console):
    archive = Archive()
    machine.memory_past = archive.memory_past
    async with open_console() as desk:
        desk.clock.at += 5 * 3600
        await look_back(desk, "4", "[")
        assert desk.main.memory.cursor.at == NOW
        assert "THEN 5h00m ago" in desk.text_of(desk.main.memory)


async def test_nothing_acts_on_the_past_nor_on_what_another_panel_has_selected(machine, open_console):
    async with open_console() as desk:
        await desk.press("2", "j", "j")
        await look_back(desk, "4", "[", "[")
        keys = "xXtdwly"
        await desk.press(*keys)
        assert desk.app.screen is desk.main
        assert machine.asked == []
        said = [result.text for result in desk.app.journal.results()]
        assert said == ["this is the memory as it was at 14:03:12 — press 0 for now"] * len(keys)
        await desk.press("1", "g")
        assert desk.app.context().subject.key == "backup"


async def test_enter_tells_everything_of_the_moment(machine, open_console):
    machine.picture = pressed()
    async with open_console(size=(120, 60)) as desk:
        await look_back(desk, "4", "[", "{", "enter")
        assert isinstance(desk.app.screen, MomentPage)
        shown = desk.screen_text()
        for part in (
            "Memory THEN · 14:01:22, 2m00s ago",
            "PSI some 19.2 %",
            "held by dream, run 9f31c07a55d2",
            "neo-console incident 3",
            "612M · service · pid 4140 · 1 process",
        ):
            assert part in shown
        await desk.press("escape")
        assert "THEN" in title(desk)


async def test_enter_in_the_memory_of_now_tells_what_has_it_now(machine, open_console):
    machine.picture = pressed()
    async with open_console(size=(120, 60)) as desk:
        await desk.press("2", "j", "enter")
        assert isinstance(desk.app.screen, Detail)
        machine.gate.clear()
        desk.app.nudge()
        await desk.pilot.press("escape", "4", "enter")
        await desk.until(lambda: "Looking at every process" in desk.screen_text())
        machine.gate.set()
        await desk.until(lambda: "Memory NOW · looked at 14:03:22, 0s ago" in desk.screen_text())
        await desk.settled()
        for part in ("● HELD · dream · manual · pid 4211 · for 12m", "612M · service · pid 4140 · 1 process"):
            assert part in desk.screen_text()
        await desk.press("escape", "d")
        assert "nothing is selected here" in desk.app.journal.results()[0].text


async def test_enter_waits_for_the_moment_that_is_still_read(machine, open_console):
    async with open_console() as desk:
        await press_while_the_record_is_read(desk, machine, "[", "[", "enter")
        await desk.until(lambda: isinstance(desk.app.screen, MomentPage))
        await desk.settled()
        assert "Memory THEN · 14:03:12" in desk.screen_text()


async def test_why_the_memory_of_now_cannot_be_told_is_said(machine, open_console):
    def fail():
        raise LedgerError("ledger x", "is away", "Mend it.")

    machine.memory_now = fail
    async with open_console() as desk:
        await desk.press("4", "enter")
        await desk.until(lambda: "What has the memory cannot be told. ledger x: is away" in desk.screen_text())


async def test_the_log_stays_that_of_the_selection(open_console):
    async with open_console() as desk:
        await desk.until(lambda: "copied" in desk.main.log_panel.log_view.text)
        of = desk.main.log_panel.of
        await look_back(desk, "4", "[")
        assert desk.main.log_panel.of == of


async def test_time_moves_in_the_memory_panel_only_and_not_ahead_of_now(open_console):
    async with open_console() as desk:
        await desk.press("[")
        assert desk.main.memory.cursor is None
        assert "only the memory panel goes back in time — press 4" in desk.app.journal.results()[0].text
        await look_back(desk, "4", "]")
        assert "this is now — [ goes back in time" in desk.app.journal.results()[0].text


async def test_without_a_record_it_says_so(machine, open_console):
    machine.memory_past = lambda begin, end: past_of((), begin, end, near=30.0)
    async with open_console() as desk:
        for key in ("[", "g"):
            await look_back(desk, "4", key)
            assert desk.main.memory.cursor is None
            assert "no sample of the memory is recorded yet" in desk.app.journal.results()[0].text


async def test_a_record_that_cannot_be_read_is_told_and_asked_again(machine, open_console):
    whole = machine.memory_past

    def fail(_begin, _end):
        raise LedgerError("ledger x", "is away", "Mend it.")

    machine.memory_past = fail
    async with open_console() as desk:
        await look_back(desk, "4", "[")
        assert "was not read. ledger x: is away" in desk.app.journal.results()[0].text
        machine.memory_past = whole
        await look_back(desk, "[")
        assert "THEN" in title(desk)


async def test_it_moves_while_the_tables_are_frozen(open_console):
    async with open_console() as desk:
        await look_back(desk, "p", "4", "[", "{")
        assert "4 Memory · THEN 14:01:22" in desk.screen_text()
        await look_back(desk, "0")
        assert "THEN" not in desk.screen_text()


async def test_a_frozen_panel_shows_the_same_after_a_resize(open_console):
    async with open_console() as desk:
        await desk.press("p")
        frozen = desk.text_of(desk.main.memory)
        assert "4.6G of 16G free" in frozen
        picture = pressed()
        desk.app.picture.take(picture, Section(at=NOW, value=FixedEngine(picture).memory_course(1800.0)))
        for size in ((130, 44), (120, 40)):
            await desk.resize(*size)
        assert desk.text_of(desk.main.memory) == frozen
        await desk.press("p")
        assert "✗ CRITICAL" in desk.text_of(desk.main.memory)
