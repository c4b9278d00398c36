"""Services: their rows, their details, why they are as they are, and commands to their keeper."""

from __future__ import annotations

import msgspec
import pytest

from neo_console.chain import service_chain
from neo_console.keymap import default_keymap
from neo_console.rows.services import coming, in_trouble, service_rows
from neo_core.ledger.models import ServiceState
from neo_core.schedule.decision import Verdict
from neo_core.snapshot import Section
from screenshots.fixtures import first_run, killed_keeper, snapshot, trouble
from screenshots.parts import NOW
from screenshots.services import (
    healthy_services,
    running_orchestrator,
    service,
    stopped_orchestrator,
    troubled_services,
    without_keeper,
)

KEY = default_keymap().key


@pytest.fixture
def troubled(machine):
    machine.picture = trouble()
    return machine


def test_a_row_says_state_since_pid_restarts_and_what_comes_next():
    rows = service_rows(troubled_services(), NOW)
    assert [[cell.text for cell in row.cells] for row in rows] == [
        ["chroma", "◌ backoff", "6s", "–", "4", "starts in 10s"],
        ["bridgeDaemon", "◍ unhealthy", "21s", "4152", "2", "does not answer"],
        ["mlx", "✗ fatal", "10m", "–", "10", "needs a hand"],
    ]
    assert rows[0].cells[5].full.startswith("starts in 10s · 14:03:32: it ended with exit code 1")


@pytest.mark.parametrize("state", list(ServiceState))
def test_every_state_has_a_next(state):
    row = service_rows((service("s", state, "a sentence"),), NOW)[0]
    assert 0 < len(row.cells[5].text) <= 18


def test_a_service_without_a_keeper_says_so_and_an_unwanted_one_is_no_trouble():
    rows = service_rows(without_keeper(healthy_services()), NOW)
    assert [row.cells[5].text for row in rows] == ["nobody keeps it", "nobody keeps it", "stays stopped"]
    assert [in_trouble(one) for one in healthy_services()] == [False, False, False]
    assert all(in_trouble(one) for one in troubled_services())


def test_the_chain_names_the_first_cause_and_the_way_out():
    backoff, unhealthy, fatal = troubled_services()
    links = {link.name: link for link in service_chain(backoff, running_orchestrator(), NOW, KEY)}
    assert [links[name].verdict for name in ("wanted", "kept", "process", "answers", "faults")] == [
        Verdict.PASS,
        Verdict.PASS,
        Verdict.BLOCK,
        Verdict.NOT_APPLICABLE,
        Verdict.BLOCK,
    ]
    assert links["process"].saw == "no process; the last one: exit code 1 after 3s"
    assert links["faults"].way_out == "starts in 10s · 14:03"
    assert service_chain(unhealthy, running_orchestrator(), NOW, KEY)[3].verdict is Verdict.BLOCK
    assert "press t" in service_chain(fatal, running_orchestrator(), NOW, KEY)[4].way_out
    alone = service_chain(msgspec.structs.replace(backoff, kept=False), stopped_orchestrator(), NOW, KEY)
    assert alone[1].way_out == "press o to start the orchestrator"
    stopped = service_chain(healthy_services()[2], running_orchestrator(), NOW, KEY)
    assert [link.verdict for link in stopped[:3]] == [Verdict.BLOCK, Verdict.PASS, Verdict.NOT_APPLICABLE]


async def test_keys_move_through_tasks_and_services_as_one_list(open_console):
    async with open_console() as desk:
        await desk.press("j", "j", "j", "j", "j", "j")
        assert desk.app.context().service.name == "chroma"
        assert desk.app.focused is desk.main.schedule.services
        await desk.press("k")
        assert desk.app.context().subject.key == "golden-path"
        await desk.press("G")
        assert desk.app.context().service.name == "mlx"
        await desk.press("tab", "1")
        assert desk.app.context().service.name == "mlx"
        await desk.press("g")
        assert desk.app.context().subject.key == "backup"


async def test_a_key_right_behind_another_acts_on_the_row_that_is_selected_by_then(open_console):
    async with open_console() as desk:
        for action, selected in (("bottom", "mlx"), ("top", "backup"), ("bottom", "mlx"), ("up", "bridgeDaemon")):
            desk.app.perform(action)
            assert desk.app.context().subject.key == selected


async def test_one_selection_is_marked_in_the_panel(open_console):
    async with open_console() as desk:
        tables = (desk.main.schedule.table, desk.main.schedule.services)
        assert [table.has_class("idle") for table in tables] == [False, True]
        await desk.press("G")
        assert [table.has_class("idle") for table in tables] == [True, False]


async def test_the_filter_covers_both_tables(troubled, open_console):
    async with open_console() as desk:
        await desk.press("slash", *"status:backoff", "enter")
        assert desk.main.schedule.services.row_count == 1
        assert "None of 6 tasks matches" in desk.screen_text()
        await desk.press("escape")
        assert desk.main.schedule.services.row_count == 3
        assert "6 tasks · 3 services" in desk.screen_text()


async def test_services_that_go_away_give_the_focus_back(open_console):
    async with open_console() as desk:
        await desk.press("G")
        await desk.see(first_run())
        assert not desk.main.schedule.services.display
        await desk.until(lambda: desk.app.focused is desk.main.schedule.table)


async def test_services_that_cannot_be_read_are_not_just_missing(machine, open_console):
    machine.picture = snapshot(services=Section(at=NOW, error="ledger x: permission denied."))
    async with open_console() as desk:
        assert "✗ UNREADABLE  The services cannot be read. ledger x:" in desk.screen_text()


async def test_detail_log_and_why_of_a_service(troubled, open_console):
    async with open_console() as desk:
        await desk.press("G", "k", "k", "enter")
        shown = desk.screen_text()
        for part in (
            "Service chroma",
            "it ended with exit code 1 after 3s; the next start is the fifth",
            "http://localhost:8000/api/v2/heartbeat",
            "chroma run --path",
            "What happened",
            "● running, pid 4140: its probe passed",
        ):
            assert part in shown
        await desk.press("escape", "w")
        assert "Why · service chroma · as of now" in desk.screen_text()
        assert "4 faults in a row" in desk.screen_text()
        await desk.press("escape", "l")
        assert "Log · service chroma" in desk.screen_text()
        assert "14:01:20 WARN: the collection is large: 48211 rows" in desk.screen_text()
        assert "backoff · following" in desk.screen_text()
        await desk.press("l")
        assert desk.main.log_panel.of.name == "chroma"


@pytest.mark.parametrize(
    ("row", "key", "asked", "said"),
    [
        (0, "t", "service-restart", "Restart chroma?"),
        (2, "t", "service-start", "Start mlx?"),
        (0, "x", "service-stop", "Stop chroma?"),
    ],
)
async def test_commands_to_a_service_are_confirmed(machine, open_console, row, key, asked, said):
    async with open_console() as desk:
        await desk.press("G", *["k"] * (2 - row), key)
        assert said in desk.screen_text()
        assert "effect" in desk.screen_text()
        assert desk.app.focused is desk.app.screen.cancel
        await desk.press("tab", "enter")
        assert machine.asked == [(asked, healthy_services()[row].name)]
        assert "by the orchestrator" in desk.screen_text()


async def test_a_service_that_is_another_process_by_now_is_left_alone(machine, open_console):
    async with open_console() as desk:
        await desk.press("G", "k", "k", "x")
        chroma, *others = healthy_services()
        again = msgspec.structs.replace(chroma, pid=9001, start_time=90_010)
        await desk.see(snapshot(services=(again, *others)))
        assert "chroma is another process by now (running, pid 9001). Nothing was done." in desk.screen_text()
        assert machine.asked == []


async def test_force_is_not_needed_for_a_service(machine, open_console):
    async with open_console() as desk:
        await desk.press("G", "k", "k", "X")
        assert "goes from its stop signal to a kill by itself — press x to stop it" in desk.screen_text()
        await desk.press("G", "x")
        assert "mlx is stopped already — press t to start it" in desk.screen_text()
        assert machine.asked == []


async def test_without_an_orchestrator_nobody_starts_a_service(machine, open_console):
    machine.picture = killed_keeper()
    async with open_console() as desk:
        await desk.press("G", "k", "k", "t")
        assert "the orchestrator is not running — press o to start it" in desk.screen_text()
        hints = {hint.action_id: hint for hint in desk.main.keys._hints}
        assert hints["trigger"].blocked
        assert not hints["why"].blocked
        await desk.press("d")
        assert "chroma is not a task" in desk.screen_text()
        assert machine.asked == []


async def test_without_an_orchestrator_a_service_is_stopped_from_here_after_a_preview(machine, open_console):
    machine.picture = killed_keeper()
    async with open_console() as desk:
        await desk.press("G", "k", "k", "x")
        assert "no orchestrator runs, so its whole process tree is ended from here" in desk.text_of(desk.app.screen)
        await desk.press("tab", "enter")
        await desk.until(lambda: machine.asked == [("service-stop", "chroma")])
        await desk.until(lambda: "chroma is stopped, and stays so" in desk.screen_text())


async def test_whether_an_orchestrator_runs_must_be_known_to_stop_a_service(machine, open_console):
    machine.picture = snapshot(orchestrator=Section(at=NOW, error="lock x: permission denied."))
    async with open_console() as desk:
        await desk.press("G", "k", "k", "x")
        assert "whether an orchestrator runs is not known — press r to look again" in desk.screen_text()
        assert machine.asked == []


async def test_names_of_services_are_never_markup(machine, open_console):
    evil = "[red]x[/]"
    machine.picture = snapshot(
        services=(service(evil, ServiceState.FATAL, f"{evil} [/]", command=evil, last_exit=evil),)
    )
    async with open_console() as desk:
        await desk.press("G")
        assert desk.screen_text().count(evil) >= 2
        for keys in (("enter",), ("w",), ("l",), ("t",)):
            await desk.press(*keys)
            assert evil in desk.screen_text()
            await desk.press("escape")


@pytest.mark.parametrize(("ago", "said"), [(89, "answers"), (300, "answered 5m ago")])
def test_an_answer_that_is_noted_once_a_minute_only_does_not_read_as_old(ago, said):
    running = next(one for one in healthy_services() if one.probed_at is not None)
    assert coming(msgspec.structs.replace(running, probed_at=NOW - ago), NOW) == said
