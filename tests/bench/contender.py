"""One process that takes and leaves one lock: ``contender.py NAME PATH``, told how on stdin, a JSON answer a line.

``{"chunk": n}`` measures ``n`` times nobody waits for; ``{"seconds": s}`` contends for as long. Microseconds.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

if not __package__:
    sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.locks import PYTHON


def chunk(lock, count):
    times = []
    for _ in range(count):
        began = time.perf_counter_ns()
        lock.try_take()
        lock.leave()
        times.append((time.perf_counter_ns() - began) / 1000)
    return times


def contend(lock, seconds):
    """Take and leave without a pause; a wait that is still going on at the end counts as a wait, but not as a turn."""
    waits, turns = [], 0
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        began = time.perf_counter_ns()
        lock.take()
        waits.append(round((time.perf_counter_ns() - began) / 1000))
        lock.leave()
        turns += time.monotonic() < ends
    return {"turns": turns, "waits": waits}


def main():
    name, path = sys.argv[1:]
    try:
        lock = PYTHON[name](path)
    except (ImportError, AttributeError) as error:
        print(json.dumps({"missing": str(error)}), flush=True)
        return
    lock.take()
    lock.leave()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        told = json.loads(line)
        answer = chunk(lock, told["chunk"]) if "chunk" in told else contend(lock, told["seconds"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
