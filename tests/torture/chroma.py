"""Chroma: a real server is kept. Found well, killed and back, its port refused to a second one, ended though deaf.

``--rounds`` is how often it is killed. What Chroma itself does on SIGTERM is measured first, without us.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

from neo_core.ledger.models import ServiceState
from neo_core.ledger.store import Ledger

from .keeper import Orchestrator, wait_for
from .peers import MissingError, python_environment
from .report import Report
from .workers import Crew

HEARTBEAT = "/api/v2/heartbeat"
BACKOFF = 1.0
GRACE = 2.0
LATE = 2.0  # seconds after the end of a back-off in which a start still counts as within it
DEAF = """\
#!/bin/sh
trap '' TERM
sh -c 'trap "" TERM; while :; do sleep 1; done' &
while :; do sleep 1; done
"""
LISTENER = """
import socket, sys, time
heard = socket.create_server(("127.0.0.1", int(sys.argv[1])))
time.sleep(86400)
"""


def run(options):
    report = Report("chroma")
    try:
        program = f"{python_environment(options.peers, 'chromadb')}/bin/chroma"
    except MissingError as error:
        report.notes.append(f"chromadb is missing: {error}")
        return report
    crew = Crew(tempfile.mkdtemp(prefix="torture-chroma-"))
    try:
        Game(report, options, crew, program).play()
    finally:
        crew.end()
    return report


class Game:
    """One server, kept by us, and all that is done to it."""

    def __init__(self, report, options, crew, program):
        self.report, self.options, self.crew = report, options, crew
        self.program, self.port = program, free_port()
        self.keeper = Orchestrator(crew, services=self._services(self.port))

    def play(self):
        figures = self.report.figures
        figures["chroma_alone"] = alone = self._alone("alone")
        figures["chroma_alone_with_an_open_connection"] = self._alone("connected", connected=True)
        self.keeper.configure()
        self._orchestrator("stop")
        begun = time.monotonic()
        self.keeper.start()
        if self.keeper.wait_ready(("chroma", "deaf"), 60) is None:
            self.report.broken("permanent_blocks", f"chroma never ran: {self.keeper.said()}")
            return
        figures["well_after_seconds"] = round(time.monotonic() - begun, 2)
        if not self._beats():
            self.report.broken("errors", "it is said to run, but does not answer")
        figures["killed"] = [self._killed(alone["answers_after_seconds"]) for _ in range(self.options.rounds)]
        figures["wedged"] = self._wedged()
        figures["adopted"] = self._adopted()
        figures["port_held_by_chroma"] = self._refused(self.port)
        figures["port_held_by_a_stranger"] = self._refused_by_a_stranger()
        figures["stopped"] = self._stopped()
        self.report.winners = self.report.rounds

    def _alone(self, folder, *, connected=False):
        """Measure the server without us: how long until it answers, and whether it hears SIGTERM."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        child = self.crew.popen(self._command(self.port, folder), **quiet)
        begun = time.monotonic()
        if not wait_for(self._beats, 60):
            self.report.broken("errors", "the server does not answer even without us")
        took = time.monotonic() - begun
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        if connected:
            client.request("GET", HEARTBEAT)
            client.getresponse().read()
        child.send_signal(signal.SIGTERM)
        asked = time.monotonic()
        try:
            code = child.wait(10)
        except subprocess.TimeoutExpired:
            code = None
            child.kill()
            child.wait()
        client.close()
        return {
            "answers_after_seconds": round(took, 2),
            "deaf_to_sigterm": code is None,
            "ended_after_seconds": None if code is None else round(time.monotonic() - asked, 2),
            "exit_code": code,
        }

    def _killed(self, start):
        """Kill it; it must answer again within its back-off and what a start takes."""
        self.report.rounds += 1
        # Doubled for each fault in a row and jittered; a start takes longer on a busy machine; then a probe is due.
        allowed = BACKOFF * 2 ** min(self.report.rounds, 5) + 3 * start + 5
        return self._back_after(signal.SIGKILL, allowed)

    def _wedged(self):
        """Stop it without ending it: alive, listening, deaf, and no longer answering. It must be replaced."""
        return self._back_after(signal.SIGSTOP, 60)

    def _back_after(self, number, allowed):
        before = self.keeper.records()["chroma"]
        os.kill(before.pid, number)
        begun = time.monotonic()
        states, due = [before.state], []

        def back():
            record = self.keeper.records()["chroma"]
            if record.next_start_at is not None:
                due[:] = [record.since, record.next_start_at]
            if record.state is not states[-1]:
                states.append(record.state)
            return record.state is ServiceState.RUNNING and record.pid != before.pid and self._beats() and record

        record = wait_for(back, 90)
        took = time.monotonic() - begun
        if record is None:
            self.report.broken("permanent_blocks", f"after {number.name} it never came back: {self.keeper.said()}")
            return {"back_after_seconds": None, "states": [str(one) for one in states]}
        if took > allowed:
            self.report.broken("errors", f"back {took:.1f} s after {number.name}, allowed are {allowed:.1f}")
        if len(self._servers()) != 1:
            self.report.broken("leftovers", f"{len(self._servers())} servers after {number.name}")
        late = record.started_at - due[1] if due else None
        if late is None or not -0.01 <= late <= LATE:
            self.report.broken("errors", f"after {number.name} it was started {late} s after the end of its back-off")
        return {
            "back_after_seconds": round(took, 2),
            "backoff_seconds": round(due[1] - due[0], 2) if due else None,
            "started_late_seconds": late and round(late, 3),
            "states": [str(one) for one in states],
            "told": record.last_exit,
        }

    def _adopted(self):
        """Kill the orchestrator: the next one must take over the same server, once it has answered."""
        before = self.keeper.records()["chroma"].pid
        self.keeper.kill()
        begun = time.monotonic()
        self.keeper.start()
        again = wait_for(lambda: (self.keeper.ready(("chroma", "deaf")) or {}).get("chroma"), 30)
        took = time.monotonic() - begun
        if again != before or self._servers() != [before] or not self._beats():
            text = f"{before} became {again}, servers {self._servers()}: {self.keeper.said()}"
            self.report.broken("losses", f"the server was not adopted: {text}")
        return {"same_process": again == before, "seconds": round(took, 2)}

    def _refused(self, port):
        """Let a second orchestrator want a server of its own on the held port: nothing starts, nobody is killed."""
        second = Crew(tempfile.mkdtemp(prefix="torture-chroma-"))
        other = Orchestrator(second, services=self._services(port, deaf=False))
        holder = listener_on(self.crew, port)
        try:
            other.configure()
            other.start()
            record = wait_for(lambda: _told(other), 20)
            time.sleep(3)
            record = _told(other) or record
            if record is None:
                self.report.broken("errors", f"nothing is said of the held port: {other.said()}")
                return {}
            if self._servers(second):
                self.report.broken("leftovers", "a second server was started on a held port")
            if holder is None or not os.path.exists(f"/proc/{holder}"):
                self.report.broken("losses", "the holder of the port was killed")
            named = str(holder) in record.reason
            if not named:
                self.report.broken("errors", f"the holder {holder} of the port is not named: {record.reason}")
            return {"state": str(record.state), "says": record.reason.replace(str(holder), "PID"), "named": named}
        finally:
            second.end()

    def _refused_by_a_stranger(self):
        port = free_port()
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        child = self.crew.popen([sys.executable, "-c", LISTENER, str(port)], **quiet)
        if wait_for(lambda: listener_on(self.crew, port), 10) is None:
            self.report.broken("errors", "the stranger does not listen")
        told = self._refused(port)
        child.kill()
        child.wait()
        return told

    def _stopped(self):
        """End the orchestrator, told to stop its services: the deaf one and all its children must be gone too."""
        deaf = [one for one in self.crew.tagged().values() if self.deaf.encode() in one or b"trap" in one[-1]]
        begun = time.monotonic()
        try:
            code = self.keeper.stop(60)
        except subprocess.TimeoutExpired:
            self.report.broken("permanent_blocks", f"SIGTERM did not end the orchestrator: {self.keeper.said()}")
            return {}
        took = time.monotonic() - begun
        left = self.crew.tagged()
        if code or left:
            self.report.broken("leftovers", f"exit code {code}, left: {left}: {self.keeper.said()}")
        if took < GRACE:
            self.report.broken("errors", f"the deaf one got {took:.1f} s of the {GRACE} it has")
        return {"seconds": round(took, 2), "deaf_processes": len(deaf), "left": len(left), "events": self._ends()}

    def _ends(self):
        with Ledger(self.keeper.workspace.ledger, writable=False) as ledger:
            events = ledger.services.events(limit=12)
        return [f"{event.service} {event.state} {event.reason}".rstrip() for event in reversed(events)][-6:]

    def _servers(self, crew=None):
        return [
            pid for pid, command in (crew or self.crew).tagged().items() if b"run" in command and b"--path" in command
        ]

    def _beats(self):
        """Return whether the server answers, asked without us."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            connection.request("GET", HEARTBEAT)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _command(self, port, folder):
        place = f"{self.crew.folder}/{folder}"
        return [self.program, "run", "--path", place, "--host", "127.0.0.1", "--port", str(port)]

    def _services(self, port, *, deaf=True):
        self.deaf = f"{self.crew.folder}/deaf.sh"
        with open(self.deaf, "w") as file:
            file.write(DEAF)
        text = f"[services.chroma]\ncommand = {json.dumps(self._command(port, 'data'))}\n"
        text += f'host = "127.0.0.1"\nport = {port}\nbackoff = "{BACKOFF:.0f}s"\nprobe_every = "500ms"\n'
        text += f'stop_grace = "{GRACE:.0f}s"\n'
        if deaf:
            text += f'[services.deaf]\ncommand = ["/bin/sh", "{self.deaf}"]\nstop_grace = "{GRACE:.0f}s"\n'
        return text

    def _orchestrator(self, on_stop):
        path = f"{self.keeper.root}/neo-console.toml"
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(text.replace("[orchestrator]\n", f'[orchestrator]\non_stop = "{on_stop}"\n'))


def _told(keeper):
    record = keeper.records().get("chroma")
    return record if record is not None and record.state is not ServiceState.STARTING and record.reason else None


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def listener_on(crew, port):
    """Return the pid of the crew that listens on ``port``; ``None`` when none does."""
    inodes = set()
    with open("/proc/net/tcp") as file:
        for line in list(file)[1:]:
            told = line.split()
            if told[3] == "0A" and int(told[1].rpartition(":")[2], 16) == port:
                inodes.add(f"socket:[{told[9]}]")
    for pid in crew.tagged():
        try:
            names = os.listdir(f"/proc/{pid}/fd")
            if any(_target(f"/proc/{pid}/fd/{name}") in inodes for name in names):
                return pid
        except OSError:
            continue
    return None


def _target(link):
    try:
        return os.readlink(link)
    except OSError:
        return ""
