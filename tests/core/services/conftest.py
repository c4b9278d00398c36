"""A keeper over real processes, real sockets and a real ledger, driven by hand as the orchestrator's loop drives it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from neo_core.clock import SystemClock
from neo_core.ledger.models import Control, ControlKind
from neo_core.ledger.store import Ledger
from neo_core.processes.source import system_source
from neo_core.services.catalogue import Service
from neo_core.services.environment import marker_of, probe_instance
from neo_core.services.keeper import ServiceKeeper
from neo_core.services.tree import carriers
from neo_core.workspace import ensure_state

QUICK = {
    "probe_every": 0.2,
    "probe_timeout": 1.0,
    "start_grace": 10.0,
    "backoff": 0.2,
    "backoff_max": 1.0,
    "stop_grace": 3.0,
}

# Answers every connection with the status in argv[2]; deaf to SIGTERM when argv[3] says so.
SERVE = """
import os, signal, socket, sys, time
port, status, *more = sys.argv[1:]
if "deaf" in more:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
listening = socket.socket()
listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listening.bind(("127.0.0.1", int(port)))
listening.listen(16)
print("serving as", os.getpid(), flush=True)
while True:
    connection, _ = listening.accept()
    if os.path.exists("mute"):
        time.sleep(0.05)
        connection.close()
        continue
    connection.recv(4096)
    if os.path.exists("status"):
        status = open("status").read()
    connection.sendall(f"HTTP/1.1 {status} X\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok".encode())
    connection.close()
"""


def alive(pid):
    return system_source().start_time(pid) is not None


class Driver:
    """What the orchestrator's loop does with a keeper, a turn at a time."""

    def __init__(self, keeper, ledger, until):
        self.keeper, self.ledger, self._until = keeper, ledger, until

    def turn(self):
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                self.keeper.child_ended(pid, os.waitstatus_to_exitcode(status))
        self.keeper.tick()

    def record(self, name):
        return self.ledger.services.all().get(name)

    def until(self, condition, *, timeout=20.0, what="the condition"):
        def turned():
            self.turn()
            return condition()

        return self._until(turned, timeout=timeout, what=what)

    def until_state(self, name, state, *, timeout=20.0):
        def reached():
            record = self.record(name)
            return record if record is not None and record.state == state else None

        return self.until(reached, timeout=timeout, what=f"{name} {state}")

    def turns(self, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.turn()
            time.sleep(0.01)

    def command(self, kind, target, **more):
        control = Control(control_id=1, kind=ControlKind(kind), target=target, created_at=time.time(), **more)
        self.keeper.command(control)


def members(instance):
    return [one.pid for one in carriers(marker_of(instance), system_source())] if instance else []


@pytest.fixture
def ledger(workspace):
    ensure_state(workspace)
    with Ledger(workspace.ledger) as opened:
        yield opened
        instances = {record.instance for record in opened.services.all().values() if record.instance}
    for instance in instances | {probe_instance(one) for one in instances}:
        for pid in members(instance):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def said():
    return []


@pytest.fixture
def keep(workspace, ledger, said, until):
    """Make a keeper over services and begin; ends with the test."""
    made = []

    def make(*services, begin=True, random=lambda: 0.5, clock=None, source=None, on=None):
        keeper = ServiceKeeper(
            workspace,
            on or ledger,
            {service.name: service for service in services},
            clock=clock or SystemClock(),
            source=source or system_source(),
            say=lambda level, line: said.append((level, line)),
            random=random,
        )
        made.append(keeper)
        if begin:
            keeper.begin()
        return Driver(keeper, ledger, until)

    yield make
    for keeper in made:
        keeper.end(stop=True)
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue


@pytest.fixture
def define(root):
    """Make a service that is quick to ask and to give up."""

    def make(name="web", command=("sleep", "600"), **more):
        return Service(name=name, command=tuple(map(str, command)), cwd=str(root), **{**QUICK, **more})

    return make


@pytest.fixture
def free_port():
    def find():
        with socket.socket() as finding:
            finding.bind(("127.0.0.1", 0))
            return finding.getsockname()[1]

    return find


@pytest.fixture
def serve(root):
    """Return the command of a small HTTP server."""
    script = root / "serve.py"
    script.write_text(SERVE)

    def command(port, status=200, *more):
        return (sys.executable, "-S", str(script), port, status, *more)

    return command


@pytest.fixture
def stranger(until, root):
    """Start programs that are not ours; they end with the test."""
    started = []

    def start(command, **options):
        process = subprocess.Popen(
            [str(part) for part in command], stdout=subprocess.PIPE, cwd=root, start_new_session=True, **options
        )
        started.append(process)
        process.stdout.readline()
        return process

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
