"""What is computed without a widget: filters, the picture's states, sentences, rows and the strip."""

from __future__ import annotations

import msgspec
import pytest

from neo_console.drawing import Fact
from neo_console.facts import facts_of
from neo_console.filters import parse_filter
from neo_console.keymap import default_keymap
from neo_console.panels.logline import readable
from neo_console.panels.sentences import PANELS, Keys, sentence
from neo_console.picture import Picture
from neo_console.rows.banners import banners
from neo_console.rows.outcomes import OutcomeRows
from neo_console.rows.processes import process_rows
from neo_console.rows.schedule import schedule_rows
from neo_console.rows.strip import Flags
from neo_console.subjects import task_subject
from neo_console.vocabulary import Seen, Tone
from neo_core.ledger.models import Control, ControlKind, Outcome
from neo_core.schedule.decision import Gate, GateResult, Verdict
from neo_core.snapshot import LeaseLight, LeaseView, ScheduleView, Section, TaskState
from screenshots import fixtures
from screenshots.fixtures import snapshot, unreadable_lease
from screenshots.history import busy_runs
from screenshots.parts import HELD, NOW, blocked_by_lease, run, task
from tests.console.taken import picture_of

KEYS = Keys("t", "r", "1", "3", "enter")
KEY = default_keymap().key


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {"backup", "kbSync", "primary-dev-sync", "summary", "dream", "golden-path"}),
        ("status:waiting", {"backup", "kbSync"}),
        ("STATUS:wait", {"backup", "kbSync"}),
        ("status:waiting task:kb", {"kbSync"}),
        ("task:BACKUP", {"backup"}),
        ("talk", {"summary"}),
        ("held dream", {"backup", "kbSync"}),
        ("owner:dream", {"backup", "kbSync"}),
        ("-status:waiting -task:summary", {"primary-dev-sync", "dream", "golden-path"}),
        ("-held -talk", {"primary-dev-sync", "dream", "golden-path"}),
        ('"giving a talk"', {"summary"}),
        ('"a giving"', set()),
        ('-"giving a talk" status:sno', set()),
        ('reason:"held by dream"', {"backup", "kbSync"}),
        ("reason:lease-held", {"backup", "kbSync"}),
        ("took:>3m", {"backup", "dream"}),
        ("took:>=1801s", set()),
        ("took:<2s", {"primary-dev-sync"}),
        ("took:<=12m12s took:>=12m12s", {"dream"}),
        ("primary-dev", {"primary-dev-sync"}),
        ("status:", {"backup", "kbSync", "primary-dev-sync", "summary", "dream", "golden-path"}),
        ("status:not", {"golden-path"}),
    ],
)
def test_the_filter_grammar(text, found):
    shown = snapshot()
    rows = schedule_rows(shown.schedule.value, picture_of(shown), NOW)
    assert {row.task for row in rows if parse_filter(text).matches(row)} == found


def test_an_outcome_is_found_by_its_code_and_by_its_word():
    rows = OutcomeRows().rows(busy_runs(), NOW)
    for text in ("status:timed-out", "status:timed"):
        assert [row.task for row in rows if parse_filter(text).matches(row)] == ["golden-path"]
    assert {row.task for row in rows if parse_filter("status:running").matches(row)} == {"dream"}


def test_every_panel_has_a_sentence_of_its_own_for_every_state():
    said = [
        sentence(panel, seen, KEYS, age="9s", error="E.") for panel in PANELS for seen in Seen if seen is not Seen.OK
    ]
    assert all(said)
    assert len(set(said)) == len(said) == 6 * len(PANELS)
    for panel in PANELS:
        assert sentence(panel, Seen.OK, KEYS) == ""
        assert "E." in sentence(panel, Seen.UNREADABLE, KEYS, error="E.")
        assert "9s" in sentence(panel, Seen.STALE, KEYS, age="9s")


def test_the_seven_states_of_a_section():
    picture = Picture()
    assert picture.outcomes(NOW).seen is Seen.LOADING
    picture.take(snapshot(outcomes=Section(at=NOW, error="ledger x: is damaged (no).")))
    assert picture.outcomes(NOW).seen is Seen.MALFORMED
    picture.take(snapshot(outcomes=Section(at=NOW, error="ledger x: permission denied.")))
    assert picture.outcomes(NOW).seen is Seen.UNREADABLE
    picture.take(snapshot(outcomes=Section(at=NOW)))
    assert picture.outcomes(NOW).seen is Seen.UNKNOWN
    picture.take(snapshot(outcomes=()))
    assert picture.outcomes(NOW).seen is Seen.EMPTY
    picture.take(snapshot())
    assert picture.outcomes(NOW).seen is Seen.OK
    picture.take(snapshot(at=NOW + 5, outcomes=Section(at=NOW + 5, error="ledger x: is locked.")))
    stale = picture.outcomes(NOW + 5)
    assert (stale.seen, stale.at, stale.error) == (Seen.STALE, NOW, "ledger x: is locked.")
    assert stale.value == busy_runs()


def test_a_picture_that_is_not_renewed_becomes_stale_by_itself():
    picture = picture_of(snapshot())
    assert picture.stale_for(NOW + 9) is None
    assert picture.stale_for(NOW + 11) == 11
    assert picture.schedule(NOW + 11).seen is Seen.STALE


def test_a_failed_collection_before_the_first_picture_is_not_loading_for_ever():
    picture = Picture()
    picture.fail("no such workspace")
    assert picture.schedule(NOW).seen is Seen.UNREADABLE


@pytest.mark.parametrize(
    ("view", "short"),
    [
        (task("a", TaskState.DUE, due_at=NOW - 252), "due for 4m12s"),
        (task("a", TaskState.DUE, due_at=0.0), "due: never ran"),
        (task("a", TaskState.IDLE, due_at=NOW + 245), "in 4m · 14:07"),
        (task("a", TaskState.IDLE, due_at=NOW - 2), "due for 2s"),
        (task("a", TaskState.IDLE, due_at=NOW + 59_198), "in 16h · Sat 06:30"),
        (task("a", TaskState.IDLE, due_at=NOW + 74, failures=2, tries=2, retry_at=NOW + 74), "retry 2 in 1m"),
        (task("a", TaskState.DUE, due_at=NOW - 3, failures=2, tries=2, retry_at=NOW - 3), "retry 2 due"),
        (task("a", TaskState.DISABLED), "only by hand"),
        (task("a", TaskState.PAUSED), "paused"),
        (task("a", TaskState.WAITING, blocked_by_lease(), waiting_since=NOW - 720), "waiting 12m: dream"),
        (task("a", TaskState.WAITING), "waiting"),
        (task("a", TaskState.WAITING, blocked_by_lease(), waiting_since=NOW - 8040, starved=True), "starved 2h: dream"),
        (task("a", TaskState.RUNNING, running_run_id="gone"), "running"),
        (task("a", TaskState.RUNNING, running_run_id="9f31c07a55d2"), "running 12m"),
        (task("a", TaskState.SNOOZED, snoozed_until=NOW + 60), "until 14:04"),
    ],
)
def test_what_a_task_does_next(view, short):
    rows = schedule_rows(ScheduleView(tasks=(view,)), picture_of(snapshot()), NOW)
    assert rows[0].cells[3].text == short


def test_a_wait_says_why_where_there_is_room():
    rows = schedule_rows(snapshot().schedule.value, picture_of(snapshot()), NOW)
    assert rows[0].cells[3].full == f"waiting 12m ×41: {HELD}"
    assert rows[0].cells[3].middle == "waiting 12m: dream, pid 4211"


def test_what_asked_for_a_start_is_told_by_its_last_part():
    for asked, said in (("/w/handover.flag", "handover.flag"), ("3 unread in /w/inbox/*.md", "3 unread in *.md")):
        view = task("a", TaskState.DUE, due_at=NOW - 60, prompted_by=asked)
        row = schedule_rows(ScheduleView(tasks=(view,)), picture_of(snapshot()), NOW)[0]
        assert row.cells[3].full == f"due for 1m00s · prompted by {said}"


def test_a_starved_task_is_found_by_that_word_and_a_cron_expression_by_itself():
    views = (
        task("a", TaskState.WAITING, starved=True, waiting_since=NOW - 9),
        task("b", TaskState.IDLE, cron="30 6 * * 1", every=0.0, due_at=NOW + 9),
    )
    rows = schedule_rows(ScheduleView(tasks=views), picture_of(snapshot()), NOW)
    assert rows[0].cells[0].text == "▲ a"
    assert [row.task for row in rows if parse_filter("status:starved").matches(row)] == ["a"]
    assert [row.task for row in rows if parse_filter("6").matches(row)] == ["b"]
    assert rows[1].cells[2].text == "30 6 * * 1"


def test_the_details_of_a_task_say_streak_failures_retry_and_needs():
    gate = GateResult(gate=Gate.DEPENDENCY, verdict=Verdict.PASS, value="chroma, mlx up")
    view = task(
        "a",
        TaskState.WAITING,
        gate,
        cron="30 6 * * 1",
        streak=317,
        starved=True,
        waiting_since=NOW - 8040,
        failures=5,
        tries=2,
        retry_at=NOW + 74,
    )
    known = picture_of(snapshot(schedule=ScheduleView(tasks=(view,))))
    facts = {fact.label: fact.value for fact in facts_of(task_subject("a"), known, NOW) if isinstance(fact, Fact)}
    assert facts["cron"] == "30 6 * * 1"
    assert "every" not in facts
    assert facts["needs"] == "chroma mlx"
    assert facts["streak"] == "317 scheduled starts deferred since it last ran"
    assert facts["waiting"] == "for 2h14m, since 11:49:22"
    assert facts["starved"].startswith("it waits longer than")
    assert facts["failures"] == "5 failed runs in a row"
    assert facts["retry"] == "2: in 1m · 14:04"


def facts_of_task(name, shown):
    found = facts_of(task_subject(name), picture_of(shown), NOW)
    return {fact.label: fact.value for fact in found if isinstance(fact, Fact)}


def test_the_details_of_a_running_task_begin_with_the_run_and_keep_the_last_outcome_apart():
    facts = facts_of_task("dream", snapshot())
    assert list(facts)[1:6] == ["state", "run", "since", "started by", "memory"]
    assert facts["run"] == "9f31c07a55d2 · runner pid 4211 · command pid 4218"
    assert facts["since"] == "13:51:10, 12m"
    assert facts["started by"] == "ada, manual"
    assert facts["memory"] == "4.5G now in 3 processes · 4.5G at its peak"
    assert facts["outcome"] == "✗ failed"
    assert "next" not in facts


def test_a_first_run_that_goes_on_is_not_called_never_started():
    view = task("dream", TaskState.RUNNING, running_run_id="9f31c07a55d2")
    facts = facts_of_task("dream", snapshot(schedule=ScheduleView(tasks=(view,))))
    assert facts["outcome"] == "none: it never ended before"
    assert "when" not in facts
    assert "never started" in facts_of_task("golden-path", snapshot())["outcome"]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('{"level":"warn","message":"hot","time":"2025-11-21T14:01:20.5Z"}', "14:01:20 WARN: hot"),
        ('{"outcome":"completed","summary":"3 files"}', "COMPLETED: 3 files"),
        ('  {"msg":"plain"}', "plain"),
        ('{"level":"warn"}', '{"level":"warn"}'),
        ('{"message":7}', '{"message":7}'),
        ('{"message":"cut', '{"message":"cut'),
        ("[1, 2]", "[1, 2]"),
        ("{not json}", "{not json}"),
        ("", ""),
    ],
)
def test_a_json_line_is_made_readable_and_nothing_else_is_touched(line, shown):
    assert readable(line) == shown


def test_a_repeated_deferral_is_one_row_with_count_and_since():
    rows = [row for row in OutcomeRows().rows(busy_runs(), NOW) if row.task == "backup" and "deferred" in row.words]
    assert len(rows) == 1
    assert rows[0].cells[2].text == "◐ deferred ×41"
    assert rows[0].cells[3].text == "by dream, pid 4211 since 13:51"
    assert rows[0].cells[3].full.startswith("since 13:51 (11m): lease held by dream")
    assert rows[0].cells[2].tone is Tone.CALM


def test_the_history_shows_the_newest_first_and_what_runs_on_top():
    runs = tuple(run(f"{number:012x}", "t", Outcome.COMPLETED, at=NOW - number) for number in range(600))
    rows = OutcomeRows().rows((*runs[::-1], run("live", "t", None, at=NOW - 9999)), NOW)
    assert len(rows) == 601
    assert [row.key for row in rows[:2]] == ["live", f"{0:012x}"]


def test_rows_of_ended_runs_are_written_again_only_when_they_changed():
    maker = OutcomeRows()
    first = maker.rows(busy_runs(), NOW)
    again = maker.rows(tuple(msgspec.structs.replace(run) for run in busy_runs()), NOW + 1)
    assert [one is two for one, two in zip(first, again, strict=True)] == [False] + [True] * 9
    repeated = msgspec.structs.replace(busy_runs()[1], count=42)
    assert "×42" in maker.rows((repeated,), NOW + 2)[0].cells[2].text
    assert maker.rows(busy_runs(), NOW + 86_400)[3].cells[0].text == "Fri 13:31"


def test_trees_show_their_memory_and_mark_what_is_not_exact():
    tree = msgspec.structs.replace(fixtures.busy_trees()[0], exact=False)
    rows = process_rows((tree,))
    assert rows[0].cells[0].full == "dream · holder"
    assert [cell.text for cell in rows[0].cells[2:4]] == ["~4.5G", "91%"]
    assert [row.cells[0].text for row in rows[1:]] == ["└ python", "  └ node", "    └ python3"]


def test_unknown_cpu_is_not_zero():
    one = msgspec.structs.replace(fixtures.own_tree().processes[0], cpu=None)
    rows = process_rows((msgspec.structs.replace(fixtures.own_tree(), processes=(one,)),))
    assert rows[0].cells[3].text == rows[1].cells[3].text == "?"


def test_banners_say_what_is_wrong_and_how_it_is_mended():
    pause = Control(
        control_id=1, kind=ControlKind.PAUSE, target="", created_at=NOW, because="disk swap", requested_by="ada"
    )
    picture = picture_of(snapshot(schedule=ScheduleView(tasks=(), pause=pause)))
    assert [line.text for line in banners(picture, NOW, Flags("no disk"), KEY)] == [
        "‖ PAUSED  no task starts: disk swap — paused by ada at 14:03",
        "‖ RO  nothing can be changed from here: no disk",
    ]
    lines = banners(picture_of(unreadable_lease()), NOW, Flags(), KEY)
    assert lines[0].text.startswith("✗ LEASE  the lease file cannot be read")
    assert lines[0].text.endswith("move it away while nothing runs")


def test_a_held_lease_is_no_trouble():
    lease = LeaseView(light=LeaseLight.HELD, status="active", owner="kbSync")
    assert banners(picture_of(snapshot(lease=lease)), NOW, Flags(), KEY) == []
