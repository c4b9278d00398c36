"""The main screen: layout, selection, filter, log, freeze, states and text that is not ours."""

from __future__ import annotations

import msgspec
import pytest

from neo_console.vocabulary import Tone
from neo_core.ledger.models import Outcome
from neo_core.snapshot import LeaseLight, ScheduleView, Section, TaskState
from screenshots import fixtures
from screenshots.fixtures import first_run, snapshot, trouble
from screenshots.history import busy_runs
from screenshots.parts import NOW, run, task


async def test_it_paints_before_it_knows_anything(machine, open_console):
    machine.gate.clear()
    async with open_console(first=False) as desk:
        await desk.until(lambda: "LOADING" in desk.screen_text())
        assert "Opening the ledger." in desk.screen_text()
        machine.gate.set()
        await desk.until(lambda: "● HELD dream 12m" in desk.screen_text())


async def test_without_a_key_the_screen_answers_what_an_operator_asks(open_console):
    async with open_console() as desk:
        shown = desk.screen_text()
        for part in (
            "● HELD dream 12m",
            "2 waiting",
            "waiting 12m: dream",
            "by dream, pid 4211",
            "4.5G",
            "29% free",
        ):
            assert part in shown


async def test_digits_and_tab_go_to_panels(open_console):
    async with open_console() as desk:
        for key, name in (
            ("2", "processes"),
            ("3", "outcomes"),
            ("4", "memory"),
            ("5", "log"),
            ("tab", "schedule"),
            ("shift+tab", "log"),
        ):
            await desk.press(key)
            assert name == desk.main.current.NAME
            assert desk.app.focused is desk.main.current.body


async def test_moving_keys_move_in_the_panel_that_has_the_focus(open_console):
    async with open_console() as desk:
        await desk.press("j", "j", "k")
        assert desk.app.context().subject.key == "kbSync"
        await desk.press("G")
        assert desk.app.context().subject.key == "mlx"
        await desk.press("g")
        assert desk.app.context().subject.key == "backup"
        await desk.press("4", "j", "k", "g", "G")
        assert desk.app.context().subject is None
        assert desk.main.schedule.table.subject.key == "backup"


async def test_a_key_acts_on_what_was_selected_before_the_refresh(open_console):
    async with open_console() as desk:
        await desk.press("3", "down", "down", "down")
        assert desk.app.context().subject.key == "c0ffee001122"
        newer = run("aaaa", "summary", Outcome.COMPLETED, at=NOW - 1, started_at=NOW - 1)
        await desk.see(snapshot(outcomes=(newer, *busy_runs())))
        assert desk.app.context().subject.key == "c0ffee001122"


async def test_the_log_follows_the_selection(machine, open_console):
    async with open_console() as desk:
        await desk.until(lambda: "copied" in desk.main.log_panel.log_view.text)
        await desk.press("j", "j", "j", "j")
        await desk.until(lambda: desk.main.log_panel.of.name == "9f31c07a55d2")
        machine.log_text += "one \x1b[31mmore[/] line\n"
        desk.main.refresh_page()
        assert desk.main.log_panel.log_view.text.endswith("one more[/] line")
        await desk.press("3", "down")
        await desk.until(lambda: "○ EMPTY  It never started: no log (lease held by dream" in desk.screen_text())


async def test_the_log_screen_follows_and_closes(machine, open_console):
    async with open_console() as desk:
        await desk.press("l")
        assert "run 26ab0db9" in desk.screen_text()
        assert "following" in desk.screen_text()
        machine.log_text += "the last line\n"
        desk.app.screen.refresh_page()
        await desk.pilot.pause()
        assert "the last line" in desk.screen_text()
        await desk.press("l")
        assert desk.app.screen is desk.main


async def test_a_filter_narrows_the_table_and_esc_clears_it(open_console):
    async with open_console() as desk:
        await desk.press("3", "slash", *"status:deferred", "enter")
        assert desk.main.outcomes.table.row_count == 1
        assert "3 Outcomes · 1 of 10 · /status:deferred" in desk.screen_text()
        assert "esc clears the filter" in desk.screen_text()
        assert desk.app.focused is desk.main.outcomes.table
        assert desk.app.context().subject.key == "51d0c4e8aa01"
        await desk.press("escape")
        assert desk.main.outcomes.table.row_count == 10


async def test_a_filter_that_matches_nothing_says_so(open_console):
    async with open_console() as desk:
        await desk.press("slash", *"qqq")
        assert "None of 6 tasks matches “qqq”" in desk.screen_text()
        await desk.press("escape")
        assert desk.main.schedule.table.row_count == 6
        assert desk.app.focused is desk.main.schedule.table


async def test_keys_typed_into_the_filter_do_not_act(machine, open_console):
    async with open_console() as desk:
        await desk.press("slash", *"tdxXqwl")
        assert desk.main.filter_bar.display
        assert machine.asked == []


async def test_freezing_keeps_the_tables_but_not_the_strip(open_console):
    async with open_console() as desk:
        await desk.press("p")
        await desk.see(first_run())
        assert "FROZEN" in desk.screen_text()
        assert "○ FREE" in desk.screen_text()
        assert desk.main.outcomes.table.row_count == 10
        await desk.press("p")
        assert desk.main.outcomes.table.row_count == 0
        assert "FROZEN" not in desk.screen_text()


async def test_every_panel_shows_its_state(open_console):
    broken = Section(at=NOW, error="ledger x: permission denied. Mend it.")
    async with open_console() as desk:
        await desk.see(snapshot(outcomes=broken, schedule=Section(at=NOW, error="ledger x: is damaged.")))
        assert "◌ STALE" in desk.screen_text()
        said = "These outcomes were read 0s ago. ledger x: permission denied. Mend it."
        assert said in desk.text_of(desk.main.outcomes)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        (Section(at=NOW, error="ledger x: permission denied."), "✗ UNREADABLE  The ledger cannot be read"),
        (Section(at=NOW, error="ledger x: is damaged."), "✗ MALFORMED  The ledger is damaged"),
        (Section(at=NOW), "? UNKNOWN  Whether anything ran is unknown. r asks the ledger again."),
        ((), "○ EMPTY  Nothing has run yet."),
    ],
)
async def test_a_panel_without_a_value_says_why(machine, open_console, section, said):
    machine.picture = snapshot(outcomes=section)
    async with open_console() as desk:
        assert said in desk.screen_text()
        assert desk.main.outcomes.table.row_count == 0


async def test_text_that_is_not_ours_is_never_markup(machine, open_console):
    evil = "[red]x[/]"
    tree = fixtures.busy_trees()[0]
    one = msgspec.structs.replace(tree.processes[0], name=evil, command=f"{evil} [/] [@click=app.quit]q[/]")
    machine.picture = snapshot(
        processes=(msgspec.structs.replace(tree, owner=evil, processes=(one,)),),
        outcomes=(run("a" * 12, evil, Outcome.FAILED, at=NOW, reason=f"{evil}\x1b[2J[/nope]"),),
        schedule=ScheduleView(tasks=(task(evil, TaskState.IDLE, title=evil, due_at=NOW + 9),)),
        lease=msgspec.structs.replace(
            fixtures.held_lease(), owner=evil, light=LeaseLight.OVERDUE, sentence=f"{evil} is overdue"
        ),
        read_only=f"{evil} is not writable",
    )
    machine.log_text = f"{evil} [bold]\n"
    async with open_console() as desk:
        assert desk.screen_text().count(evil) >= 7
        for keys in (
            ("1", "enter"),
            ("w",),
            ("t",),
            ("2", "down", "enter"),
            ("3", "enter"),
            ("colon", "t"),
            ("question_mark",),
        ):
            await desk.press(*keys)
            await desk.press("escape")
            await desk.press("escape")
        await desk.press("1", "slash", *evil.replace("/", "").replace("[", "").replace("]", ""), "enter")
        desk.app.report(evil, "plain")
        await desk.pilot.pause()
        assert desk.app.screen is desk.main


async def test_ctrl_c_only_says_how_to_quit(open_console):
    async with open_console() as desk:
        await desk.press("ctrl+c")
        assert desk.app.is_running
        assert "14:03:22  · q quits the console; work goes on." in desk.screen_text()
        assert desk.app.journal.results() == ()


async def test_a_refresh_says_when_it_came_or_why_not(machine, open_console):
    async with open_console() as desk:
        await desk.press("r")
        await desk.until(lambda: "✓ refreshed 14:03:22" in desk.screen_text())
        machine.failure = RuntimeError("the disk is gone")
        await desk.press("r")
        await desk.until(lambda: "✗ not refreshed: " in desk.screen_text())


async def test_q_quits_with_success(open_console):
    async with open_console() as desk:
        await desk.press("q")
        assert desk.app.return_value == 0


async def test_the_palette_lists_every_action_and_performs_it(open_console):
    async with open_console() as desk:
        await desk.press("colon")
        await desk.until(lambda: "not now: lease held by dream" in desk.screen_text())
        await desk.press(*"help")
        await desk.until(lambda: "what this console itself uses" in desk.screen_text())
        await desk.press("enter")
        await desk.until(lambda: "Help · every key" in desk.screen_text())


async def test_the_palette_goes_to_a_task_and_starts_it_by_name(machine, open_console):
    async with open_console() as desk:
        await desk.press("ctrl+p", *"go to primary")
        await desk.until(lambda: "go to primary-dev-sync" in desk.screen_text())
        await desk.press("enter")
        await desk.until(lambda: desk.app.screen is desk.main and desk.app.context().subject.key == "primary-dev-sync")
        await desk.press("colon", *"why dream")
        await desk.until(lambda: "every gate and its verdict" in desk.screen_text())
        await desk.press("enter")
        await desk.until(lambda: desk.app.screen is not desk.main)
        assert "dream" in desk.screen_text()


async def test_the_palette_greys_what_is_blocked_and_has_no_stock_commands(open_console):
    async with open_console() as desk:
        await desk.press("colon", *"force stop")
        await desk.until(lambda: "not now:" in desk.screen_text())
        segments = [one for line in desk.app.screen._compositor.render_strips() for one in line]
        colours = {one.style.color.get_truecolor().hex for one in segments if one.text.startswith("force stop  ")}
        assert desk.app.colours[Tone.DIM].lower() in colours
        await desk.press(*(["backspace"] * 10), *"theme")
        await desk.until(lambda: "No matches" in desk.screen_text())


async def test_help_shows_what_the_console_itself_uses(open_console):
    async with open_console(size=(120, 60)) as desk:
        await desk.press("question_mark")
        shown = desk.screen_text()
        assert "43M" in shown
        assert "every action, by name" in shown
        await desk.press("question_mark")
        assert desk.app.screen is desk.main


async def test_the_health_page_lists_every_cause_with_its_mend(machine, open_console):
    machine.picture = trouble()
    async with open_console() as desk:
        await desk.press("h")
        shown = desk.screen_text()
        for part in ("Health · every cause", "✗ unhealthy", "two heavy jobs run at once", "chroma", "Judged 0s ago"):
            assert part in shown
        await desk.see(snapshot(schedule=ScheduleView(tasks=())))
        await desk.until(lambda: "✓ healthy Everything could be read, and all is well." in desk.screen_text())


async def test_copying_says_what(open_console):
    async with open_console() as desk:
        await desk.press("2", "down", "y", "enter")
        assert desk.app.clipboard == "4211"
        await desk.press("3", "y", "y")
        assert desk.app.clipboard == "9f31c07a55d2"
        assert "copied the run id: 9f31c07a55d2" in desk.screen_text()


async def test_details_follow_the_thing_until_it_is_gone(open_console):
    async with open_console() as desk:
        await desk.press("2", "down", "down", "enter")
        assert "npm run ai:dream" in desk.screen_text()
        await desk.see(first_run())
        await desk.until(lambda: "node (4218) is gone." in desk.screen_text())
        await desk.press("enter")
        assert desk.app.screen is desk.main
        assert desk.app.context().subject is None
        await desk.press("enter")
        assert "node (4218) is gone — move to select something else" in desk.screen_text()


async def test_rebound_keys_act_and_the_old_ones_do_not(open_console):
    config = fixtures_config({"help": "H", "detail": "O"})
    async with open_console(config=config) as desk:
        await desk.press("question_mark", "enter")
        assert desk.app.screen is desk.main
        await desk.press("H")
        assert "Help · every key" in desk.screen_text()
        await desk.press("H", "O")
        assert "Detail · backup" in desk.screen_text()


def fixtures_config(keys):
    from neo_core.config import Config, ConsoleConfig
    from neo_core.durations import Duration

    return Config(console=ConsoleConfig(refresh_every=Duration(3600)), keys=keys)
