"""Made-up machines and clocks, real participants in processes of their own, and records of every kind."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from neo_core import hold_lease
from neo_core.clock import to_iso
from neo_core.lease.store import LeaseStore
from neo_core.lease.words import GENERATION, INHERITED_TOKEN
from neo_core.workspace import STATE_VARIABLE, resolve_workspace

HERE = Path(__file__).parent
NOW = 1_780_000_000.0


def load(name):
    spec = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _outside_of_any_run(monkeypatch):
    for name in (INHERITED_TOKEN, GENERATION, STATE_VARIABLE):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def syscalls():
    return load("syscalls")


class FakeClock:
    def __init__(self):
        self.wall, self.ticks, self.slept = NOW, 100.0, []
        self.while_sleeping = lambda: None

    def now(self):
        return self.wall

    def monotonic(self):
        return self.ticks

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.wall += seconds
        self.ticks += seconds
        self.while_sleeping()


class FakeMachine:
    """A ``ProcessSource`` with made-up processes: ``started`` by pid, ``environments`` by pid."""

    def __init__(self):
        self.boot, self.namespace = "boot-1", "pid:[1]"
        self.started = {os.getpid(): 1}
        self.environments = {}
        self.keepers = {}
        self.hidden = set()

    def boot_id(self):
        return self.boot

    def pid_namespace(self):
        return self.namespace

    def start_time(self, pid):
        if pid in self.hidden:
            raise PermissionError(13, "hidden")
        return self.started.get(pid)

    def own_pids(self):
        return sorted(self.started)

    def environ(self, pid):
        if pid not in self.started:
            raise ProcessLookupError(pid)
        return self.environments.get(pid, b"HOME=/\0")

    def keeps_lock(self, pid, device, inode):
        told = self.keepers.get(pid)
        return (device, inode) in told if isinstance(told, list) else (told is not None and None)

    def locked_names(self, pid, name):
        return []

    def command_line(self, pid):
        return f"command {pid}"


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def machine():
    return FakeMachine()


@pytest.fixture
def lease_path(tmp_path):
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    return folder / "heavy-maintenance-lease.json"


@pytest.fixture
def store(lease_path):
    """A participant in this process, by the real clock, among the real processes."""
    return LeaseStore(lease_path)


@pytest.fixture
def imagined(lease_path, machine, clock):
    """A participant on the made-up machine."""
    return LeaseStore(lease_path, source=machine, clock=clock)


def foreign_record(pid=4242, **fields):
    return {
        "owner": "kbSync",
        "reason": "manual-cli",
        "pid": pid,
        "token": "11111111-1111-4111-8111-111111111111",
        "acquiredAt": to_iso(NOW - 60),
        "staleAfterMs": 21_600_000,
        "expiresAt": to_iso(NOW - 60 + 21_600),
        "metadata": {"command": "npm run ai:sync-kb"},
        **fields,
    }


def our_record(pid=4242, **holder):
    told = {
        "startTime": 777,
        "bootId": "boot-1",
        "pidNamespace": "pid:[1]",
        "host": os.uname().nodename,
        "uid": os.geteuid(),
        "hold": [1, 2],
        "generation": 7,
        **holder,
    }
    return foreign_record(pid, owner="summary", metadata={"source": "neo-console", "holder": told})


@pytest.fixture
def records():
    """The builders of a foreign record and of one of ours."""
    return {"foreign": foreign_record, "ours": our_record}


@pytest.fixture
def put(lease_path):
    """Write a record as a foreign script would; ``age`` is in seconds before NOW on the made-up clock."""

    def write(record, *, age=60.0, now=NOW):
        content = record if isinstance(record, bytes) else json.dumps(record, indent=2).encode()
        lease_path.write_bytes(content)
        os.utime(lease_path, (now - age, now - age))
        return content

    return write


class Participant:
    def __init__(self, path, pass_fds=()):
        command = [sys.executable, str(HERE / "worker.py")]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, pass_fds=pass_fds
        )
        self.pid = self.process.pid
        self.ask("open", path=str(path))

    def tell(self, do, **options):
        self.process.stdin.write(json.dumps({"do": do, **options}) + "\n")
        self.process.stdin.flush()

    def answer(self):
        line = self.process.stdout.readline()
        assert line, "the participant ended without an answer"
        return json.loads(line)

    def ask(self, do, **options):
        self.tell(do, **options)
        return self.answer()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture
def participant(lease_path):
    """Start participants; ``doomed`` collects the pids of their children, so that none outlives the test."""
    started = []

    def start(path=lease_path):
        started.append(Participant(path))
        return started[-1]

    start.doomed = []
    yield start
    for one in started:
        if one.process.returncode is None:
            one.kill()
    for pid in start.doomed:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


@pytest.fixture(scope="session")
def start_participant():
    return Participant


@pytest.fixture
def until():
    """Wait for a condition, as long as a test may take."""

    def wait(condition):
        ends = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < ends, "it never came"
            time.sleep(0.002)

    return wait


@pytest.fixture
def place(tmp_path):
    """A workspace for ``hold_lease``."""
    return resolve_workspace(tmp_path)


@pytest.fixture
def hold(place):
    def make(owner="nightly", **options):
        return hold_lease(owner, workspace=place.root, **options)

    return make


@pytest.fixture
def names(lease_path):
    """Return what lies beside the lease, without what always stays."""

    def beside():
        found = (path.name for path in lease_path.parent.iterdir())
        return sorted(name for name in found if not name.endswith((".hold", ".lock")))

    return beside
