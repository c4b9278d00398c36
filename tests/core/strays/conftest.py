"""Real processes that carry our markers, a source to which they are as old as a test says, and a clock it moves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from neo_core.ledger.models import Outcome, Run, ServiceRecord, ServiceState, Trigger
from neo_core.processes.procfs import ProcFs
from neo_core.runs.spawn import RUN_ID, SERVICE_ID, SERVICE_NAME, STATE_FOLDER, TASK_NAME
from neo_core.strays.judge import Known
from neo_core.strays.watch import Watch

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="real processes are read from /proc")

# Other workers look at the same machine at the same time: each has names of its own.
RUN, LIVE, ONE, OLD = (os.urandom(6).hex() for _ in range(4))


class Source(ProcFs):
    """The machine; every process is ``older`` seconds older, those in ``hidden`` do not show their environment."""

    def __init__(self, older=100.0):
        super().__init__()
        self.older, self.hidden, self.read = older, set(), 0

    def age(self, start_time):
        return super().age(start_time) + self.older

    def environ(self, pid):
        self.read += 1
        return None if pid in self.hidden else super().environ(pid)


class Clock:
    def __init__(self):
        self.at = 1000.0

    def now(self):
        return self.at

    def monotonic(self):
        return self.at

    def sleep(self, seconds):
        self.at += seconds


def ended(run_id=RUN, **more):
    told = {"task": "light", "heavy": False, "outcome": Outcome.LOST, **more}
    return Run(run_id=run_id, trigger=Trigger.MANUAL, requested_at=1.0, last_at=1.0, **told)


def live(run_id=LIVE, **more):
    return ended(run_id, outcome=None, **more)


def record(instance=ONE, process=None, **more):
    told = {"state": ServiceState.RUNNING, "since": 1.0, **more}
    if process is not None:
        told |= {"pid": process.pid, "start_time": Source().start_time(process.pid), "boot_id": Source().boot_id()}
    return ServiceRecord(name="web", instance=instance, **told)


@pytest.fixture
def started(until):
    """Start a command with markers; killed after the test, with whatever carries a marker of ours."""
    processes, marked = [], []

    def start(*command, run="", instance="", service="", state="", task="", **more):
        told = {RUN_ID: run, SERVICE_ID: instance, SERVICE_NAME: service, STATE_FOLDER: str(state), TASK_NAME: task}
        told = {name: value for name, value in told.items() if value}
        process = subprocess.Popen(
            command or ("sleep", "60"),
            env={"PATH": os.environ["PATH"], **told},
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            **more,
        )
        processes.append(process)
        marked.extend(f"{name}={value}".encode() for name, value in told.items() if name in (RUN_ID, SERVICE_ID))
        source = ProcFs()
        until(lambda: process.poll() is not None or source.command_line(process.pid).split()[:1] != [])
        return process

    yield start
    source = ProcFs()
    for pid in source.own_pids():
        with suppress(ProcessLookupError, OSError):
            environment = (source.environ(pid) or b"").split(b"\0")
            if pid != os.getpid() and any(one in environment for one in marked):
                os.kill(pid, signal.SIGKILL)
    for process in processes:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def look(source, clock, tmp_path):
    """Look once, or again, at what lives and what does not."""
    watch = Watch(source, clock)

    def once(*, rows=(), services=(), **known):
        told = {"state": str(tmp_path), "services": {"web": known.pop("web")} if "web" in known else {}, **known}
        by_id = {run.run_id: run for run in rows}
        known = Known(**told)
        return watch.look(
            known, services, lambda asked: {run_id: by_id[run_id] for run_id in asked if run_id in by_id}
        ).view

    once.watch = watch
    return once
