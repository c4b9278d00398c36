"""The recorder: a ring that never grows, incidents with what grew, and one recorder at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import msgspec
import pytest

from neo_core.ledger.models import LeaseRole, Run, Trigger
from neo_core.ledger.store import Ledger
from neo_core.memory.incidents import Phase
from neo_core.workspace import ensure_state

from .conftest import BEGIN, MIB

DAY = 86_400


def live_run(run_id, task, pid, **changes):
    run = Run(
        run_id=run_id, task=task, heavy=True, trigger=Trigger.MANUAL, requested_at=BEGIN, last_at=BEGIN,
        started_at=BEGIN, runner_pid=pid, runner_start=pid,
    )  # fmt: skip
    return msgspec.structs.replace(run, **changes)


def test_a_sample_is_taken_every_five_seconds_and_not_between(recorder_of, machine, ledger):
    recorder = recorder_of()

    assert recorder.tick(ledger)
    machine.elapsed += 4.9
    assert not recorder.tick(ledger)
    machine.elapsed += 0.1
    assert recorder.tick(ledger)
    assert [sample.reading.at for sample in ledger.memory.samples(0, BEGIN * 2)] == [BEGIN, BEGIN + 5]


def test_a_day_and_an_hour_of_samples_stay_below_20_mib_and_the_oldest_hour_is_gone(
    recorder_of, machine, ledger, play, workspace
):
    ledger.database.execute("PRAGMA synchronous = OFF")
    for pid in range(100, 130):
        machine.put(pid, pid * MIB, name=f"a-process-of-ordinary-name-{pid}")
    play(recorder_of(), DAY + 3600)

    samples = ledger.memory.samples(0, BEGIN * 2)
    assert len(samples) == DAY / 5
    assert samples[0].reading.at == BEGIN + 3605
    ledger.database.query("PRAGMA wal_checkpoint(TRUNCATE)")
    assert workspace.ledger.stat().st_size < 20 * MIB


def test_an_incident_names_what_grew_since_the_window_before_it_and_nothing_static(recorder_of, machine, ledger, play):
    machine.put(50, 6000 * MIB, name="a-big-model")
    machine.put(60, 100 * MIB, name="leak")
    ledger.runs.insert(live_run("r1", "dream", 70, lease_role=LeaseRole.HOLDER))
    machine.put(70, 50 * MIB)
    recorder = recorder_of()
    play(recorder, 600)
    machine.put(60, 400 * MIB, name="leak")
    machine.put(70, 2000 * MIB)
    play(recorder, 10, some=30.0, available=900 * MIB)
    play(recorder, 70, some=0.0, available=8000 * MIB)

    (incident,) = ledger.memory.incidents()
    assert [(one.tree.owner, one.grown // MIB) for one in incident.trees] == [("dream", 1950), ("leak", 300)]
    assert incident.phase is Phase.CRITICAL
    assert incident.worst.signal == "available"
    assert (incident.began_at, incident.ended_at) == (BEGIN + 605, BEGIN + 675)
    assert incident.since == BEGIN + 5
    assert incident.least_available == 900 * MIB
    assert incident.most_some == 30.0
    assert incident.lease_owners == ("dream",)
    assert incident.runs == ("r1",)


def test_an_incident_goes_on_when_another_recorder_takes_over(recorder_of, machine, ledger, play):
    machine.put(60, 100 * MIB, name="leak")
    first = recorder_of()
    play(first, 300)
    machine.put(60, 500 * MIB, name="leak")
    play(first, 10, some=30.0)
    first.close()
    second = recorder_of()
    machine.put(60, 900 * MIB, name="leak")
    play(second, 10)
    play(second, 70, some=0.0)

    (incident,) = ledger.memory.incidents()
    assert [(one.tree.owner, one.grown // MIB) for one in incident.trees] == [("leak", 800)]
    assert incident.ended_at is not None
    assert ledger.memory.unfinished() is None


def test_only_one_records_and_the_next_one_follows(recorder_of, machine, ledger):
    first, second = recorder_of(), recorder_of()

    assert first.tick(ledger)
    assert not second.tick(ledger)
    machine.elapsed += 5
    first.close()
    assert second.tick(ledger)


RECORD = """
import sys, time
from neo_core.clock import SystemClock
from neo_core.config import MemoryConfig
from neo_core.durations import Duration
from neo_core.lease.store import LeaseStore
from neo_core.ledger.store import Ledger
from neo_core.memory.reading import system_memory
from neo_core.processes.source import system_source
from neo_core.recorder.recorder import Recorder
from neo_core.workspace import resolve_workspace

workspace = resolve_workspace(sys.argv[1])
config = MemoryConfig(sample_every=Duration(0.05))
parts = {"memory": system_memory(), "source": system_source(), "clock": SystemClock()}
recorder = Recorder(workspace, config, lease=LeaseStore(workspace.lease), **parts)
print("ready", flush=True)
with Ledger(workspace.ledger) as ledger:
    while True:
        if recorder.tick(ledger):
            print("sample", flush=True)
        time.sleep(0.005)
"""


@pytest.fixture
def recording(workspace, kill_later):
    ensure_state(workspace)
    started = []

    def start():
        command = [sys.executable, "-c", RECORD, str(workspace.root)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        kill_later(process.pid)
        started.append(process)
        assert process.stdout.readline() == b"ready\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_a_killed_recorder_loses_at_most_one_sample_and_the_next_takes_over(recording, workspace):
    first, second = recording(), recording()
    told = [first.stdout.readline() for _ in range(5)]
    os.kill(first.pid, signal.SIGKILL)
    told += first.stdout.readlines()
    first.wait()
    assert set(told) == {b"sample\n"}

    assert second.stdout.readline() == b"sample\n"
    with Ledger(workspace.ledger, writable=False) as ledger:
        kept = ledger.memory.samples(0, 1e12)
    assert len(kept) >= len(told)
    assert all(sample.reading.available for sample in kept)


def test_in_calm_times_the_processes_are_counted_every_half_minute_and_at_once_when_memory_goes(
    recorder_of, machine, play
):
    looks = []
    scan = machine.scan
    machine.scan = lambda: looks.append(machine.elapsed) or scan()
    recorder = recorder_of()
    play(recorder, 60)
    assert looks == [5, 35]

    play(recorder, 5, available=machine.available - 300 * MIB)
    assert looks == [5, 35, 65]
    play(recorder, 10, some=30.0)
    assert looks == [5, 35, 65, 70, 75]


def test_heavy_work_beside_heavy_work_stands_in_the_incident(recorder_of, ledger, play):
    told = {"heavy": True, "trigger": Trigger.MANUAL, "requested_at": BEGIN, "last_at": BEGIN, "started_at": BEGIN}
    for run_id in ("one", "two"):
        ledger.runs.insert(Run(run_id=run_id, task=f"task-{run_id}", **told))
    recorder = recorder_of()
    play(recorder, 10, some=42.0)
    (incident,) = ledger.memory.incidents()
    (sentence,) = incident.collisions
    assert sentence.startswith("two heavy jobs work at the same time: task-one (run one")
