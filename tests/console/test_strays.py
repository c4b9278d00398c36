"""Strays in the console: shown with kind, age and memory, told whole by enter, ended by x after a preview."""

from __future__ import annotations

import msgspec

from neo_core.errors import NeoError
from neo_core.snapshot import TreeView
from neo_core.snapshot_strays import StrayEnd, StrayKind, StrayStop, StraysView, StrayView
from screenshots.fixtures import own_tree, snapshot
from screenshots.parts import process
from tests.console.taken import ORPHAN

STRANGER = msgspec.structs.replace(
    ORPHAN,
    kind=StrayKind.LISTENER,
    pid=8801,
    start_time=8801,
    owner="chroma",
    name="python3",
    command="python3 -m http.server 8000",
    sentence="listens on port 8000 of service chroma and carries no marker of ours",
    mend="neo-console strays stop 8801 --foreign",
    run_id="",
    blocks="shares the port of service chroma (8000)",
    members=((8801, 8801),),
)


def tree(stray: StrayView) -> TreeView:
    views = tuple(
        msgspec.structs.replace(
            process(pid, depth, stray.name, 48, 0.0, 312.0, command=stray.command), start_time=started
        )
        for depth, (pid, started) in enumerate(stray.members)
    )
    return TreeView(
        owner=stray.owner,
        kind=str(stray.kind),
        run_id=stray.run_id,
        memory=stray.memory,
        exact=True,
        processes=views,
    )


def astray(*strays: StrayView):
    return snapshot(strays=StraysView(found=strays), processes=(*map(tree, strays), own_tree()))


async def test_a_stray_is_a_row_with_its_kind_that_enter_and_the_health_explain(machine, open_console):
    machine.picture = astray(ORPHAN)
    async with open_console(size=(160, 45)) as desk:
        shown = desk.screen_text()
        assert "◍ orphan of a run · kbSync" in shown
        assert "96M" in shown
        for _ in range(2):  # the tree, then a process of it
            await desk.press("2", "enter")
            shown = desk.screen_text()
            assert "it works on for run 51ee0000beef of kbSync, which was lost" in shown
            assert "neo-console strays stop 7710" in shown
            await desk.press("escape", "down", "down")
        await desk.press("h")
        assert "strays" in desk.screen_text()
        assert "works on for run" in desk.screen_text()


async def test_x_ends_it_after_a_preview(machine, open_console):
    machine.picture = astray(ORPHAN)
    async with open_console() as desk:
        await desk.press("2", "down", "down", "x")
        shown = desk.screen_text()
        assert "Stop node (pid 7710)?" in shown
        assert "2 processes, 96M" in shown
        await desk.press("enter")  # Cancel has the focus
        assert machine.asked == []
        await desk.press("x", "tab", "enter")
        await desk.until(lambda: machine.asked)
        assert machine.asked == [("stop-stray", 7710, 7710, False, "asked for in the console")]
        await desk.until(lambda: "with 2 processes ended when asked" in desk.screen_text())


async def test_a_stranger_needs_its_name(machine, open_console):
    machine.picture = astray(STRANGER)
    async with open_console() as desk:
        await desk.press("2", "x")
        assert "it is not ours" in desk.screen_text()
        await desk.press("tab", "enter")
        assert machine.asked == []
        await desk.press(*"python3", "enter")
        await desk.until(lambda: machine.asked)
        assert machine.asked[0][:4] == ("stop-stray", 8801, 8801, True)


async def test_what_is_no_stray_any_more_is_not_ended(machine, open_console):
    machine.picture = astray(ORPHAN)
    async with open_console() as desk:
        await desk.press("2", "x")
        await desk.see(snapshot(processes=(own_tree(),)))
        assert "node (pid 7710) is no stray any more. Nothing was done." in desk.screen_text()
        assert machine.asked == []


async def test_a_tree_without_its_finding_and_force_say_the_way_out(machine, open_console):
    machine.picture = astray(ORPHAN)
    async with open_console() as desk:
        await desk.press("2", "X")
        assert "goes from asking to a kill by itself" in desk.screen_text()
        await desk.see(snapshot(processes=(tree(ORPHAN), own_tree())))
        await desk.press("x")
        assert "kbSync is no stray any more" in desk.screen_text()


async def test_how_it_went_is_told(machine, open_console):
    answers = [
        (NeoError("process 7710", "is another process now", "Look again"), "is as it was. process 7710: is another"),
        (StrayStop(stray=ORPHAN, end=StrayEnd.KILLED, took=5.0), "did not end when asked and was killed"),
        (StrayStop(stray=ORPHAN, end=StrayEnd.SURVIVED, took=9.0), "survives SIGKILL"),
    ]
    left = [answer for answer, _ in answers]

    def act(*_asked, **_more):
        answer = left.pop(0)
        if isinstance(answer, NeoError):
            raise answer
        return answer

    machine.picture, machine.stop_stray = astray(ORPHAN), act
    async with open_console() as desk:
        await desk.press("2")
        for _, words in answers:
            await desk.press("x", "tab", "enter")
            await desk.until(lambda words=words: words in desk.screen_text())


async def test_two_trees_of_one_run_are_two_rows(machine, open_console):
    other = msgspec.structs.replace(ORPHAN, pid=7720, start_time=7720, members=((7720, 7720),))
    machine.picture = astray(ORPHAN, other)
    async with open_console() as desk:
        await desk.press("2", "down", "down", "down", "x")
        assert "Stop node (pid 7720)?" in desk.screen_text()
