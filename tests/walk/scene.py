"""The workspace that is walked over: an orchestrator, two services, a held lease, a starved task and an incident.

All of it is real but the incident's signals: a real recorder wrote it into this ledger, from readings that the scene
made up, because a machine that has room cannot be squeezed.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress

from neo_core.config import MemoryConfig
from neo_core.engine import Engine
from neo_core.errors import NeoError
from neo_core.lease.store import LeaseStore
from neo_core.ledger.models import Outcome, Run, ServiceState, Trigger
from neo_core.ledger.store import Ledger
from neo_core.memory.reading import Reading, Stall
from neo_core.orchestrator.detached import start_detached
from neo_core.processes.source import is_alive, system_source
from neo_core.recorder.recorder import Recorder
from neo_core.runs.spawn import SERVICE_ID, SERVICE_NAME, STATE_FOLDER
from neo_core.snapshot import OrchestratorState
from neo_core.workspace import ensure_state, resolve_workspace

MIB = 1024 * 1024
HOLDER, STARVED, LIGHT, NEVER = "reindex", "nightly", "digest", "unused"
PAST, PAST_RUNS, PAST_FAILED = "backup", 650, "the disk was full"
MODEL, STRAY = "llm", "sleep"
SERVICES = ("alpha", "beta")
LOOKS = {"dark": "neo-dark", "light": "neo-light", "no-color": "neo-dark"}
_AGO = 1500.0  # seconds before now at which the incident's record begins

SERVER = """
import http.server, sys
kept = [b"x" * (16 << 20)]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def do_POST(self):
        kept.clear()
        print("unloaded", flush=True)
        self.do_GET()
    def log_message(self, *told):
        pass
print("serving on", sys.argv[1], flush=True)
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

TOML = """
[console]
refresh_every = "{refresh}"
theme = "{theme}"
[orchestrator]
poll_every = "200ms"
starved_after = "1s"
[memory]  # the walk is about keys: what else this machine does must hold nothing back
elevated_some = 99.0
critical_full = 99.0
critical_available = 1.0
reserve = "1KiB"
relief_settle = "500ms"
[tasks.backup]
every = 0
[tasks.kbSync]
every = 0
[tasks.primary-dev-sync]
every = 0
[tasks.{holder}]
command = ["sh", "-c", "for n in 1 2 3 4 5; do echo part $n of 5; done; echo reindexing everything; exec sleep 900"]
every = 0
[tasks.{starved}]
command = ["sh", "-c", "echo the nightly work is done"]
every = "1d"
trigger_file = "again"
[tasks.{light}]
command = ["sh", "-c", "echo a digest of the day"]
class = "light"
every = 0
[tasks.{never}]
command = ["true"]
every = 0
"""
SERVICE = """
[services.{name}]
command = {command}
port = {port}
probe = "http"
probe_every = "1s"
"""
UNLOAD = """
[unload.{model}]
url = "http://127.0.0.1:{port}/unload"
"""


class Scene:
    """One workspace, and everything that lives in it until ``close``."""

    def __init__(self, folder):
        self.root = folder
        (folder / ".neo-ai-data").mkdir()
        (folder / "server.py").write_text(SERVER)
        self._ports = [_free_port() for _ in SERVICES]
        self.configure()
        self.workspace = resolve_workspace(folder)
        ensure_state(self.workspace)
        self._source = system_source()
        self._squeeze()
        self._remember()
        self._strays = []
        self.engine = Engine(self.workspace)

    def configure(self, look="dark", *, refresh="250ms"):
        """Write the configuration for a look, as an editor does; it says nothing else than before."""
        names = {"holder": HOLDER, "starved": STARVED, "light": LIGHT, "never": NEVER}
        text = TOML.format(refresh=refresh, theme=LOOKS[look], **names)
        for name, port in zip(SERVICES, self._ports, strict=True):
            command = json.dumps([sys.executable, str(self.root / "server.py"), str(port)])
            text += SERVICE.format(name=name, command=command, port=port)
        text += UNLOAD.format(model=MODEL, port=self._ports[0])
        new = self.root / "neo-console.toml.new"
        new.write_text(text)
        new.rename(self.root / "neo-console.toml")

    def ready(self):
        """Bring about everything the walk begins with; what is so already stays."""
        self.mend_lease()
        self.engine.reconfigure_if_changed()
        self.engine.unpause()
        for name in (STARVED, LIGHT):
            self.engine.resume(name)
        self.until(self._held, "the lease is held")
        if self.keeper().state is not OrchestratorState.RUNNING:
            start_detached(self.workspace)
        for name in SERVICES:
            if not self.service(name).wanted:
                self.engine.service_start(name, "the walk begins")
        if not self.task(STARVED).starved:
            (self.root / "again").touch()
        self.until(lambda: self.task(STARVED).starved, f"{STARVED} starves")
        running = (ServiceState.RUNNING,) * len(SERVICES)
        self.until(lambda: tuple(self.service(name).state for name in SERVICES) == running, "both services run")

    def _held(self):
        """Return whether the holder runs and has the lease; start it where nothing else stands in its way."""
        if not self.task(HOLDER).running_run_id:
            self.engine.trigger(HOLDER)
        return self.engine.snapshot().lease.value.owner == HOLDER

    def until(self, condition, what, *, within=60.0):
        """Wait for the world."""
        deadline = time.monotonic() + within
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"this never came in {within:.0f} s: {what}")
            time.sleep(0.03)

    def keeper(self):
        """Return the orchestrator as it is seen now."""
        return self.engine.snapshot().orchestrator.value

    def tasks(self):
        """Return the names of the schedule, in its order."""
        return [task.name for task in self.engine.snapshot().schedule.value.tasks]

    def task(self, name):
        """Return a task as it is seen now."""
        return next(task for task in self.engine.snapshot().schedule.value.tasks if task.name == name)

    def service(self, name):
        """Return a service as it is seen now."""
        return next(one for one in self.engine.snapshot().services.value if one.name == name)

    def runs(self, task):
        """Return the rows of a task that really started, newest first."""
        with Ledger(self.workspace.ledger, writable=False) as ledger:
            return [run for run in ledger.runs.history(task=task) if run.started_at is not None]

    def latest(self, task):
        """Return the newest row of a task, also of a start that was prevented."""
        with Ledger(self.workspace.ledger, writable=False) as ledger:
            return ledger.runs.latest(task)

    def heavy_deferral(self):
        """Return what defers everything heavy; ``None`` while nothing does."""
        return self.engine.snapshot().schedule.value.heavy_deferral

    def relieved(self):
        """Return what was done to free memory, newest first."""
        return self.engine.relief.history(10)

    def leave_stray(self):
        """Return a process that carries the mark of an earlier start of the first service; it ends with the scene."""
        if not self._strays:
            told = {SERVICE_ID: os.urandom(6).hex(), SERVICE_NAME: SERVICES[0], STATE_FOLDER: str(self.workspace.state)}
            quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            stray = subprocess.Popen([STRAY, "900"], env=os.environ | told, start_new_session=True, **quiet)
            # Who ended and was not waited for still looks alive.
            threading.Thread(target=stray.wait, daemon=True).start()
            self._strays.append(stray)
        return self._strays[0]

    def spoil_lease(self):
        """Make the lease unreadable, also for root: a folder stands where the record belongs."""
        self.workspace.lease.mkdir()

    def mend_lease(self):
        """Take that folder away."""
        if self.workspace.lease.is_dir():
            self.workspace.lease.rmdir()

    def close(self):
        """End everything that was started here, by pid: the orchestrator first, then runs, then services."""
        with suppress(NeoError):
            keeper = self.keeper()
            if keeper.pid is not None and keeper.state is OrchestratorState.RUNNING:
                self._end(keeper.pid, signal.SIGTERM)
        with Ledger(self.workspace.ledger, writable=False) as ledger:
            live = [run for run in ledger.runs.live() if is_alive(run.runner, self._source)]
        for run in live:
            self._end(run.runner_pid, signal.SIGTERM)
        for service in self.engine.snapshot().services.value:
            if service.pid is not None:
                self._end(service.pid, signal.SIGKILL)
        for stray in self._strays:
            stray.kill()
        self.engine.close()

    def _end(self, pid, number):
        began = self._source.start_time(pid)
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + 10
        while began is not None and self._source.start_time(pid) == began:
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)

    def _squeeze(self):
        """Record an incident of 20 minutes ago."""
        clock = _Past(time.time() - _AGO)
        lease = LeaseStore(self.workspace.lease, clock=clock)
        recorder = Recorder(self.workspace, MemoryConfig(), memory=clock, source=self._source, clock=clock, lease=lease)
        with Ledger(self.workspace.ledger) as ledger:
            for seconds, some in ((60, 0.0), (60, 45.0), (120, 0.0)):
                clock.some = some
                for _ in range(seconds // 5):
                    clock.elapsed += 5
                    recorder.tick(ledger)
        recorder.close()

    def _remember(self):
        """Record more runs than the console reads at once; the oldest of them failed."""
        now = time.time() - _AGO
        with Ledger(self.workspace.ledger) as ledger, ledger.database.transaction(durable=False):
            for number in range(PAST_RUNS):
                at = now - 600.0 * (PAST_RUNS - number)
                ended = {"outcome": Outcome.COMPLETED} if number else {"outcome": Outcome.FAILED, "reason": PAST_FAILED}
                ledger.runs.insert(
                    Run(
                        run_id=os.urandom(6).hex(),
                        task=PAST,
                        heavy=True,
                        trigger=Trigger.SCHEDULED,
                        requested_at=at,
                        started_at=at,
                        ended_at=at + 60.0,
                        last_at=at + 60.0,
                        **ended,
                    )
                )


class Fresh:
    """A workspace in which nothing has run yet."""

    def __init__(self, folder):
        self.root = folder
        (folder / ".neo-ai-data").mkdir(parents=True)
        self.engine = Engine(resolve_workspace(folder))

    def tasks(self):
        """Return the names of the schedule, in its order."""
        return [task.name for task in self.engine.snapshot().schedule.value.tasks]


class _Past:
    """A clock that stands in the past until it is moved, and a memory that is under the pressure it is told."""

    def __init__(self, begin):
        self.begin, self.elapsed, self.some = begin, 0.0, 0.0

    def now(self):
        return self.begin + self.elapsed

    def monotonic(self):
        return self.elapsed + 1000.0

    def read(self, at):
        stall = Stall(avg10=self.some, avg60=0.0, total=0)
        return Reading(at=at, total=16_000 * MIB, available=6_000 * MIB, some=stall, full=stall)


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
