"""The log page and panel on real files: opened at the end, read back, searched, and told when the file goes away."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from neo_console.logfeed import LogFeed, LogKind, LogOf
from neo_console.logsearch import Matcher, Search, scan_back
from neo_console.logwindow import MOST_LINES, LogWindow
from neo_console.panels.logline import shown
from neo_console.screens.log import LogScreen
from neo_console.vocabulary import Seen
from neo_core.logs import read_log

from .conftest import Machine

OF = LogOf(LogKind.ORCHESTRATOR)


class OnDisk(Machine):
    """A machine whose orchestrator's log is a file."""

    def __init__(self, path):
        super().__init__()
        self.path = path

    def orchestrator_log(self, *, after=None, limit=65_536):
        return read_log(self.path, after=after, limit=limit)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "orchestrator.log"


@pytest.fixture
def machine(path):
    return OnDisk(path)


@pytest.fixture
def log_page(open_console):
    @asynccontextmanager
    async def opened(**more):
        async with open_console(**{"size": (80, 24), **more}) as desk:
            page = LogScreen(OF, opened_by="orchestrator-log")
            desk.app.push_screen(page)
            await desk.settled()
            yield desk, page

    return opened


def numbered(count, *, every=0, first=0):
    """Lines of one length; every so many holds the word that is searched for."""
    kinds = (" needle" if every and number % every == 0 else " hay" for number in range(first, first + count))
    return "".join(
        f"{number:08d}{kind:8}{'.' * 43}\n" for number, kind in zip(range(first, first + count), kinds, strict=True)
    )


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\x1b[1;31mred\x1b[0m and \x1b]0;title\x07plain", "red and plain"),
        (b"\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        (b"10 %\r50 %\r100 %\r", "100 %"),
        (b"[b]no markup[/]\x00\x08", "[b]no markup[/]\ufffd\ufffd"),
        (b"\x1b", "\ufffd"),
        (b"a\tb", "a   b"),
        (b"caf\xe9 \xc3\xa9", "caf\ufffd é"),
        ("right\u202eto left".encode(), "right\ufffdto left"),
        (b"x" * 5000, "x" * 4000 + " … and 1,000 more characters"),
    ],
)
def test_a_line_is_shown_safely(raw, text):
    assert shown(raw) == text


def test_a_window_knows_at_which_byte_each_line_begins_whatever_the_encoding():
    window = LogWindow()
    window.replace(100, b"\xff\xfe bad\n\xc3\xa9t\xc3\xa9\nopen", attached=True)
    assert window.offsets == [100, 107, 113]
    window.append(b" and closed\nlast\n")
    assert window.offsets == [100, 107, 113, 129]
    assert window.lines[2:] == ["open and closed", "last"]
    assert window.prepend(90, b"123456789\n") == 1
    assert (window.start, window.end, window.index_of(100), window.index_of(101)) == (90, 134, 1, None)


def test_a_window_never_holds_more_than_it_may():
    window = LogWindow()
    window.replace(0, b"line\n" * MOST_LINES, attached=True)
    assert window.append(b"more\n" * 10) == 10
    assert (len(window), window.start) == (MOST_LINES, 50)
    window.prepend(0, b"line\n" * 10)
    assert (len(window), window.start, window.attached) == (MOST_LINES, 0, False)


def test_a_search_backwards_finds_every_line_in_every_chunk(path):
    text = numbered(50_000, every=1000)
    path.write_text(text)
    search = Search(Matcher("needle"), len(text), len(text))
    steps = 0
    while not search.done:
        search.take(
            scan_back(
                lambda after, limit: read_log(path, after=after, limit=limit), search.low, search.matcher, seconds=0
            )
        )
        steps += 1
    assert steps > 2
    assert search.found == [60 * number for number in range(0, 50_000, 1000)]
    assert [search.step(1), search.step(1)] == [search.found[-1], 0]
    assert search.said == "wrapped to the first"
    assert search.count() == "1 of 50"
    assert search.step(-1) == search.found[-1]
    assert search.said == "wrapped to the last"


def test_a_search_looks_at_what_is_shown():
    matcher = Matcher("error: disk")
    raw = b'{"level":"error","message":"disk full"}\n\x1b[31mERR\x1b[0mOR: disk\nnothing\n'
    assert matcher.lines_of(0, raw) == [0, 40]
    assert Matcher("ERROR:").lines_of(0, b"error: x\nERROR: y\n") == [9]
    assert Matcher("été").lines_of(0, "un ÉTÉ\n".encode()) == [0]


def test_a_feed_tells_a_cut_file_from_a_replaced_one_and_a_removed_one(machine, path):
    feed = LogFeed()
    feed.aim(OF)
    path.write_text("one\n")
    assert feed.poll(lambda: machine)[:4] == (Seen.OK, b"one\n", 0, True)
    path.write_text("1\n")
    piece = feed.poll(lambda: machine)
    assert (piece.raw, piece.cut, piece.restart) == (b"1\n", True, True)
    other = path.with_name("other")
    other.write_text("longer than before\n")
    other.replace(path)
    piece = feed.poll(lambda: machine)
    assert (piece.raw, piece.cut) == (b"longer than before\n", True)
    path.unlink()
    piece = feed.poll(lambda: machine)
    assert (piece.seen, piece.gone, piece.restart) == (Seen.STALE, True, False)


async def test_the_log_is_searched_as_it_is_typed_and_counted(path, log_page):
    path.write_text(numbered(40, every=5))
    async with log_page() as (desk, page):
        await desk.press("slash", *"need")
        assert "8 of 8" in desk.screen_text()
        assert page.lines.current == 35 * 60
        await desk.press("enter", "N", "N")
        assert "/need 6 of 8 · n next · N previous" in desk.screen_text()
        await desk.press("n", "n", "n")
        assert "1 of 8, wrapped to the first" in desk.screen_text()
        await desk.press("escape")
        assert "of 8" not in desk.screen_text()
        assert desk.app.screen is page
        await desk.press("escape")
        assert desk.app.screen is desk.main


async def test_matches_read_without_colours(path, log_page):
    path.write_text("a needle here\nanother needle\n")
    async with log_page() as (desk, page):
        await desk.press("slash", *"needle", "enter")
        styles = [
            [(segment.text, segment.style.reverse, segment.style.bold) for segment in page.lines.render_line(y)]
            for y in (0, 1)
        ]
        assert ("needle", True, None) in [(text, back, bold or None) for text, back, bold in styles[0]]
        assert ("needle", True, True) in styles[1]


async def test_a_match_far_back_is_brought(path, log_page):
    text = "the first needle\n" + numbered(30_000)
    path.write_text(text)
    async with log_page() as (desk, page):
        assert page.lines.window.start > 0
        await desk.press("slash", *"needle")
        await desk.until(lambda: page.lines.current == 0)
        await desk.press("enter")
        assert "the first needle" in desk.screen_text()
        assert "1 of 1" in desk.screen_text()
        assert not page.lines.following
        await desk.press("G")
        assert page.lines.following
        assert "00029999" in desk.screen_text()


async def test_scrolling_up_stops_following_says_so_and_reads_back_to_the_first_line(path, log_page):
    path.write_text(numbered(1_200))
    async with log_page() as (desk, page):
        assert page.lines.window.start > 0
        assert "following" in desk.screen_text()
        await desk.press("k")
        assert not page.lines.following
        with path.open("a") as file:
            file.write(numbered(2, first=1_200))
        page.refresh_page()
        await desk.settled()
        assert "not following, 2 new lines · G follows" in desk.screen_text()
        await desk.press("G")
        assert "00001201" in desk.screen_text()
        await desk.press("g")
        assert "00000000" in desk.screen_text()


async def test_a_page_up_shows_every_line_once(path, log_page):
    path.write_text(numbered(1_200))
    async with log_page(size=(80, 120)) as (desk, page):
        seen = []
        while not (page.lines.window.start == 0 and page.lines.scroll_offset.y == 0):
            top = page.lines.scroll_offset.y
            seen.append(int(page.lines.window.lines[top][:8]))
            await desk.press("pageup")
        steps = [before - after for before, after in pairwise(seen)]
        assert len(steps) > 1
        assert max(steps) <= page.lines.size.height + 1


async def test_a_log_that_is_cut_or_removed_is_said(path, log_page):
    path.write_text(numbered(100))
    async with log_page(size=(120, 40)) as (desk, page):
        path.write_text("begun again\n")
        page.refresh_page()
        await desk.settled()
        assert "cut or replaced at 14:03:22, this is its new beginning" in desk.screen_text()
        assert "begun again" in desk.screen_text()
        path.unlink()
        page.refresh_page()
        await desk.settled()
        assert "The file was removed; what was read of it stays here" in desk.screen_text()
        assert "begun again" in desk.screen_text()


async def test_the_log_panel_is_searched_with_the_same_keys(machine, path, open_console):
    async with open_console() as desk:
        await desk.until(lambda: "copied" in desk.main.log_panel.log_view.text)
        await desk.press("5", "slash", *"17940", "enter")
        assert "/17940 1 of 1" in desk.screen_text()
        assert desk.main.filter_bar.display is False
        await desk.press("n")
        assert "wrapped to the first" in desk.screen_text()
        await desk.press("escape")
        assert "1 of 1" not in desk.screen_text()


async def test_a_huge_log_opens_from_its_end(path, log_page):
    with path.open("wb") as file:
        file.truncate(3 * 1024**3)
        file.seek(0, os.SEEK_END)
        file.write(b"\nthe last line\n")
    async with log_page() as (desk, page):
        assert "the last line" in desk.screen_text()
        assert len(page.lines.window.lines) < 10


async def test_what_is_in_view_and_what_names_the_log_can_be_copied(path, log_page):
    path.write_text("".join(f"line {number}\n" for number in range(100)))
    async with log_page(size=(60, 16)) as (desk, page):
        await desk.press("y")
        for part in ("lines in view", "neo-console logs orchestrator"):
            assert part in desk.screen_text()
        await desk.press("1")
        copied = desk.app.clipboard.splitlines()
        assert copied[-1] == "line 99"
        assert copied == [f"line {number}" for number in range(100 - len(copied), 100)]
        assert "copied the lines in view" in desk.screen_text()
        await desk.press("question_mark")
        assert "Help · every key" in desk.screen_text()
        await desk.press("question_mark")
        assert desk.app.screen is page
        await desk.press("g")
        assert not page.lines.following
        await desk.press("f")
        assert page.lines.following


async def test_what_is_told_of_a_search_is_left_out_part_by_part(path, log_page):
    path.write_text("".join(f"line {number}\n" for number in range(100)))
    async with log_page(size=(60, 16)) as (desk, page):
        await desk.press("g", "slash", *"line 9")
        told = str(page.pane.bar._told.content)
        assert "of 11" in told
        assert "…" not in desk.screen_text()
        assert told.endswith(("enter keeps", "esc ends"))
