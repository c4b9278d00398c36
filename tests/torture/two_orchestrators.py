"""Two orchestrators in two workspaces share one lease, with intervals of seconds: a round is a second.

Every job writes down when it worked; what the ledgers say is compared with that afterwards.
"""

import itertools
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from neo_core.ledger.models import Outcome
from neo_core.ledger.store import Ledger
from neo_core.workspace import ensure_state, resolve_workspace

from .report import Report

POLL = 0.25
SLACK = 4 * POLL + 1.0  # polls, and a runner that comes up on a busy machine
ENDING = 30.0
OFF = "".join(f'[tasks.{name}]\nevery = "0"\n' for name in ("backup", "kbSync", "primary-dev-sync"))
TASKS = {"short": (1.0, 0.05), "middle": (2.0, 0.3), "long": (3.0, 0.8)}  # every, works for; in seconds
JOB = """
import sys, time
began = time.monotonic_ns()
time.sleep(float(sys.argv[2]))
with open(sys.argv[3], "a") as file:
    file.write(f"{sys.argv[1]} {began} {time.monotonic_ns()}\\n")
"""


def run(options):
    """Let both work for as long as was asked for; return what was found."""
    report = Report("two-orchestrators")
    report.contenders = [2]
    if options.weaken:
        report.notes.append("weakened engines are not played here")
        return report
    with tempfile.TemporaryDirectory(prefix="neo-two-") as folder:
        shared = Path(folder) / "shared"
        shared.mkdir()
        (shared / "job.py").write_text(JOB)
        both = [_workspace(Path(folder) / name, shared) for name in ("east", "west")]
        seconds = min(float(options.rounds), options.seconds)
        _let_work(both, seconds, report)
        report.rounds = round(seconds)
        _judge(both, _intervals(shared), report)
    return report


def _workspace(root, shared):
    (root / ".neo-ai-data").mkdir(parents=True)
    text = f'[orchestrator]\npoll_every = "{POLL}s"\n[lease]\npath = "{shared / "lease.json"}"\n{OFF}'
    for name, (every, works) in TASKS.items():
        told = [sys.executable, str(shared / "job.py"), f"{root.name}-{name}", str(works), str(shared / "intervals")]
        command = ", ".join(f'"{part}"' for part in told)
        text += f'[tasks.{root.name}-{name}]\ncommand = [{command}]\nevery = "{every}s"\n'
    text += f'[tasks.{root.name}-light]\ncommand = ["true"]\nclass = "light"\nevery = "2s"\n'
    (root / "neo-console.toml").write_text(text)
    workspace = resolve_workspace(root)
    ensure_state(workspace)
    return workspace


def _let_work(both, seconds, report):
    processes = []
    try:
        for workspace in both:
            command = [sys.executable, "-m", "neo_core.commands.orchestrator", "run", "--workspace"]
            processes.append(subprocess.Popen([*command, str(workspace.root)], stderr=subprocess.DEVNULL))
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            time.sleep(min(0.5, max(0.0, deadline - time.monotonic())))
    finally:
        for process in processes:
            process.send_signal(signal.SIGTERM)
    for process in processes:
        if process.wait(timeout=ENDING) != 0:
            report.broken("errors", f"an orchestrator ended with exit code {process.returncode}")
    deadline = time.monotonic() + ENDING
    while any(row.live for workspace in both for row in _rows(workspace)):
        if time.monotonic() > deadline:
            report.broken("permanent_blocks", "a run has no outcome")
            return
        time.sleep(0.05)


def _judge(both, intervals, report):
    for one, two in itertools.pairwise(intervals):
        if two[0] < one[1]:
            report.broken("double_holds", f"{two[2]} began {(one[1] - two[0]) / 1e6:.1f} ms before {one[2]} ended")
    heavy = [row for workspace in both for row in _rows(workspace) if row.heavy]
    completed = [row for row in heavy if row.outcome is Outcome.COMPLETED]
    report.winners = len(intervals)
    if len(completed) != len(intervals):
        report.broken("losses", f"{len(intervals)} jobs worked, {len(completed)} are recorded")
    deferrals = [row for row in heavy if row.outcome is Outcome.DEFERRED]
    for row in heavy:
        if row.outcome not in (Outcome.COMPLETED, Outcome.DEFERRED, Outcome.SKIPPED):
            report.broken("errors", f"{row.task}: {row.outcome} {row.reason}")
    missing = sum(not (row.reason and row.reason_code) for row in deferrals)
    missing += sum(_waits_without_a_row(heavy, task) for task in {row.task for row in heavy})
    if missing:
        report.broken("errors", f"{missing} starts did not happen and no row says why", times=missing)
    codes = {code: sum(row.count for row in deferrals if row.reason_code == code) for code in _codes(deferrals)}
    report.figures.update(
        overlaps=report.counts["double_holds"],
        starts=len(intervals),
        deferral_rows=len(deferrals),
        deferred_starts=sum(row.count for row in deferrals),
        missing_reasons=missing,
        **codes,
    )


def _waits_without_a_row(heavy, task):
    """Count the starts that came later than due, with no deferral in between."""
    every = TASKS[task.partition("-")[2]][0]
    rows = [row for row in heavy if row.task == task]
    waits = [row for row in rows if row.outcome is Outcome.DEFERRED]
    ran = sorted((row for row in rows if row.started_at is not None), key=lambda row: row.started_at)
    found = 0
    for one, two in itertools.pairwise(ran):
        due = one.started_at + every
        late = two.requested_at - max(due, one.ended_at) > SLACK
        found += late and not any(row.last_at >= due and row.requested_at <= two.requested_at for row in waits)
    return found


def _codes(deferrals):
    return sorted({row.reason_code for row in deferrals})


def _rows(workspace):
    with Ledger(workspace.ledger, writable=False) as ledger:
        return ledger.runs.history(limit=10**6)


def _intervals(shared):
    lines = [line.split() for line in (shared / "intervals").read_text().splitlines()]
    return sorted((int(began), int(ended), name) for name, began, ended in lines)
