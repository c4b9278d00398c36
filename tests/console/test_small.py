"""What a small terminal must not lose: what blocks, the way out, and the last line of every list."""

from __future__ import annotations

import msgspec
import pytest

from neo_console.actions import BY_ID
from neo_console.palette import Palette
from neo_console.panels.footer import fitted
from neo_console.subjects import task_subject
from neo_console.vocabulary import Tone
from neo_core.schedule.decision import Gate
from neo_core.snapshot import ScheduleView
from screenshots.fixtures import busy_tasks, snapshot, trouble

from .test_actions import a_context

SIZES = [(120, 40), (80, 24), (60, 16)]
COMMAND = " ".join(["python3", "-m", "some.module", *(f"--option-{number} /a/very/long/path" for number in range(30))])


def with_a_long_command():
    """The usual picture, but what the tasks run is longer than a page."""
    tasks = []
    for one in busy_tasks():
        gates = tuple(
            msgspec.structs.replace(gate, value=COMMAND) if gate.gate is Gate.CONFIGURED else gate
            for gate in one.decision.results
        )
        decision = msgspec.structs.replace(one.decision, results=gates)
        tasks.append(msgspec.structs.replace(one, decision=decision))
    return snapshot(schedule=ScheduleView(tasks=tuple(tasks)))


def inside(desk):
    """The lines of the page in front, without its frame."""
    x, y, width, height = desk.app.screen.query_one("#page").content_region
    lines = desk.screen_text().splitlines()[y : y + height]
    return [text for line in lines if (text := line[x : x + width].strip())]


@pytest.mark.parametrize("size", SIZES)
async def test_why_begins_with_what_blocks_and_what_clears_it(machine, open_console, size):
    machine.picture = with_a_long_command()
    async with open_console(size=size) as desk:
        await desk.press("w")
        first = inside(desk)
        assert " ".join(first[:2]).startswith("◐ backup may not start: lease held by dream (pid 4211)")
        assert "clears when: dream ends" in first[:3]
        assert sum("some.module" in line or "--option" in line for line in first) == 1
        await desk.press("escape", "enter", "G")
        assert "option-29" in desk.screen_text(), "the detail has the whole command"


async def test_why_of_a_service_begins_with_what_to_do(machine, open_console):
    machine.picture = trouble()
    async with open_console(size=(60, 16)) as desk:
        await desk.press("G", "k", "k", "w")
        assert "press l for its log · starts in" in " ".join(inside(desk)[:4])


@pytest.mark.parametrize("size", SIZES)
async def test_a_result_is_cut_in_its_reason_and_never_in_the_way_out(open_console, size):
    async with open_console(size=size) as desk:
        reason = "lease held by dream (pid 4211), whose holder " + "has been alive for long " * 30
        desk.app.report(f"{reason}— press w for why, d to defer", Tone.WAIT)
        await desk.settled()
        shown = desk.text_of(desk.main.result)
        assert "lease held by dream (pid 4211)" in shown
        assert shown.endswith("press w for why, d to defer")
        assert "q quit" in desk.screen_text()


def test_what_fits_is_not_cut_and_the_last_sentence_counts_as_the_way_out():
    assert fitted("a short one — press x", 21) == "a short one — press x"
    assert (
        fitted("it went wrong in a long way. Run neo-console doctor.", 46)
        == "it went wrong in a… — Run neo-console doctor."
    )
    assert fitted("x" * 50, 10) == "x" * 9 + "…"


def test_the_way_out_is_said_once():
    blocked = BY_ID["trigger"].blocked(a_context(task_subject("golden-path")))
    assert blocked.way_out
    assert str(blocked).count(blocked.way_out) == 1


async def test_everything_in_the_help_and_the_palette_can_be_reached_on_the_smallest_screen(open_console):
    async with open_console(size=(60, 16)) as desk:
        await desk.press("question_mark")
        seen = set(inside(desk))
        while desk.app.screen._scroll.scroll_y < desk.app.screen._scroll.max_scroll_y:
            await desk.press("pagedown")
            seen |= set(inside(desk))
        told = " ".join(" ".join(line.split()) for line in seen)
        for part in (
            "Act ─",
            "Look ─",
            "Move ─",
            "Console ─",
            "Filter ─",
            "This console ─",
            "work goes on",
            "-task:backup",
        ):
            assert part in told
        await desk.press("escape", "colon")
        assert isinstance(desk.app.screen, Palette)
        await desk.until(lambda: "trigger  t" in desk.screen_text())
        await desk.press("up", "up")
        assert "quit the console; work goes on" in desk.screen_text()
