"""One machine under pressure: real workers, a real recorder, and a clock and a pressure that the scene moves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from neo_core.config import MemoryConfig
from neo_core.lease.store import LeaseStore
from neo_core.ledger.models import Outcome, Run, ServiceRecord, ServiceState, Trigger
from neo_core.ledger.store import Ledger
from neo_core.memory.reading import Reading, Stall
from neo_core.processes.source import identity_of, system_source
from neo_core.recorder.recorder import Recorder
from neo_core.workspace import ensure_state, resolve_workspace

MIB = 1024 * 1024
BEGIN = 1_790_000_000.0

# Reads commands: "grow N" (MiB of its own), "map PATH", "share N" (shared with its children), "fork N MiB", "drop".
WORKER = r"""
import mmap, os, sys
kept, children = [], []
def touch(view):
    return sum(view[at] for at in range(0, len(view), 4096))
for line in sys.stdin:
    word, *rest = line.split()
    if word == "grow":
        block = bytearray(int(rest[0]) * 1024 * 1024)
        block[::4096] = b"x" * len(block[::4096])
        kept.append(block)
    elif word == "map":
        file = open(rest[0], "rb")
        kept.append(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        touch(kept[-1])
    elif word == "share":
        view = mmap.mmap(-1, int(rest[0]) * 1024 * 1024)
        for at in range(0, len(view), 4096):
            view[at] = 1
        kept.append(view)
    elif word == "fork":
        for _ in range(int(rest[0])):
            reading, writing = os.pipe()
            pid = os.fork()
            if not pid:
                os.close(reading)
                mine = bytearray(int(rest[1]) * 1024 * 1024)
                mine[::4096] = b"x" * len(mine[::4096])
                for view in kept:
                    touch(view)
                os.write(writing, b".")
                import signal
                signal.pause()
            os.close(writing)
            os.read(reading, 1)
            os.close(reading)
            children.append(pid)
    elif word == "drop":
        kept.clear()
    print("done", flush=True)
"""


class Scene:
    """One machine: workers, a recorder, and a clock and pressure that the scene moves."""

    def __init__(self, folder):
        self.folder = folder
        self.elapsed, self.some = 0.0, 0.0
        self.workers = {}
        self.source = system_source()
        workspace = resolve_workspace(folder)
        ensure_state(workspace)
        self.ledger = Ledger(workspace.ledger)
        self.ledger.database.execute("PRAGMA synchronous = OFF")
        lease = LeaseStore(workspace.lease, source=self.source, clock=self)
        self.recorder = Recorder(workspace, MemoryConfig(), memory=self, source=self.source, clock=self, lease=lease)

    def now(self):
        return BEGIN + self.elapsed

    def monotonic(self):
        return self.elapsed + 1000.0

    def read(self, at):
        stall = Stall(avg10=self.some, avg60=0.0, total=0)
        return Reading(at=at, total=16000 * MIB, available=8000 * MIB, some=stall, full=stall)

    def worker(self, name, *, kind="run"):
        """Start a process and make it known as a run or a service; ``other`` stays unknown, in its own session."""
        process = subprocess.Popen(
            [sys.executable, "-c", WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
            text=True,
        )
        self.workers[name] = process
        identity = identity_of(process.pid, self.source)
        if kind == "run":
            self.ledger.runs.insert(
                Run(
                    run_id=f"{name}-{process.pid}",
                    task=name,
                    heavy=True,
                    trigger=Trigger.MANUAL,
                    requested_at=self.now(),
                    last_at=self.now(),
                    started_at=self.now(),
                    runner_pid=identity.pid,
                    runner_start=identity.start_time,
                    boot_id=identity.boot_id,
                )
            )
        elif kind == "service":
            self.ledger.services.save(
                ServiceRecord(
                    name=name,
                    state=ServiceState.RUNNING,
                    since=self.now(),
                    pid=identity.pid,
                    start_time=identity.start_time,
                    boot_id=identity.boot_id,
                )
            )
        return process

    def tell(self, name, *commands):
        process = self.workers[name]
        for command in commands:
            process.stdin.write(f"{command}\n")
            process.stdin.flush()
            if process.stdout.readline() != "done\n":
                raise AssertionError(f"{name} died on {command}")

    def end(self, name):
        """End a worker and all its children, and what the ledger says of its run."""
        process = self.workers.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        for run in self.ledger.runs.live():
            if run.runner_pid == process.pid:
                self.ledger.database.execute(
                    "UPDATE runs SET outcome = ?, ended_at = ? WHERE run_id = ?",
                    (str(Outcome.COMPLETED), self.now(), run.run_id),
                )

    def play(self, seconds, some=0.0):
        self.some = some
        for _ in range(int(seconds // 5)):
            self.elapsed += 5
            self.recorder.tick(self.ledger)

    def named(self):
        """Return who was named, in this order; what else grows on the machine at this moment is none of the scene's."""
        (incident,) = self.ledger.memory.incidents()
        strangers = {f"pid {process.pid}" for process in self.workers.values()}
        named = [one.tree.owner if one.tree.kind != "other" else f"pid {one.tree.pid}" for one in incident.trees]
        return [name for name in named if not name.startswith("pid ") or name in strangers]

    def close(self):
        for name in list(self.workers):
            self.end(name)
        self.recorder.close()
        self.ledger.close()
