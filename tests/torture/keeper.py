"""Our orchestrator with the same workers, as one more supervisor; and what its ledger says."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from contextlib import suppress

from neo_core.ledger.models import ServiceState
from neo_core.ledger.store import Ledger
from neo_core.workspace import DATA_NAME, resolve_workspace

from .peers import Peer

START = "import sys; from neo_core.commands.orchestrator import main; sys.exit(main())"
BUILT_IN = ("backup", "kbSync", "primary-dev-sync")


class Orchestrator(Peer):
    """``neo-orchestrator run`` in a workspace of its own, in the crew's folder."""

    name = "neo"

    def __init__(self, crew, *, tasks="", services=None, poll="200ms"):
        super().__init__("", crew)
        self.root = f"{crew.folder}/workspace"
        os.makedirs(f"{self.root}/{DATA_NAME}", exist_ok=True)
        self.workspace = resolve_workspace(self.root)
        self.tasks, self.poll = tasks, poll
        self.services = service_tables(crew.commands()) if services is None else services

    def configure(self):
        off = "".join(f"[tasks.{name}]\nevery = 0\n" for name in BUILT_IN if f"[tasks.{name}]" not in self.tasks)
        with open(f"{self.root}/neo-console.toml", "w") as file:
            file.write(f'[orchestrator]\npoll_every = "{self.poll}"\n{off}{self.tasks}{self.services}')

    def command(self):
        return [sys.executable, "-P", "-c", START, "run", "--workspace", self.root]

    def start(self):
        out = os.open(f"{self.crew.folder}/said", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            self.process = self.crew.popen(self.command(), cwd=self.root, stdout=out, stderr=out)
        finally:
            os.close(out)
        return self.process.pid

    def stop(self, seconds=20):
        """Ask it to end; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def ready(self, names):
        """Return the pids of the services once this very process has them all running, until then ``None``."""
        if self.incumbent() != self.process.pid:
            return None
        records = self.records()
        pids = {name: records[name].pid for name in names if name in records and is_up(records[name])}
        return pids if len(pids) == len(names) else None

    def wait_ready(self, names, seconds=20.0):
        """Return the pids of the services, or ``None`` when they were not all running in time."""
        return wait_for(lambda: self.ready(names), seconds, stop=lambda: self.process.poll() is not None)

    def incumbent(self):
        """Return the pid that the lock names; ``None`` while somebody is only starting."""
        with suppress(FileNotFoundError, ValueError):
            return json.loads(self.workspace.orchestrator_lock.read_text())["pid"]
        return None

    def records(self):
        with Ledger(self.workspace.ledger, writable=False) as ledger:
            return ledger.services.all()

    def runs(self):
        with Ledger(self.workspace.ledger, writable=False) as ledger:
            return ledger.runs.history(limit=1_000_000)

    def live(self):
        with Ledger(self.workspace.ledger, writable=False) as ledger:
            return ledger.runs.live()

    def said(self, lines=6):
        """Return the end of what it printed and logged, for an example of a broken invariant."""
        text = ""
        for path in (f"{self.crew.folder}/said", self.workspace.orchestrator_log):
            with suppress(FileNotFoundError), open(path) as file:
                text += " | ".join(file.read().splitlines()[-lines:]) + " || "
        return text


def is_up(record):
    return record.state is ServiceState.RUNNING and record.pid is not None and os.path.exists(f"/proc/{record.pid}")


def service_tables(commands):
    """Return the configuration of the workers: alive is well, and a start counts after a moment."""
    return "".join(
        f'[services.{name}]\ncommand = {json.dumps(command)}\nprobe = "none"\nbackoff = "200ms"\n'
        for name, command in commands.items()
    )


def wait_for(condition, seconds, *, stop=lambda: False, pause=0.02):
    """Return the first true value of ``condition``, or ``None`` when it did not come in time or ``stop`` did."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        if stop():
            return None
        time.sleep(pause)
    return None
