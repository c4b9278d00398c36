"""No heavy start into pressure: an orchestrator with second-scale tasks, and a threshold that comes and goes.

The readings are the machine's own; a threshold of 99.9 % makes every one of them too low. A round is a second.
"""

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

POLL = 0.5
TURN = 15.0  # seconds of pressure, then as many without
RUNNER_UP = 1.5  # a runner comes up on a busy machine
ENDING = 30.0
QUIET = "".join(f'[tasks.{name}]\nevery = "0"\n' for name in ("backup", "kbSync", "primary-dev-sync"))
TASKS = {"often": (1.0, 0.2), "seldom": (3.0, 0.6)}  # every, works for; in seconds


def run(options):
    """Let the pressure come and go for as long as was asked for; return what was found."""
    report = Report("pressure")
    with tempfile.TemporaryDirectory(prefix="neo-pressure-") as folder:
        workspace = _workspace(Path(folder))
        seconds = min(float(options.rounds), options.seconds)
        _let_work(workspace, seconds, report)
        report.rounds = round(seconds)
        with Ledger(workspace.ledger, writable=False) as ledger:
            _judge(ledger, report)
    report.notes.append("pressure is a threshold above every real reading")
    return report


def _workspace(root):
    (root / ".neo-ai-data").mkdir()
    _configure(root, pressed=False)
    workspace = resolve_workspace(root)
    ensure_state(workspace)
    return workspace


def _configure(root, *, pressed):
    text = f'[orchestrator]\npoll_every = "{POLL}s"\n[memory]\nsample_every = "1s"\ncalm_for = "2s"\n'
    text += "critical_available = 99.9\n" if pressed else ""
    for name, (every, works) in TASKS.items():
        text += (
            f'{QUIET if name == "often" else ""}[tasks.{name}]\ncommand = ["sleep", "{works}"]\nevery = "{every}s"\n'
        )
    new = root / "new.toml"
    new.write_text(text)
    new.rename(root / "neo-console.toml")


def _let_work(workspace, seconds, report):
    command = [sys.executable, "-m", "neo_core.commands.orchestrator", "run", "--workspace", str(workspace.root)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + seconds
        pressed = False
        while time.monotonic() < deadline:
            pressed = not pressed
            _configure(workspace.root, pressed=pressed)
            time.sleep(min(TURN, max(0.0, deadline - time.monotonic())))
    finally:
        process.send_signal(signal.SIGTERM)
    if process.wait(timeout=ENDING) != 0:
        report.broken("errors", f"the orchestrator ended with {process.returncode}")


def _judge(ledger, report):
    rows = ledger.runs.history(limit=100_000)
    incidents = ledger.memory.incidents(10_000)
    starts = sorted(row.requested_at for row in rows if row.started_at is not None)
    deferred = [row for row in rows if row.reason_code == "memory-pressure"]
    for incident in incidents:
        ended = incident.ended_at if incident.ended_at is not None else float("inf")
        for at in (at for at in starts if incident.began_at < at < ended):
            report.broken("double_holds", f"a heavy start {at - incident.began_at:.1f} s into an incident")
        if incident.ended_at is not None:
            first = next((at for at in starts if at >= ended), None)
            if first is not None:
                report.figure("max_start_after_calm_seconds", round(first - ended, 2))
                if first - ended > POLL + RUNNER_UP:
                    report.broken("permanent_blocks", f"the first start came {first - ended:.1f} s after calm")
    for row in deferred:
        if row.outcome is not Outcome.DEFERRED or "limit 99.9 %" not in row.reason or "available" not in row.reason:
            report.broken("losses", f"a deferral without value and limit: {row.reason!r}")
    report.figures.update(incidents=len(incidents), starts=len(starts), deferral_rows=len(deferred))
    report.figures["deferred_starts"] = sum(row.count for row in deferred)
    if not incidents or not deferred or not starts:
        report.broken("errors", "nothing was played")
