"""What it costs to keep five workers and six tasks while nothing is due, beside other supervisors at the same time.

Counted is every process of the supervisor but not the workers, which are the same for all: resident memory (RSS, and
PSS, in which sharers divide what they share), CPU in percent of one core, and how often it woke up.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from contextlib import suppress

from neo_core.ledger.models import Outcome
from tests.bench.figures import percentile
from tests.torture.keeper import Orchestrator, wait_for
from tests.torture.peers import PEERS, MissingError, environment_of
from tests.torture.workers import NAMES, Crew

TASKS = ("backup", "kbSync", "primary-dev-sync", "summary", "dream", "golden-path")
WARM_UP = 15.0
SAMPLES = 60
TICK = os.sysconf("SC_CLK_TCK")


def idling(seconds, peers, poll="3s"):
    """Return what each supervisor cost in the same ``seconds``; a missing one by the reason why."""
    kept, told = {}, {}
    try:
        for name in ("neo", *PEERS):
            try:
                kept[name] = _started(name, peers, poll)
            except MissingError as error:
                told[name] = f"missing ({error})"
        time.sleep(min(WARM_UP, seconds))
        told |= _measured(kept, seconds)
    finally:
        for peer in kept.values():
            peer.crew.end()
    return {"seconds": seconds, "workers": len(NAMES), "tasks_of_neo": len(TASKS), **told}


def _started(name, peers, poll):
    folder = environment_of(peers, name) if name in PEERS else ""
    crew = Crew(tempfile.mkdtemp(prefix="bench-idle-"))
    tasks = "".join(f'[tasks.{task}]\ncommand = ["true"]\nevery = "24h"\n' for task in TASKS)
    peer = PEERS[name](folder, crew) if name in PEERS else Orchestrator(crew, tasks=tasks, poll=poll)
    try:
        peer.configure()
        peer.start()
        if len(crew.settle(len(NAMES), 30)) != len(NAMES):
            raise RuntimeError(f"{name} did not start its workers")
        if name not in PEERS and wait_for(lambda: _is_quiet(peer), 60) is None:
            raise RuntimeError(f"the tasks of {name} do not come to rest")
    except BaseException:
        crew.end()
        raise
    return peer


def _is_quiet(keeper):
    """Return whether every task has had its first run: what is due at the beginning is no idling."""
    worked = {run.task for run in keeper.runs() if run.outcome is Outcome.COMPLETED}
    return not keeper.live() and len(worked) == len(TASKS)


def _measured(kept, seconds):
    before = {name: _cost(peer) for name, peer in kept.items()}
    memory = {name: [] for name in kept}
    begun = time.monotonic()
    for turn in range(1, SAMPLES + 1):
        time.sleep(max(0.0, begun + seconds * turn / SAMPLES - time.monotonic()))
        for name, peer in kept.items():
            memory[name].append(_memory(_pids(peer)))
        if turn % 6 == 0:
            sys.stderr.write(f"bench: idle {100 * turn // SAMPLES} %\n")
    took = time.monotonic() - begun
    return {name: _told(before[name], _cost(peer), memory[name], took, peer) for name, peer in kept.items()}


def _told(before, after, memory, took, peer):
    resident, shared = ([sizes[index] / 2**20 for sizes in memory] for index in (0, 1))
    return {
        "rss_mib": round(percentile(resident, 50), 1),
        "rss_mib_max": round(max(resident), 1),
        "pss_mib": round(percentile(shared, 50), 1),
        "cpu_percent_of_a_core": round(100 * (after[0] - before[0]) / took, 3),
        "wake_ups_per_second": round((after[1] - before[1]) / took, 2),
        "processes": len(_pids(peer)),
        "workers_at_the_end": len(peer.crew.workers()),
    }


def _pids(peer):
    return sorted(peer.crew.tagged().keys() - peer.crew.workers())


def _cost(peer):
    """Return the seconds of CPU so far, with those of children that have ended, and the waits of all threads."""
    seconds, waits = 0.0, 0
    for pid in _pids(peer):
        with suppress(OSError):
            with open(f"/proc/{pid}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
            seconds += sum(int(field) for field in fields[11:15]) / TICK
            for thread in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{thread}/status") as file:
                    waits += sum(int(line.split()[1]) for line in file if line.startswith("voluntary"))
    return seconds, waits


def _memory(pids):
    """Return bytes of resident memory and of its proportional share."""
    sizes = {"Rss:": 0, "Pss:": 0}
    for pid in pids:
        with suppress(OSError), open(f"/proc/{pid}/smaps_rollup") as file:
            for line in file:
                name, _, rest = line.partition(" ")
                if name in sizes:
                    sizes[name] += int(rest.split()[0]) * 1024
    return tuple(sizes.values())
