"""The orchestrator by its lock file and its latest row: every pair of them, in one word."""

from __future__ import annotations

import json
import os

import pytest

from neo_core.errors import NeoError
from neo_core.incumbent import Incumbent, read_incumbent, require_keeper
from neo_core.ledger.models import OrchestratorRecord
from neo_core.overseen import orchestrator_view
from neo_core.processes.source import identity_of, system_source
from neo_core.snapshot import OrchestratorState

NOW = 1_800_000_000.0
SOURCE = system_source()
DEAD = 2**22 + 17


def incumbent(*, alive: bool = True, beat: float = 1.0, pid: int = 7) -> Incumbent:
    return Incumbent(pid=pid, start_time=70, boot_id="b", since=NOW - 900, beat_at=NOW - beat, alive=alive)


def record(ending: str = "", *, ended: bool = True, pid: int = 7, config_error: str = "") -> OrchestratorRecord:
    return OrchestratorRecord(
        orchestrator_id=1,
        pid=pid,
        start_time=10 * pid,
        boot_id="b",
        started_at=NOW - 900,
        configured_at=NOW - 900,
        ended_at=NOW - 5 if ended else None,
        ending=ending,
        config_error=config_error,
    )


@pytest.mark.parametrize(
    ("who", "latest", "alive", "state"),
    [
        (None, None, False, OrchestratorState.STOPPED),
        (incumbent(), None, False, OrchestratorState.RUNNING),
        (incumbent(), record(ended=False), True, OrchestratorState.RUNNING),
        (incumbent(), record("stopped", pid=3), False, OrchestratorState.RUNNING),
        (incumbent(beat=14.9), record(ended=False), True, OrchestratorState.RUNNING),
        (incumbent(beat=15.1), record(ended=False), True, OrchestratorState.SILENT),
        (incumbent(beat=-60), record(ended=False), True, OrchestratorState.RUNNING),
        (None, record(ended=False), True, OrchestratorState.SILENT),
        (incumbent(alive=False), record(ended=False), False, OrchestratorState.KILLED),
        (incumbent(alive=False), None, False, OrchestratorState.KILLED),
        (None, record(ended=False), False, OrchestratorState.KILLED),
        (None, record("killed"), False, OrchestratorState.KILLED),
        (incumbent(alive=False), record("crashed"), False, OrchestratorState.CRASHED),
        (incumbent(alive=False), record("stopped"), False, OrchestratorState.STOPPED),
    ],
)
def test_every_pair(who, latest, alive, state):
    view = orchestrator_view(who, latest, alive=alive, poll_every=3.0, now=NOW)
    assert view.state is state
    assert view.sentence
    assert bool(view.mend) == (state is not OrchestratorState.RUNNING)


def test_a_slow_poll_may_be_quiet_for_five_of_them():
    slow = {"alive": True, "poll_every": 60.0, "now": NOW}
    assert orchestrator_view(incumbent(beat=299), None, **slow).state is OrchestratorState.RUNNING
    assert orchestrator_view(incumbent(beat=301), None, **slow).state is OrchestratorState.SILENT


def test_a_refused_configuration_is_that_of_this_life_only():
    told = {"alive": True, "poll_every": 3.0, "now": NOW}
    assert orchestrator_view(incumbent(), record(ended=False, config_error="e"), **told).config_error == "e"
    assert orchestrator_view(incumbent(), record("killed", pid=3, config_error="e"), **told).config_error == ""


@pytest.fixture
def lock(workspace):
    workspace.state.mkdir(parents=True)

    def write(pid: int, start_time: int = 1) -> None:
        told = {"pid": pid, "startTime": start_time, "bootId": SOURCE.boot_id(), "since": "2026-11-21T06:00:00.000Z"}
        workspace.orchestrator_lock.write_text(json.dumps({**told, "version": "1"}) + "\n")

    return write


def test_the_lock_file_names_who_has_it(workspace, lock):
    assert read_incumbent(workspace, SOURCE) is None
    lock(os.getpid(), identity_of(os.getpid(), SOURCE).start_time)
    os.utime(workspace.orchestrator_lock, (NOW, NOW))
    found = read_incumbent(workspace, SOURCE)
    assert (found.pid, found.alive, found.beat_at) == (os.getpid(), True, NOW)
    require_keeper(workspace, "chroma", SOURCE)


def test_a_dead_one_and_another_process_of_its_pid(workspace, lock):
    for pid in (DEAD, os.getpid()):
        lock(pid)
        assert not read_incumbent(workspace, SOURCE).alive
        with pytest.raises(NeoError, match="neo-console orchestrator start"):
            require_keeper(workspace, "chroma", SOURCE)


def test_an_empty_lock_file_is_one_that_is_being_written_and_another_is_an_error(workspace, lock):
    workspace.orchestrator_lock.write_text("")
    assert read_incumbent(workspace, SOURCE) is None
    workspace.orchestrator_lock.write_text("{}")
    with pytest.raises(NeoError, match="does not say who has it"):
        read_incumbent(workspace, SOURCE)
    workspace.orchestrator_lock.unlink()
    workspace.orchestrator_lock.mkdir()
    with pytest.raises(NeoError, match="is a directory"):
        read_incumbent(workspace, SOURCE)


def test_the_orchestrator_reads_the_same(workspace, lock):
    from neo_core.orchestrator.instance import read_incumbent as theirs

    lock(os.getpid(), identity_of(os.getpid(), SOURCE).start_time)
    mine, other = read_incumbent(workspace, SOURCE), theirs(workspace, SOURCE)
    for field in ("pid", "start_time", "since", "beat_at", "alive"):
        assert getattr(mine, field) == getattr(other, field)
