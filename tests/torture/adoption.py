"""Adoption: the orchestrator is killed and started again under load; others with the same workers beside it.

``--rounds`` kills of ours, one of each peer. Ours must have five services before and after, the same processes where
they lived, every run once and with an outcome. What the peers do is measured and reported, not judged.
"""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
import time
from collections import Counter

from neo_core.ledger.models import Outcome

from .checker import Interval, overlaps
from .keeper import Orchestrator, wait_for
from .peers import PEERS, MissingError, environment_of
from .report import Report
from .workers import NAMES, Crew

JOB = """\
#!/bin/sh
echo "begin $1 $NEO_CONSOLE_RUN_ID $$ $(date +%s%N)" >> "$TORTURE_STARTS.runs"
sleep "$2"
echo "end $1 $NEO_CONSOLE_RUN_ID $$ $(date +%s%N)" >> "$TORTURE_STARTS.runs"
"""
# name: class, every, seconds of work; one is always longer than a life of the orchestrator
JOBS = {
    "heavy-short": ("heavy", "1s", 0.3),
    "heavy-long": ("heavy", "2s", 1.7),
    "heavy-rare": ("heavy", "3s", 0.6),
    "light-short": ("light", "1s", 0.2),
    "light-long": ("light", "1s", 4.0),
    "light-rare": ("light", "3s", 1.0),
}
SETTLED = 0.6  # seconds without a change of the workers; several polls of ours


def run(options):
    report = Report("adoption")
    told = {"neo": _neo(report, options)}
    for name, kind in PEERS.items():
        try:
            told[name] = _peer(kind, environment_of(options.peers, name))
        except MissingError as error:
            told[name] = f"missing: {error}"
    report.figures["contenders"] = told
    report.contenders = [len(NAMES)]
    return report


def _neo(report, options):
    crew = Crew(tempfile.mkdtemp(prefix="torture-adoption-"))
    try:
        return Game(report, options, crew).play()
    finally:
        crew.end()


class Game:
    """The kills of our orchestrator, and the sums afterwards."""

    def __init__(self, report, options, crew):
        self.report, self.options, self.crew = report, options, crew
        self.random = random.Random(f"adoption-{options.seed}")
        self.keeper = Orchestrator(crew, tasks=self._tasks())
        self.counts = Counter()
        self.most = 0
        self.adopting = []
        self.ends = time.monotonic() + options.seconds

    def play(self):
        self.keeper.configure()
        self._load()
        self.keeper.start()
        if self.keeper.wait_ready(NAMES) is None:
            self.report.broken("permanent_blocks", f"the services never ran: {self.keeper.said()}")
            return {}
        while self.report.rounds < self.options.rounds and time.monotonic() < self.ends:
            self.report.rounds += 1
            if not self._round(self.report.rounds):
                break
        self._close()
        return self._sums()

    def _round(self, number):
        time.sleep(self.random.uniform(0.1, 1.5))
        before, kind = self.crew.workers(), number % 5
        # One dies beside its keeper or after it; all do, so that the next keeper is killed while it starts them.
        victims = set(before) if kind == 1 else set(self.random.sample(sorted(before), 1)) if kind in (3, 4) else set()
        if kind == 3:
            _kill(victims)
        self.keeper.kill()
        self.counts["runs_alive_at_a_kill"] += len(self.keeper.live())
        if kind in (1, 4):
            _kill(victims)
        time.sleep(self.random.choice((0, 0, 0.2)))
        if kind in (1, 4):
            self._kill_early()
        begun = time.monotonic()
        self.keeper.start()
        ready = self.keeper.wait_ready(NAMES)
        self.adopting.append(time.monotonic() - begun)
        if ready is None:
            text = f"the services were not all running again: {self.keeper.said()}"
            self.report.broken("permanent_blocks", text)
            return False
        self._check(before - victims, victims)
        if number % 10 == 0:
            self._newcomer()
        return True

    def _newcomer(self):
        """Start a second orchestrator beside the first: it must name the first, exit 3 and change nothing."""
        before = self.crew.workers()
        child = self.crew.popen(self.keeper.command(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            said = child.communicate(timeout=20)[1]
        except subprocess.TimeoutExpired:
            self.report.broken("double_holds", "a second orchestrator runs beside the first")
            child.kill()
            child.communicate()
            return
        if child.returncode != 3 or str(self.keeper.process.pid) not in said:
            self.report.broken("errors", f"a second orchestrator exits {child.returncode} and says {said!r}")
        if self.crew.workers() != before:
            self.report.broken("errors", "a second orchestrator changed the services")
        self.counts["newcomers_refused"] += 1

    def _kill_early(self):
        """Kill it once more while it is starting, adopting, or replacing a service."""
        started = self.crew.started()
        self.keeper.start()
        if self.random.random() < 0.5:
            # Between the start of one service and that of the next, or the row that names it.
            wait_for(lambda: self.crew.started() > started, 2, pause=0.0005)
            time.sleep(self.random.uniform(0.0, 0.02))
            self.counts["kills_while_starting_services"] += 1
        else:
            time.sleep(self.random.uniform(0.0, 0.8))
        self.keeper.kill()
        self.counts["kills_while_starting"] += 1

    def _check(self, before, victims):
        after = self.crew.settle(len(NAMES), 10, SETTLED)
        self.most = max(self.most, len(after))
        self.counts["services_expected_to_live_on"] += len(before)
        self.counts["services_adopted"] += len(before & after)
        self.counts["services_killed_too"] += len(victims)
        if len(after) > len(NAMES):
            self.report.broken("leftovers", f"{len(after)} services instead of {len(NAMES)}: {self.keeper.said()}")
        if len(after) < len(NAMES):
            self.report.broken("losses", f"{len(after)} services instead of {len(NAMES)}: {self.keeper.said()}")
        if not before <= after:
            text = f"{len(before - after)} living services were not adopted: {self.keeper.said()}"
            self.report.broken("losses", text)
        if wait_for(lambda: set((self.keeper.ready(NAMES) or {}).values()) == after, 5) is None:
            self.report.broken("errors", f"the ledger does not name the services {sorted(after)}: {self.keeper.said()}")

    def _close(self):
        try:
            code = self.keeper.stop()
        except subprocess.TimeoutExpired:
            self.report.broken("permanent_blocks", f"SIGTERM did not end it: {self.keeper.said()}")
            return
        if code:
            self.report.broken("errors", f"SIGTERM ended it with {code}: {self.keeper.said()}")
        if wait_for(lambda: not self.keeper.live(), 30) is None:
            self.report.broken("losses", f"{len(self.keeper.live())} runs never ended")
        if len(self.crew.workers()) != len(NAMES):
            self.report.broken("losses", f"{len(self.crew.workers())} services are left after on_stop = leave")

    def _sums(self):
        ledger = {run.run_id: run for run in self.keeper.runs()}
        begins, ends = self._lines("begin"), self._lines("end")
        worked = {run_id for run_id, run in ledger.items() if run.started_at is not None}
        outcomes = Counter(str(run.outcome) for run in ledger.values() if run.run_id in worked or run.run_id in begins)
        for text, wrong in (
            ("began more than once", [run_id for run_id, lines in begins.items() if len(lines) > 1]),
            ("began and is not in the ledger", begins.keys() - ledger.keys()),
            ("is started in the ledger and never began", worked - begins.keys()),
            ("began and did not end once", [one for one in begins if len(ends.get(one, ())) != 1]),
            ("has no outcome", [run_id for run_id, run in ledger.items() if run.live]),
            ("did its work and is not completed", self._unfinished(ledger, ends)),
        ):
            if wrong:
                examples = [f"{one} {ledger[one].task} {ledger[one].reason}" for one in wrong if one in ledger][:2]
                self.report.broken("losses", f"{len(wrong)} runs: {text} {examples}", times=len(wrong))
        self._heavy(begins, ends)
        self.report.winners = len(begins)
        return {
            "services": len(NAMES),
            "kills": self.report.rounds,
            "services_at_most": self.most,
            "starts_of_services": self.crew.started(),
            "runs_that_worked": len(begins),
            "outcomes_of_those": dict(outcomes),
            "rows_of_other_outcomes": dict(Counter(str(ledger[one].outcome) for one in ledger.keys() - begins.keys())),
            "ready_again_seconds_max": round(max(self.adopting, default=0.0), 2),
            "ready_again_seconds_median": round(sorted(self.adopting)[len(self.adopting) // 2], 2),
            **self.counts,
        }

    def _unfinished(self, ledger, ends):
        return [one for one in ends if one in ledger and ledger[one].outcome is not Outcome.COMPLETED]

    def _heavy(self, begins, ends):
        spans = [
            Interval(lines[0][1], ends[one][0][1], f"{lines[0][0]} {one}")
            for one, lines in begins.items()
            if one in ends and lines[0][0].startswith("heavy")
        ]
        for first, second in overlaps(spans):
            self.report.broken("double_holds", f"{first.who} and {second.who} worked at the same time")

    def _lines(self, word):
        """Return by run id what the jobs wrote down themselves: task and nanoseconds."""
        found = {}
        try:
            with open(f"{self.crew.starts}.runs") as file:
                lines = file.read().splitlines()
        except FileNotFoundError:
            lines = []
        for line in lines:
            kind, task, run_id, _pid, at = line.split(" ")
            if kind == word:
                found.setdefault(run_id, []).append((task, int(at)))
        return found

    def _tasks(self):
        script = f"{self.crew.folder}/job.sh"
        with open(script, "w") as file:
            file.write(JOB)
        return "".join(
            f'[tasks.{name}]\ncommand = ["/bin/sh", "{script}", "{name}", "{work}"]\nclass = "{kind}"\n'
            f'every = "{every}"\n'
            for name, (kind, every, work) in JOBS.items()
        )

    def _load(self):
        for _ in range(os.cpu_count() or 1):
            self.crew.popen(["nice", "-n", "5", "/bin/sh", "-c", "while :; do :; done"])


def _peer(kind, folder):
    """Kill the peer once and start it again; return how many workers there are then."""
    crew = Crew(tempfile.mkdtemp(prefix="torture-adoption-"))
    peer = kind(folder, crew)
    try:
        peer.configure()
        peer.start()
        before = crew.settle(len(NAMES), 30, SETTLED)
        peer.kill()
        alone = crew.workers()
        peer.start()
        after = crew.settle(2 * len(NAMES), 10, SETTLED)
        return {
            "services": len(NAMES),
            "kills": 1,
            "services_before": len(before),
            "services_after_the_kill": len(alone),
            "services_after_the_restart": len(after),
            "of_them_from_before": len(after & before),
            "starts_of_services": crew.started(),
        }
    finally:
        crew.end()


def _kill(pids):
    for pid in pids:
        os.kill(pid, 9)
