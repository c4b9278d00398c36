"""How long a line below the screen stands: a refusal for as long as it holds, a start until it is told how it ended."""

from __future__ import annotations

import msgspec

from neo_core.ledger.models import Outcome
from neo_core.snapshot import LeaseLight, LeaseView
from screenshots.fixtures import busy_trees, first_run, held_lease, own_tree, snapshot
from screenshots.history import busy_runs
from screenshots.parts import NOW, run

FREE = LeaseView(light=LeaseLight.FREE, status="missing", sentence="nobody holds the lease")
HELD = "lease held by dream (pid 4211): its holder is alive"
BROKEN = "neo-console.toml: line 3 is no TOML."


def shown(desk):
    return desk.text_of(desk.main.result) if desk.main.result.display else ""


def held_by_a_script(name):
    """A script that holds the lease, its tree beside the console's own."""
    lease = msgspec.structs.replace(held_lease(), owner=name, pid=71, run_id="", light=LeaseLight.HELD)
    tree = msgspec.structs.replace(busy_trees()[0], owner=name, kind="lease", run_id="")
    return snapshot(lease=lease, processes=(tree, own_tree()), outcomes=())


async def test_a_refusal_goes_with_the_picture_in_which_it_no_longer_holds_for_what_was_selected(machine, open_console):
    async with open_console() as desk:
        await desk.press("t", "j", "j")
        assert HELD in shown(desk)
        await desk.see(msgspec.structs.replace(machine.picture))
        assert HELD in shown(desk)
        await desk.see(first_run())
        assert shown(desk) == ""
        assert HELD in desk.app.journal.results()[0].text


async def test_a_refusal_by_a_configuration_goes_when_it_is_mended(machine, open_console):
    machine.picture = msgspec.structs.replace(first_run(), config_error=BROKEN)
    async with open_console() as desk:
        await desk.press("t")
        assert "until then nothing is started by hand" in shown(desk)
        await desk.see(first_run())
        assert shown(desk) == ""


async def test_how_a_script_is_ended_goes_with_the_script(machine, open_console):
    machine.picture = held_by_a_script("nightly")
    async with open_console() as desk:
        await desk.press("2", "x")
        assert shown(desk).endswith("kill 71")
        await desk.see(snapshot(lease=FREE, processes=(own_tree(),), outcomes=()))
        assert shown(desk) == ""


async def test_a_key_that_does_what_a_refusal_asked_for_takes_it_away(open_console):
    async with open_console() as desk:
        await desk.press("[")
        assert "press 4" in shown(desk)
        await desk.press("4", "d")
        assert "nothing is selected" in shown(desk)
        await desk.press("1")
        assert shown(desk) == ""


async def test_escape_takes_the_line_away_after_everything_else(open_console):
    async with open_console() as desk:
        await desk.press("t", "z", "escape")
        assert shown(desk)
        assert not desk.main.zoomed
        await desk.press("escape")
        assert shown(desk) == ""
        assert len(desk.app.journal.results()) == 1


async def test_a_start_that_fails_at_once_is_told_with_its_outcome(machine, open_console):
    machine.picture = first_run()
    async with open_console() as desk:
        await desk.press("t", "tab", "enter")
        assert "backup started as run feedface" in shown(desk)
        failed = run(
            "feedfacecafe", "backup", Outcome.FAILED, at=NOW, started_at=NOW, ended_at=NOW + 0.5, reason="exit code 7"
        )
        await desk.see(msgspec.structs.replace(first_run(), outcomes=snapshot(outcomes=(failed,)).outcomes))
        assert "✗ backup failed after 500ms: exit code 7 — l shows its log, enter tells why" in shown(desk)
        await desk.press("3", "w")
        said = "It started, and in the end: backup failed after 500ms: exit code 7."
        assert said in desk.screen_text()
        assert len(desk.app.journal.results()) == 2


async def test_a_run_that_goes_on_for_longer_is_not_told_of_by_a_line(open_console):
    ended = next(one for one in busy_runs() if one.outcome is Outcome.COMPLETED)
    live = msgspec.structs.replace(ended, outcome=None, ended_at=None)
    async with open_console() as desk:
        desk.app.telling.follow(ended.run_id)
        for at, one in ((NOW, live), (NOW + 13, live), (NOW + 13, ended)):
            desk.clock.at = at
            desk.app.picture.take(snapshot(at=at, outcomes=(one,)))
            desk.app.telling.follow_up()
        assert desk.app.journal.results() == ()


async def test_frozen_tables_say_since_when_and_the_clock_goes_on(open_console):
    async with open_console() as desk:
        await desk.press("p")
        desk.clock.at += 8
        desk.main.refresh_page()
        await desk.settled()
        assert "FROZEN since 14:03:22 · 14:03:30" in desk.screen_text()
