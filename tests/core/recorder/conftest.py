"""A recorder over a clock and a memory that the test moves."""

from __future__ import annotations

import pytest

from neo_core.config import MemoryConfig
from neo_core.lease.store import LeaseStore
from neo_core.memory.reading import Reading, Stall
from neo_core.processes.source import ProcessInfo
from neo_core.recorder.recorder import Recorder

MIB = 1024 * 1024
BEGIN = 1_790_000_000.0


class Machine:
    """A machine whose clock, memory and processes stand still until the test moves them."""

    def __init__(self):
        self.elapsed = 0.0
        self.some, self.available = 0.0, 8000 * MIB
        self.processes = {}

    def now(self):
        return BEGIN + self.elapsed

    def monotonic(self):
        return 1000.0 + self.elapsed

    def read(self, at):
        stall = Stall(avg10=self.some, avg60=0.0, total=0)
        return Reading(at=at, total=16000 * MIB, available=self.available, some=stall, full=stall)

    def scan(self):
        return dict(self.processes)

    def memory(self, pid):
        return None

    def put(self, pid, rss, *, name="p", session=None):
        self.processes[pid] = ProcessInfo(pid, 1, session or pid, name, pid, rss, 0.0, False, 0)


@pytest.fixture
def machine():
    return Machine()


@pytest.fixture
def recorder_of(workspace, machine):
    made = []

    def make(**changes):
        lease = LeaseStore(workspace.lease, clock=machine)
        config = MemoryConfig(**changes)
        recorder = Recorder(workspace, config, memory=machine, source=machine, clock=machine, lease=lease)
        made.append(recorder)
        return recorder

    yield make
    for recorder in made:
        recorder.close()


@pytest.fixture
def play(machine, ledger):
    """Let time pass in steps of the sampling, recording all the while."""

    def run(recorder, seconds, **state):
        for name, value in state.items():
            setattr(machine, name, value)
        for _ in range(int(seconds / 5)):
            machine.elapsed += 5
            recorder.tick(ledger)

    return run
