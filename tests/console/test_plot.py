"""Plots and lanes: pure, in exactly the room there is, and unknown is never drawn as zero."""

from __future__ import annotations

import msgspec
import pytest

from neo_console.course import head_lines, plotted, shared
from neo_console.lanes import drawn_lane, lanes_of
from neo_console.plot import Axis, area, bars, binned
from neo_console.vocabulary import Tone
from neo_core.ledger.models import Outcome
from neo_core.memory.attribution import Growth, TreeCost
from neo_core.memory.incidents import Phase
from neo_core.snapshot import MemoryView
from screenshots.courses import calm_course, pressed_course
from screenshots.history import busy_runs
from screenshots.parts import MIB, NOW, run

AXIS = Axis(0.0, 100.0, 10)


def test_an_area_is_drawn_from_below_in_quarters_of_a_cell():
    assert area([4.0, 4.0, 1.0, 2.0], 1, 4.0) == ["⣿⣠"]
    assert area([8.0, 4.0], 2, 8.0) == ["⡇", "⣿"]


def test_unknown_is_empty_and_zero_is_not():
    assert area([None, None], 1, 4.0) == [" "]
    assert area([0.0, None], 1, 4.0) == ["⡀"]
    assert bars([None, 0.0, 0.1, 8.0, 99.0], 1, 8.0) == [" ▁▁██"]


def test_a_plot_without_a_top_is_empty():
    assert area([1.0, 2.0], 1, 0.0) == [" "]


def test_bars_go_on_in_the_line_above():
    assert bars([16.0, 4.0, 12.0], 2, 16.0) == ["█ ▄", "█▄█"]


def test_of_several_values_in_one_place_one_is_chosen():
    points = [(1.0, 5.0), (2.0, 3.0), (55.0, 7.0), (56.0, None), (999.0, 1.0)]
    assert binned(points, AXIS, 1, min)[:1] == [3.0]
    assert binned(points, AXIS, 1, max)[:6] == [5.0, None, None, None, None, 7.0]


def test_a_value_stands_until_the_next_one_but_not_for_ever():
    assert binned([(0.0, 1.0), (60.0, 2.0)], AXIS, 1, min, hold=20.0) == [
        1.0,
        1.0,
        1.0,
        None,
        None,
        None,
        2.0,
        2.0,
        2.0,
        None,
    ]


def test_what_lies_outside_the_axis_has_no_cells():
    assert list(AXIS.cells(-50, 5)) == [0]
    assert list(AXIS.cells(-50, -5)) == list(AXIS.cells(101, 200)) == []
    assert list(AXIS.cells(95, 500)) == [9]


def drawn(task, begin, end, *, outcome=Outcome.COMPLETED, width=30):
    one = run("a", task, outcome, at=begin, started_at=begin, ended_at=end)
    (lane,) = lanes_of([one], 0.0, 100.0)
    return "".join(mark.text for mark in drawn_lane(lane, Axis(0.0, 100.0, width)))


def test_a_lanes_name_stands_where_its_bars_leave_room():
    assert drawn("dream", 0.0, 30.0) == "━━━━━━━━━━ dream".ljust(30)
    assert drawn("dream", 70.0, 99.0) == " " * 15 + "dream" + " " + "━" * 9
    assert drawn("dream", 0.0, 99.0) == "━" * 25 + "dream"
    assert len(drawn("a-very-long-name-of-a-task-that-does-not-fit", 0.0, 99.0)) == 30


def test_what_works_still_comes_first_and_reaches_the_end():
    runs = [
        run("a", "old", Outcome.FAILED, at=10, started_at=10, ended_at=20),
        run("b", "late", Outcome.COMPLETED, at=50, started_at=50, ended_at=90),
        run("c", "live", None, at=40, started_at=40),
        run("d", "late", Outcome.COMPLETED, at=5, started_at=5, ended_at=9),
        run("e", "before", Outcome.COMPLETED, at=-9, started_at=-9, ended_at=-1),
        run("f", "never", Outcome.DEFERRED, at=50),
        run("g", "lost", Outcome.LOST, at=30, started_at=30),
    ]
    lanes = lanes_of(runs, 0.0, 100.0)

    assert [lane.name for lane in lanes] == ["live", "late", "lost", "old"]
    assert lanes[0].spans[0].end == 100.0
    assert [span.begin for span in lanes[1].spans] == [5, 50]
    assert [lanes[0].spans[0].tone, lanes[3].spans[0].tone] == [Tone.RUN, Tone.FAIL]


@pytest.mark.parametrize("height", range(1, 40))
@pytest.mark.parametrize("lanes", [0, 1, 9])
def test_the_parts_fill_the_height(height, lanes):
    shares = shared(height, lanes)
    assert shares.available >= 1
    assert shares.lanes <= lanes
    if height >= 3:
        assert shares.available + shares.pressure + 1 + shares.lanes + shares.growth == height


@pytest.mark.parametrize("size", [(1, 1), (20, 3), (37, 10), (120, 40)])
def test_a_plot_never_takes_more_than_its_room(size):
    width, height = size
    text = plotted(pressed_course(), busy_runs(), {}, width=width, height=height, shade="#333333")
    lines = text.plain.split("\n")
    assert len(lines) <= height
    if width > 10:
        assert max(len(line) for line in lines) <= width


def test_an_incident_shows_without_colour_and_a_calm_course_has_none():
    assert "▒▒▒" in plotted(pressed_course(), (), {}, width=60, height=12).plain
    assert "▒" not in plotted(calm_course(), (), {}, width=60, height=12).plain


def test_what_grew_is_named_as_text():
    assert plotted(calm_course(), (), {}, width=60, height=12).plain.endswith("grew: dream +4.1G")


def grown(*trees):
    made = (TreeCost(owner=owner, kind=kind, pid=pid, cost=MIB, rss=MIB, processes=1) for owner, kind, pid in trees)
    return msgspec.structs.replace(calm_course(), grew=tuple(Growth(tree=one, grown=200 * MIB) for one in made))


def told_below(course, runs, width):
    return plotted(course, runs, {}, width=width, height=12).plain.split("\n")[-1]


def test_trees_that_are_not_ours_are_told_apart_by_their_pid():
    course = grown(("python3", "other", 8665), ("python3", "other", 7806), ("chroma", "service", 4140))
    assert told_below(course, (), 70) == "grew: python3 8665 +200M · python3 7806 +200M · chroma +200M"


def test_no_name_is_cut_where_another_has_no_room_and_what_is_not_drawn_is_counted():
    course = grown(("python3", "other", 8665), ("neo-console", "console", 7003))
    many = [run(f"{number:012x}", f"t{number}", None, at=NOW - 60, started_at=NOW - 60) for number in range(9)]
    assert told_below(course, (), 36) == "grew: python3 8665 +200M"
    assert told_below(course, many, 40) == "grew: python3 8665 +200M · 5 more runs"


def test_the_head_says_phase_amounts_signal_and_that_nobody_records():
    pressed = MemoryView(
        total=16384 * MIB,
        available=1049 * MIB,
        phase=Phase.CRITICAL,
        since=NOW - 61,
        signal="available",
        value="6.4 %",
        limit="10 %",
        incident=3,
    )
    assert [line.text for line in head_lines(pressed, calm_course(), NOW + 120, 80)] == [
        "✗ CRITICAL 3m01s · 1.0G of 16G free · PSI unknown",
        "available 6.4 %, limit 10 % · incident 3",
        "no sample for 2m00s: nobody records",
    ]
    assert head_lines(pressed, None, NOW, 20)[0].text == "✗ CRITICAL 1m01s"
    assert head_lines(None, None, NOW, 20) == []
