"""Seven states per panel, each said in a sentence of its own, on the real screen; and what a filter answers."""

from __future__ import annotations

import pytest

from neo_console.collector import Collected
from neo_console.filters import FIELDS, GRAMMAR, parse_filter
from neo_console.news import News
from neo_console.panels.sentences import Keys, sentence
from neo_console.picture import Picture
from neo_console.rows.model import About, Row
from neo_console.subjects import task_subject
from neo_console.vocabulary import Seen
from neo_core.errors import NeoError
from neo_core.logs import LogChunk
from neo_core.recorder.course import Course
from neo_core.snapshot import ScheduleView, Section
from screenshots.fixtures import snapshot
from screenshots.parts import NOW

LOCKED, DAMAGED = "ledger x: is locked. Try again.", "ledger x: is damaged. Nothing was changed."
NONE = {
    "schedule": ScheduleView(tasks=()),
    "processes": (),
    "outcomes": (),
    "memory": Course(begin=NOW - 60, end=NOW),
}


def told(name, section):
    """The message of a collection in which that panel's section is so."""
    if name == "memory":
        return Collected(snapshot(), section)
    return Collected(snapshot(**{name: section}))


@pytest.mark.parametrize("name", NONE)
async def test_every_panel_says_each_of_its_states(machine, open_console, name):
    machine.gate.clear()
    async with open_console(first=False) as desk:
        app = desk.app
        panel = next(one for one in desk.main.panels if name == one.NAME)

        async def said(seen, error="", age=""):
            await desk.settled()
            assert panel.seen is seen
            wanted = " ".join(sentence(name, seen, app.look.keys, error=error, age=age).split())
            assert f"{seen.value.upper()} {wanted}".strip() in desk.text_of(panel)

        await said(Seen.LOADING)
        for seen, section in (
            (Seen.EMPTY, Section(at=NOW, value=NONE[name])),
            (Seen.UNREADABLE, Section(at=NOW, error=LOCKED)),
            (Seen.MALFORMED, Section(at=NOW, error=DAMAGED)),
            (Seen.UNKNOWN, Section(at=NOW)),
        ):
            app.picture = Picture()
            app.on_news(News(told(name, section)))
            await said(seen, section.error)
        app.picture = Picture()
        course = Section(at=NOW, value=machine.memory_course(600, 10))
        app.on_news(News(Collected(snapshot(), course)))
        await desk.settled()
        assert panel.seen is Seen.OK
        assert not panel._notice.display
        desk.clock.at += 3
        app.on_news(News(told(name, Section(at=NOW + 3, error=LOCKED))))
        await said(Seen.STALE, LOCKED, "3s")


def test_an_empty_panel_names_a_key_that_helps():
    for name in (*NONE, "log", "incidents"):
        keys = {
            field: f"<{field}>" for field in ("trigger", "refresh", "schedule", "outcomes", "detail", "orchestrator")
        }
        assert "<" in sentence(name, Seen.EMPTY, Keys(**keys)), name


async def test_the_log_panel_says_its_states(machine, open_console):
    def refuse(*_, **__):
        raise NeoError("log x", "permission denied", "Make it readable for you.")

    async with open_console() as desk:
        log = desk.main.log_panel
        reads = {
            Seen.UNKNOWN: lambda *_, **__: LogChunk(raw=b"", start=0, end=0, size=0, missing=True),
            Seen.UNREADABLE: refuse,
            Seen.MALFORMED: lambda *_, **__: LogChunk(raw=b"a\0b\n", start=0, end=4, size=4),
        }
        for seen, read in reads.items():
            machine.log = read
            log.feed.again()
            desk.main.refresh_page()
            await desk.settled()
            assert log.seen is seen
            assert seen.value.upper() in desk.text_of(log)
        await desk.see(snapshot(schedule=ScheduleView(tasks=()), services=()))
        assert log.seen is Seen.EMPTY
        assert "No log belongs to the selection." in desk.text_of(log)


def a_row(**about):
    return Row(task_subject("a"), (), "Two words of it", "backup", ("deferred", ""), about=About(**about))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("foo:bar", 'no field foo: — fields are status: task: reason: owner: took: mem: — for text write "foo:bar"'),
        ("status:", "status: needs something after it, like status:failed"),
        ("-", "- needs something after it, like -word"),
        ('""', '" needs something after it, like "two words"'),
        ('"two', 'the quote is open: "two"'),
        ('reason:"two', 'the quote is open: reason:"two"'),
        ("took:5m", "took: compares with < <= > >=, like took:>5m"),
        ("took:>soon", "took:> needs a duration like 30s, 5m, 1h30m, not soon"),
        ("mem:>=lots", "mem:>= needs a size like 512k, 200m, 1.5g, not lots"),
        ("status:defered", "no status begins with defered: completed, deferred"),
    ],
)
def test_a_mistake_is_said_with_what_is_allowed_and_hides_nothing(text, said):
    found = parse_filter(text, {"deferred", "completed", ""})
    assert found.mistake == said
    assert found.matches(a_row())


@pytest.mark.parametrize(
    ("text", "passes"),
    [
        ("two WORDS", True),
        ("words two", True),
        ('"words two"', False),
        ('-"words two" status:def', True),
        ('-reason:"in use" task:back', True),
        ("mem:>1g", True),
        ("mem:>2G", False),
        ("mem:<=1.5GiB mem:>=1536m", True),
        ("-mem:>2g", True),
        ("took:>1s", False),
        ("-took:>1s", True),
        ("owner:dre", True),
        ("owner:eam", False),
        ("12:30", False),
    ],
)
def test_what_a_filter_lets_pass(text, passes):
    found = parse_filter(text)
    assert not found.mistake
    assert found.matches(a_row(owner="dream", mem=1536 * 1024 * 1024)) is passes


def test_every_example_of_the_grammar_is_understood_and_every_field_has_one():
    assert all(not parse_filter(example).mistake for example, _ in GRAMMAR)
    assert all(any(example.startswith(f"{field}:") for example, _ in GRAMMAR) for field in FIELDS)


async def test_a_mistake_stays_in_the_filter_bar_until_it_is_mended(open_console):
    async with open_console() as desk:
        await desk.press("3", "slash", *"status:xx", "enter")
        assert "no status begins with xx: cancelled, completed, deferred" in desk.screen_text()
        assert "10 of 10 · /status:xx" in desk.screen_text()
        assert desk.main.filter_bar.display
        await desk.press("backspace", "backspace", "d", "enter")
        assert not desk.main.filter_bar.display
        assert "1 of 10 · /status:d" in desk.screen_text()


async def test_a_filter_that_was_left_with_a_mistake_says_that_a_part_is_left_out(open_console):
    async with open_console() as desk:
        await desk.press("3", "slash", *"dream foo:x")
        desk.main.schedule.table.focus()
        await desk.settled()
        assert "4 of 10 · /dream foo:x" in desk.screen_text()
        assert "✗ a part is wrong and left out · esc clears the filter" in desk.screen_text()


async def test_the_grammar_is_explained_in_help(open_console):
    async with open_console(size=(120, 90)) as desk:
        await desk.press("question_mark")
        for example, meaning in GRAMMAR:
            assert example in desk.screen_text()
            assert meaning in desk.screen_text()
