"""What explains: why in one wording with the command line, who waits for a start, and the mend of every cause."""

from __future__ import annotations

import msgspec
import pytest

from neo_core.ledger.models import Outcome
from neo_core.snapshot import ScheduleView, TaskState
from screenshots.fixtures import first_run, snapshot, trouble
from screenshots.parts import NOW, blocked_by_lease, run, task


def only(*tasks):
    return snapshot(schedule=ScheduleView(tasks=tasks))


def text_of_page(desk):
    x, y, width, height = desk.app.screen.query_one("#page").content_region
    lines = [line[x : x + width].rstrip() for line in desk.screen_text().splitlines()[y : y + height]]
    return "\n".join(lines)


async def test_a_task_that_nobody_tried_is_not_called_deferred(machine, open_console):
    machine.picture = only(task("digest", TaskState.IDLE, blocked_by_lease(), due_at=NOW + 60))
    async with open_console() as desk:
        await desk.press("w")
        assert "digest may not start: lease held by dream (pid 4211)" in text_of_page(desk)
        assert "deferred" not in text_of_page(desk)


async def test_a_gate_that_was_not_asked_says_so(machine, open_console):
    machine.picture = first_run()
    async with open_console(size=(80, 24)) as desk:
        await desk.press("w")
        told = " ".join(text_of_page(desk).split())
        assert "backup may start now: every gate passes." in told
        assert "due: not asked: a manual start does not wait for its time" in told


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (
            task("digest", TaskState.WAITING, blocked_by_lease(), waiting_since=NOW - 90, retried=True),
            "Waiting for 1m30s, tried again by: the orchestrator.",
        ),
        (
            task(
                "digest",
                TaskState.IDLE,
                deferral=run("d", "digest", Outcome.DEFERRED, at=NOW - 180, blocker="backup"),
            ),
            "Last start deferred 3m00s ago by backup; that start is not tried again.",
        ),
    ],
)
async def test_why_says_who_waits_or_how_the_last_start_was_put_off(machine, open_console, view, said):
    machine.picture = only(view)
    async with open_console() as desk:
        await desk.press("w")
        assert said in text_of_page(desk)


@pytest.mark.parametrize("size", [(60, 16), (80, 24)])
async def test_a_mend_stands_on_a_line_of_its_own_and_no_word_is_broken(machine, open_console, size):
    service = next(one for one in trouble().services.value if one.name == "mlx")
    machine.picture = snapshot(services=(msgspec.structs.replace(service, name="orchestrator-of-models"),))
    async with open_console(size=size) as desk:
        await desk.press("h")
        lines = [line.strip() for line in text_of_page(desk).splitlines()]
        assert "→ neo-console logs orchestrator-of-models" in lines
        assert any("orchestrator-of-models: gave up after" in line for line in lines)
