"""The memory panel in each of its states, the list of incidents, the replay, and the override of the memory gates."""

from __future__ import annotations

import msgspec
import pytest

from neo_console import collector
from neo_console.screens.incidents import IncidentsPage
from neo_console.screens.replay import ReplayPage
from neo_console.vocabulary import Seen
from neo_core.errors import LedgerError
from neo_core.ledger.models import Outcome
from neo_core.memory.incidents import Phase
from neo_core.schedule.decision import Gate, GateResult, Reason, Verdict
from neo_core.snapshot import Section
from screenshots.courses import calm_course
from screenshots.fixtures import first_run, pressed, snapshot
from screenshots.parts import NOW, blocked_by_lease, decision

SHORT = GateResult(
    gate=Gate.MEMORY_FORECAST,
    verdict=Verdict.BLOCK,
    value="needs 5210 MiB (95 % of 9 runs)",
    limit="1049 MiB available, 512 MiB of it kept free",
    clears_when="4673 MiB more are available",
    reason=Reason.MEMORY_FORECAST.value,
    outcome=Outcome.DEFERRED,
    sentence="backup needs 5210 MiB, but there is 1049 MiB available",
    blocker="memory",
)


async def test_it_shows_the_plot_the_runs_and_what_grew(open_console):
    async with open_console() as desk:
        shown = desk.screen_text()
        for part in ("4 Memory", "● NORMAL · 4.6G of 16G free", "⣿⣿", "dream ━━━", "grew: dream +4.1G", "-30m ───"):
            assert part in shown
        assert desk.main.memory.seen is Seen.OK


async def test_an_incident_is_shaded_and_counted(machine, open_console):
    machine.picture = pressed()
    async with open_console() as desk:
        shown = desk.screen_text()
        for part in ("✗ CRITICAL 1m01s", "available 6.4 %, limit 10 %", "▒▒▒▒", "2 incidents · i lists"):
            assert part in shown


async def test_before_the_first_sample_it_says_who_records(machine, open_console):
    machine.picture = first_run()
    async with open_console() as desk:
        await desk.press("4")
        assert desk.main.memory.seen is Seen.EMPTY
        shown = desk.text_of(desk.main.memory)
        assert "No sample of the memory yet. The orchestrator records one every few seconds (o starts it)" in shown
        assert "● NORMAL · 12G of 16G free" in shown


@pytest.mark.parametrize(
    ("course", "seen", "said"),
    [
        (Section(at=NOW, error="ledger x: cannot be opened"), Seen.STALE, "was read 0s ago. ledger x"),
        (Section(at=NOW - 20_000, value=calm_course()), Seen.STALE, "was read 5h33m ago"),
        (Section(at=NOW, value=msgspec.structs.replace(calm_course(), samples=())), Seen.EMPTY, "No sample"),
    ],
)
async def test_it_says_in_which_state_it_is(open_console, course, seen, said):
    async with open_console(size=(120, 60)) as desk:
        desk.app.picture.take(desk.app.picture.snapshot, course)
        desk.main.refresh_picture()
        await desk.settled()
        assert desk.main.memory.seen is seen
        assert said in desk.text_of(desk.main.memory)


@pytest.mark.parametrize(
    ("error", "seen"),
    [("cannot be opened", Seen.UNREADABLE), ("is damaged", Seen.MALFORMED)],
)
async def test_a_record_that_cannot_be_read_is_not_calm(machine, open_console, error, seen):
    def fail(_seconds, _step):
        raise LedgerError("ledger x", error, "Mend it.")

    machine.memory_course = fail
    async with open_console() as desk:
        assert desk.main.memory.seen is seen
        assert "⣿" not in desk.screen_text()
        assert desk.main.outcomes.seen is Seen.OK


async def test_while_it_loads_it_says_so(machine, open_console):
    machine.gate.clear()
    async with open_console(first=False) as desk:
        await desk.until(lambda: "Reading how the memory went." in desk.text_of(desk.main.memory))
        assert desk.main.memory.seen is Seen.LOADING


async def test_the_list_names_every_incident(machine, open_console):
    machine.picture = pressed()
    async with open_console() as desk:
        await desk.press("i")
        await desk.until(lambda: "3m12s so far" in desk.screen_text())
        for part in ("✗ critical: available 6.4 %", "◐ elevated: some avg10 18.2 %", "dream +9.6G", "enter replays"):
            assert part in desk.screen_text()
        await desk.press("i")
        assert desk.app.screen is desk.main


async def test_without_incidents_the_list_says_what_fills_it(open_console):
    async with open_console() as desk:
        await desk.press("i")
        await desk.until(lambda: "No memory incident yet." in desk.screen_text())
        await desk.press("enter", "e")
        assert isinstance(desk.app.screen, IncidentsPage)


async def test_a_list_that_cannot_be_read_says_so(machine, open_console):
    def fail(_limit):
        raise LedgerError("ledger x", "is [red]away[/]", "Mend it.")

    machine.incidents = fail
    async with open_console() as desk:
        await desk.press("i")
        await desk.until(lambda: "The incidents cannot be read. ledger x: is [red]away[/]" in desk.screen_text())


async def in_replay(desk):
    await desk.press("i")
    await desk.until(lambda: "critical" in desk.text_of(desk.app.screen.table))
    await desk.press("enter")
    await desk.until(lambda: isinstance(desk.app.screen, ReplayPage))
    await desk.settled()
    return desk.app.screen


async def test_the_replay_steps_through_the_samples(machine, open_console):
    machine.picture = pressed()
    async with open_console(size=(120, 60)) as desk:
        page = await in_replay(desk)
        began = page.moment.reading.at
        assert page.moment.phase is Phase.ELEVATED
        assert "What operators did by then" in desk.screen_text()
        assert "it swaps" not in desk.screen_text()
        assert "The schedule at" in desk.screen_text()
        await desk.press("right")
        assert page.moment.reading.at == began + 10
        await desk.press("left", "left")
        assert page.moment.reading.at == began - 10
        assert "● NORMAL" in desk.screen_text()
        await desk.press("end", "right")
        shown = desk.screen_text()
        for part in ("sample 26 of 26", "✗ CRITICAL", "+9.8G", "◑ snoozed", "◐ waiting", "it swaps", "×14"):
            assert part in shown
        assert "coincided with" in shown
        assert "caused" not in desk.screen_text()
        await desk.press("home")
        assert "sample 1 of 26" in desk.screen_text()


async def test_the_keys_step_where_the_page_is_longer_than_the_screen(machine, open_console):
    machine.picture = pressed()
    async with open_console(size=(80, 24)) as desk:
        await in_replay(desk)
        await desk.press("end")
        assert "sample 26 of 26" in desk.screen_text()
        await desk.press("home")
        assert "sample 1 of 26" in desk.screen_text()


async def test_it_plays_until_a_hand_or_the_end_stops_it(machine, open_console, monkeypatch):
    monkeypatch.setattr(ReplayPage, "steps_a_second", 1e-6)
    machine.picture = pressed()
    async with open_console() as desk:
        page = await in_replay(desk)
        await desk.press("space")
        assert page.playing
        page._advance()
        await desk.press("right")
        assert not page.playing
        await desk.press("end", "space")
        assert page.playing
        assert page._index == 0
        for _ in range(30):
            page._advance()
        assert not page.playing
        assert page._index == 25


async def test_it_stops_playing_behind_a_dialog_and_when_closed(machine, open_console):
    machine.picture = pressed()
    async with open_console() as desk:
        page = await in_replay(desk)
        await desk.press("space", "escape")
        assert not page.playing
        assert isinstance(desk.app.screen, IncidentsPage)


async def test_a_replay_without_samples_says_what_is_left(machine, open_console):
    machine.picture = pressed()
    whole = machine.replay(3)
    report = msgspec.structs.replace(whole.report, samples=())
    machine.replay = lambda _number: msgspec.structs.replace(whole, report=report, phases=())
    async with open_console() as desk:
        await in_replay(desk)
        await desk.press("right", "space", "left")
        for part in ("no sample is left", "were overwritten", "it swaps", "dream"):
            assert part in desk.screen_text()


@pytest.mark.parametrize("key", ["e", "y"])
async def test_an_export_tells_where(machine, open_console, key):
    machine.picture = pressed()
    async with open_console() as desk:
        await in_replay(desk)
        await desk.press(key)
        await desk.until(lambda: ("export", 3) in machine.asked)
        await desk.until(desk.app.journal.results)
        assert "incident 3 is exported to /home/ada" in desk.app.journal.results()[0].text


async def test_a_failed_replay_or_export_is_told(machine, open_console):
    machine.picture = pressed()

    def fail(_number):
        raise LedgerError("ledger x", "is away", "Mend it.")

    machine.export_incident = fail
    async with open_console() as desk:
        await desk.press("i")
        await desk.until(lambda: "so far" in desk.screen_text())
        await desk.press("e")
        await desk.until(lambda: "was not exported" in str(desk.app.journal.results()))
        await desk.press("down", "enter")
        await desk.until(lambda: "incident 2 cannot be replayed" in str(desk.app.journal.results()))


async def test_a_read_only_console_exports_nothing(machine, open_console):
    machine.picture = pressed()
    async with open_console(read_only=True) as desk:
        await in_replay(desk)
        await desk.press("e")
        assert "read-only" in desk.app.journal.results()[0].text
        assert machine.asked == []


def held_back(*blocks):
    """A picture in which nothing but ``blocks`` keeps the backup from starting."""
    picture = first_run()
    backup, *others = picture.schedule.value.tasks
    made = decision("backup", *(gate for gate in blocks if gate is not SHORT))
    made = msgspec.structs.replace(made, results=(*made.results, *(gate for gate in blocks if gate is SHORT)))
    backup = msgspec.structs.replace(backup, decision=made)
    schedule = msgspec.structs.replace(picture.schedule.value, tasks=(backup, *others))
    return msgspec.structs.replace(picture, schedule=Section(at=NOW, value=schedule))


async def test_a_memory_gate_is_overridden_by_a_typed_word_only(machine, open_console):
    machine.picture = held_back(SHORT)
    async with open_console() as desk:
        await desk.press("t")
        assert desk.app.focused.id == "cancel"
        for part in ("in spite of the memory?", "needs 5210 MiB", "limit: 1049 MiB", "type override"):
            assert part in desk.screen_text()
        await desk.press("enter")
        assert machine.asked == []
        await desk.press("t", *"overrid", "enter")
        assert machine.asked == []
        await desk.press("e", "enter")
        await desk.until(lambda: machine.asked == [("trigger", "backup", "override")])
        assert "backup started as run feedface" in desk.app.journal.results()[0].text


async def test_no_other_gate_is_overridden(machine, open_console):
    machine.picture = held_back(SHORT, blocked_by_lease())
    async with open_console() as desk:
        await desk.press("t")
        assert desk.app.screen is desk.main
        assert "lease held by dream" in desk.app.journal.results()[0].text


async def test_a_gate_that_shuts_meanwhile_stops_an_override(machine, open_console):
    machine.picture = held_back(SHORT)
    async with open_console() as desk:
        await desk.press("t", *"override")
        machine.picture = held_back(SHORT, blocked_by_lease())
        await desk.press("enter")
        assert "Since the preview: lease held by dream" in desk.screen_text()
        assert machine.asked == []


async def test_memory_that_runs_short_after_the_preview_stops_a_plain_start(machine, open_console):
    machine.picture = held_back()
    async with open_console() as desk:
        await desk.press("t", "tab")
        machine.picture = held_back(SHORT)
        await desk.press("enter")
        assert "Since the preview: backup needs 5210 MiB" in desk.screen_text()
        assert machine.asked == []


async def test_a_course_is_not_read_with_every_picture(machine, open_console, monkeypatch):
    monkeypatch.setattr(collector, "_COURSE_EVERY", 3600.0)
    read = []
    whole = machine.memory_course
    machine.memory_course = lambda *told: read.append(told) or whole(*told)
    async with open_console() as desk:
        await desk.see(snapshot())
        await desk.see(snapshot())
        assert read == [(1800.0, 10.0)]
        assert desk.main.memory.seen is Seen.OK
