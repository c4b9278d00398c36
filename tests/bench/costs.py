"""What looking, renewing and searching cost: microseconds, in this process, beside a holder of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
import uuid

from neo_core.lease.carriers import find_carriers
from neo_core.lease.store import LeaseStore
from neo_core.processes.source import system_source
from tests.bench.figures import spread

HOLDS = """
import os, sys
from neo_core.lease.store import LeaseStore
held = LeaseStore(sys.argv[1]).acquire("bench", "bench")
print("held" if held.hold else held.detail, flush=True)
sys.stdin.read()
os._exit(0)  # without a release, like a kill
"""


def measured(work, count):
    times = []
    for _ in range(count):
        began = time.perf_counter_ns()
        work()
        times.append((time.perf_counter_ns() - began) / 1000)
    return times


def inspecting(folder, rounds):
    """Return the cost of ``inspect`` for each state; a stale record needs a search through the processes."""
    stores = {state: LeaseStore(folder / f"{state}.json") for state in ("missing", "held", "stale")}
    holders = [_holder(stores[state].path) for state in ("held", "stale")]
    _end(holders[1])
    for state, expected in (("missing", "missing"), ("held", "active"), ("stale", "stale")):
        if stores[state].inspect().status != expected:
            raise RuntimeError(f"{state}: {stores[state].inspect()}")
    times = {}
    for _ in range(rounds):
        for state, store in stores.items():
            times.setdefault(state, []).extend(measured(store.inspect, 2 if state == "stale" else 100))
    _end(holders[0])
    return {**{state: spread(one) for state, one in times.items()}, "processes_searched_when_stale": _own()}


def renewing(folder, rounds):
    held = LeaseStore(folder / "renewed.json").acquire("bench", "bench").hold
    times = measured(held.renew, rounds * 20)
    held.release()
    return spread(times)


def searching(sizes, rounds):
    """Return the cost of one search for carriers with that many ``sleep`` processes of ours beside what runs anyway."""
    source, token = system_source(), str(uuid.uuid4())
    started, result = [], {"without": _search(source, token, rounds)}
    try:
        for size in sizes:
            while len(started) < size:
                started.append(os.posix_spawn("/bin/sleep", ["sleep", "600"], os.environ))
            result[str(size)] = _search(source, token, rounds)
    finally:
        for pid in started:
            os.kill(pid, signal.SIGKILL)
        for pid in started:
            os.waitpid(pid, 0)
    return result


def _search(source, token, rounds):
    def search():
        if find_carriers(source, token, (1, 1)).carriers:
            raise RuntimeError("nobody can carry a token that was just made up")

    search()
    return {**spread(measured(search, rounds)), "processes_of_ours": _own(), "processes_in_all": len(source.scan())}


def _own():
    return len(system_source().own_pids())


def _holder(path):
    process = subprocess.Popen([sys.executable, "-c", HOLDS, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    said = process.stdout.readline().decode().strip()
    if said != "held":
        raise RuntimeError(f"the holder says {said!r}")
    return process


def _end(process):
    with contextlib.suppress(BrokenPipeError):
        process.stdin.close()
    process.wait()
    process.stdout.close()
