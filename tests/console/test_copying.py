"""Copying: a choice of what is known, the most wanted first; never the lease's whole token."""

from __future__ import annotations

import json

import pytest

from neo_console.context import Context
from neo_console.copying import copyables
from neo_console.keymap import default_keymap
from neo_console.picture import Picture
from neo_console.rows.processes import process_rows
from neo_console.subjects import more_subject, run_subject, service_subject, task_subject
from neo_core.config import Config
from neo_core.engine import Engine
from neo_core.lease.hold import hold_lease
from screenshots.fixtures import busy_trees, first_run, snapshot
from screenshots.parts import HELD, NOW

TREE, MEMBER = (row.subject for row in process_rows(busy_trees())[:2])


def found_for(subject, shown=None):
    picture = Picture()
    picture.take(shown or snapshot())
    return copyables(Context(picture, subject, None, "", default_keymap().key), NOW)


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (task_subject("kbSync"), {"task": "kbSync", "run id": "c0ffee001122", "reason": HELD}),
        (run_subject("9f31c07a55d2", "dream"), {"run id": "9f31c07a55d2", "pid": "4218", "runner pid": "4211"}),
        (TREE, {"pid": "4211", "all pids": "4211 4218 4230", "owner": "dream", "run id": "9f31c07a55d2"}),
        (MEMBER, {"pid": "4211", "command": "python -m neo_core.runs.runner", "task": "dream"}),
        (service_subject("chroma"), {"service": "chroma", "pid": "4140"}),
    ],
)
def test_what_can_be_copied_begins_with_what_names_the_selection(subject, expected):
    found = found_for(subject)
    assert found[0].label == next(iter(expected))
    assert expected.items() <= {one.label: one.text for one in found}.items()
    assert all(one.text for one in found)
    assert len({one.text for one in found}) == len(found)


def test_what_is_unknown_is_not_offered():
    assert found_for(more_subject("x"), first_run())[0].label == "lease as JSON"
    assert found_for(None) == []


def test_the_lease_is_copied_without_its_token(workspace):
    with hold_lease("my-job", workspace=workspace.root) as held:
        seen = Engine(workspace, Config()).snapshot()
        told = {one.label: one.text for one in found_for(task_subject("backup"), seen)}["lease as JSON"]
    token = held.lease.token
    assert json.loads(told)["holder"]["owner"] == "my-job"
    assert json.loads(told)["holder"]["tokenPrefix"] == token[:8]
    assert token not in told
    assert len(token) > 8


async def test_the_menu_copies_what_was_chosen_and_says_so(open_console):
    async with open_console() as desk:
        await desk.press("2", "down", "y")
        assert "Copy of python (4211)" in desk.screen_text()
        await desk.press("2")
        assert desk.app.clipboard == "python -m neo_core.runs.runner"
        assert "copied the command: python -m neo_core.runs.runner" in desk.screen_text()
        await desk.press("y", "G", "y")
        assert json.loads(desk.app.clipboard)["holder"]["tokenPrefix"] == "1b0c77e2"
        assert "copied the lease as JSON" in desk.screen_text()


async def test_leaving_the_menu_copies_nothing(open_console):
    async with open_console() as desk:
        await desk.press("y", "escape")
        assert desk.app.clipboard == ""
        assert desk.app.screen is desk.main


async def test_what_is_copied_is_what_was_selected_at_the_keypress(machine, open_console):
    async with open_console() as desk:
        await desk.press("3", "down", "y")
        await desk.see(first_run())
        await desk.press("enter")
        assert desk.app.clipboard == "51d0c4e8aa01"


async def test_a_long_text_is_offered_in_one_line(machine, open_console):
    machine.picture = first_run()
    async with open_console(size=(60, 16)) as desk:
        await desk.press("y")
        assert "lease as JSON" in desk.screen_text()
        assert "esc cancel" in desk.screen_text()
