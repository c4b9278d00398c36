"""A state folder, or the ledger in it, that goes while somebody looks at it is noticed once, and no write is."""

from __future__ import annotations

import os
import shutil

import pytest

from neo_core.ledger.models import ControlKind
from neo_core.ledger.store import Ledger
from neo_core.state_watch import StateWatch
from neo_core.workspace import ensure_state


@pytest.fixture
def watch(workspace):
    ensure_state(workspace)
    with Ledger(workspace.ledger) as ledger:
        ledger.controls.add(ControlKind.PAUSE, "", at=1.0)
    watch = StateWatch(workspace.state_text, str(workspace.ledger))
    assert watch.look(1.0) == 0.0
    return watch


def remade(workspace):
    ensure_state(workspace)
    with Ledger(workspace.ledger) as ledger:
        ledger.controls.add(ControlKind.PAUSE, "", at=1.0)


def removed(workspace):
    shutil.rmtree(workspace.state)


def emptied(workspace):
    for path in workspace.state.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def remade_at_once(workspace):
    emptied(workspace)
    remade(workspace)


@pytest.mark.parametrize("lose", [removed, emptied, remade_at_once])
def test_the_loss_is_told_from_the_look_that_saw_it_and_what_comes_next_is_none(watch, workspace, lose):
    lose(workspace)
    assert [watch.look(2.0), watch.look(3.0)] == [2.0, 2.0]
    remade(workspace)
    assert watch.look(4.0) == 2.0
    lose(workspace)
    assert watch.look(5.0) == 5.0


def test_writing_and_a_ledger_that_begins_are_no_loss(workspace):
    watch = StateWatch(workspace.state_text, str(workspace.ledger))
    assert watch.look(1.0) == 0.0
    for now in (2.0, 3.0):
        remade(workspace)
        assert watch.look(now) == 0.0


def test_looking_lets_go_of_no_lock_that_this_process_has_on_the_ledger(watch, workspace):
    with Ledger(workspace.ledger) as ledger, ledger.database.transaction():
        ledger.controls.add(ControlKind.PAUSE, "", at=2.0)
        before = locks_of(workspace.ledger)
        other = StateWatch(workspace.state_text, str(workspace.ledger))
        other.look(1.0)
        del other
        assert locks_of(workspace.ledger) == before


def locks_of(path):
    """Return the locks of this process on the ledger and its shared memory, as the kernel lists them."""
    if not os.path.exists("/proc/locks"):
        pytest.skip("locks are listed in /proc")
    numbers = {f":{os.stat(one).st_ino}" for one in (path, f"{path}-shm") if os.path.exists(one)}
    with open("/proc/locks") as listed:
        found = [line.split()[1:] for line in listed if any(f"{number} " in line for number in numbers)]
    assert found
    return found
