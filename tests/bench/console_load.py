"""The console on a machine that does something: at 1 Hz beside glances, and over a ledger with a million runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from neo_core.engine import Engine
from tests.bench import history
from tests.bench.console import FIRST_ROW, console, workspace
from tests.bench.crowd import crowd
from tests.bench.figures import percentile, spread
from tests.bench.terminal import Terminal, drain_all
from tests.torture.peers import MissingError, python_environment

METER = Path(__file__).with_name("gap_meter.py")
TICK = os.sysconf("SC_CLK_TCK")
WARM_UP = 10.0  # seconds from the first row on
SLICE = 5.0  # seconds, after each of which CPU and memory are read
BUDGET_MS = 50.0
SHOWN_ROWS = 500
CONFIG = """
[console]
refresh_every = "1s"
[orchestrator]
on_stop = "stop"
[tasks.tidy]
command = ["sleep", "2"]
every = "30s"
[tasks.digest]
command = ["sh", "-c", "for i in 1 2 3; do echo line $i; sleep 1; done"]
every = "45s"
[tasks.ping]
command = ["true"]
class = "light"
every = "20s"
[services.one]
command = ["sh", "-c", "while true; do echo alive; sleep 1; done"]
enabled = true
[services.two]
command = ["sleep", "86400"]
enabled = true
"""


def at_one_hertz(folder, seconds, processes, peers, *, warm_up=WARM_UP, orchestrated=True):
    """Return the loop's gaps, CPU and memory of the console, and CPU and memory of glances in the same seconds."""
    found = workspace(folder, "watched")
    history.fill(found.ledger, SHOWN_ROWS, time.time())
    found.config.write_text(CONFIG)
    out = folder / "gaps"
    told = {"seconds": seconds, "processes_of_ours": processes, "terminal": "120x40", "refresh": "1 s"}
    with ExitStack() as stack:
        stack.enter_context(crowd(processes))
        if orchestrated:
            stack.enter_context(_orchestrated(found.root))
        terminals = {}
        try:
            glances = f"{python_environment(peers, 'glances')}/bin/glances"
            terminals["glances"] = stack.enter_context(
                Terminal([glances, "--time", "1", "--disable-check-update"], found.root)
            )
        except MissingError as error:
            told["glances"] = f"missing ({error})"
        began = time.monotonic()
        ours = stack.enter_context(Terminal([sys.executable, str(METER), str(out)], found.root))
        terminals["neo-console"] = ours
        ours.until(FIRST_ROW)
        ready = time.monotonic()
        drain_all(terminals.values(), warm_up)
        begun = time.monotonic()
        told |= _costs(terminals, seconds)
        ended = time.monotonic()
        ours.type(b"q")
        ours.gone()
    gaps = read_gaps(out)
    told["gaps_ms"] = {"budget": BUDGET_MS, "steady": gaps_told(gaps, begun, ended)}
    told["gaps_ms"]["start_up"] = gaps_told(gaps, began, ready + warm_up)
    return told


def many_rows(folder, rounds, rows):
    """Return start (exec to the schedule's first row) and refresh (one snapshot) in milliseconds, with ``rows`` runs in
    the ledger and with none, and the one over the other; the CPU of both too, which says more on a busy machine.
    """
    found = {"empty": workspace(folder, "empty"), "full": workspace(folder, "full")}
    history.fill(found["full"].ledger, rows, time.time())
    engines = {name: Engine.for_looking(one) for name, one in found.items()}
    times = {}
    for turn in range(rounds + 1):
        for name, one in found.items():
            with Terminal(console(), one.root) as terminal:
                took = terminal.until(FIRST_ROW) - terminal.began
                used = terminal.cpu()
            if turn:
                times.setdefault(("start", name), []).append(took * 1000)
                times.setdefault(("start_cpu", name), []).append(used * 1000)
        for name, engine in engines.items():
            began, worked = time.perf_counter(), time.thread_time()
            snapshot = engine.snapshot()
            took, used = time.perf_counter() - began, time.thread_time() - worked
            if snapshot.outcomes.error or snapshot.schedule.error:
                raise RuntimeError(f"the {name} ledger cannot be read: {snapshot.outcomes.error}")
            if turn:
                times.setdefault(("refresh", name), []).append(took * 1000)
                times.setdefault(("refresh_cpu", name), []).append(used * 1000)
    told = {"rows": rows, "ledger_mib": round(found["full"].ledger.stat().st_size / 2**20, 1)}
    for what in ("start", "start_cpu", "refresh", "refresh_cpu"):
        empty, full = times[what, "empty"], times[what, "full"]
        over = percentile(full, 50) / percentile(empty, 50)
        told[what] = {"empty": spread(empty, 2), "full": spread(full, 2), "full_over_empty": round(over, 3)}
    return told


def read_gaps(path):
    """Return (moment, milliseconds, of them CPU, of them queued) for every gap that the meter wrote."""
    lines = ([float(value) for value in line.split()] for line in path.read_text().splitlines())
    return [(at, took * 1000, cpu * 1000, queued * 1000) for at, took, cpu, queued in lines]


def gaps_told(gaps, begin, end):
    """Sum up the gaps of an interval: all of them, the longest of each second, and how many were over the budget.

    ``without_the_queue`` leaves out how long the loop was ready and others had the processors.
    """
    within = [one for one in gaps if begin <= one[0] < end]
    if not within:
        return {"count": 0}
    longest = {}
    for at, took, *_ in within:
        longest[int(at - begin)] = max(took, longest.get(int(at - begin), 0.0))
    worst = max(within, key=lambda one: one[1])
    own = [max(0.0, took - queued) for _, took, _, queued in within]
    return {
        "all": spread([took for _, took, *_ in within], 2),
        "longest_of_each_second": spread(longest.values(), 1),
        "over_budget": sum(took > BUDGET_MS for _, took, *_ in within),
        "without_the_queue": spread(own, 2),
        "over_budget_without_the_queue": sum(took > BUDGET_MS for took in own),
        "cpu_of_the_longest": round(worst[2], 1),
        "longest_by_cpu": round(max(cpu for _, _, cpu, _ in within), 1),
    }


@contextmanager
def _orchestrated(root):
    command = [*console(), "orchestrator"]
    subprocess.run([*command, "start"], cwd=root, stdout=subprocess.DEVNULL, check=True)
    try:
        yield
    finally:
        subprocess.run([*command, "stop"], cwd=root, stdout=subprocess.DEVNULL, check=True)


def _costs(terminals, seconds):
    """Read what every program used, slice by slice of the same seconds, in turn."""
    used, resident = {name: [] for name in terminals}, {name: [] for name in terminals}
    written = dict.fromkeys(terminals, 0)
    before = {name: (time.monotonic(), _cpu(one.pid)) for name, one in terminals.items()}
    for _ in range(max(1, round(seconds / SLICE))):
        for name, count in zip(terminals, drain_all(terminals.values(), min(SLICE, seconds)), strict=True):
            written[name] += count
        for name, one in terminals.items():
            now, cpu = time.monotonic(), _cpu(one.pid)
            used[name].append(100 * (cpu - before[name][1]) / (now - before[name][0]))
            before[name] = now, cpu
            resident[name].append(_resident(one.pid))
    return {
        name: {
            "cpu_percent_of_a_core": round(sum(used[name]) / len(used[name]), 2),
            "cpu_percent_by_slice": spread(used[name]),
            "rss_mib_at_the_end": resident[name][-1][0],
            "pss_mib_at_the_end": resident[name][-1][1],
            "rss_mib_max": max(rss for rss, _ in resident[name]),
            "bytes_drawn_per_second": round(written[name] / seconds),
        }
        for name in terminals
    }


def _cpu(pid):
    """Return the seconds of CPU that a process, its ended children and its living descendants have used."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    seconds = sum(int(field) for field in fields[11:15]) / TICK
    for thread in os.listdir(f"/proc/{pid}/task"):
        with suppress(OSError), open(f"/proc/{pid}/task/{thread}/children") as file:
            seconds += sum(_cpu(int(child)) for child in file.read().split())
    return seconds


def _resident(pid):
    sizes = {"Rss:": 0.0, "Pss:": 0.0}
    with open(f"/proc/{pid}/smaps_rollup") as file:
        for line in file:
            name, _, rest = line.partition(" ")
            if name in sizes:
                sizes[name] = round(int(rest.split()[0]) / 1024, 1)
    return tuple(sizes.values())
