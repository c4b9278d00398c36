"""Contenders in processes of their own that stay from round to round, let go at one instant of the common clock."""

from __future__ import annotations

import json
import os
import random
import select
import signal
import sys
import time

from neo_core.errors import LeaseError
from neo_core.lease.store import LeaseStore
from neo_core.processes.source import system_source

from .arena import Few, Skewed
from .checker import Interval

CALLS = ("posix", "fcntl")  # the modules behind which the kernel is, as the interpreter names them
ANSWER_WITHIN = 60.0
_COARSE = 200_000  # nanoseconds before the instant at which sleeping ends and spinning begins


class Crowd:
    """``size`` contenders; use it in a ``with`` block."""

    def __init__(self, size):
        self._answers, self._answering = os.pipe()
        self._tell = []
        self.pids = []
        for number in range(size):
            reading, writing = os.pipe()
            pid = os.fork()
            if pid == 0:
                for other in (*self._tell, writing, self._answers):
                    os.close(other)
                _serve(number, reading, self._answering)
            os.close(reading)
            self._tell.append(writing)
            self.pids.append(pid)
        self._rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        for descriptor in (*self._tell, self._answers, self._answering):
            os.close(descriptor)

    def start(self, count, path, *, orders=None, **order):
        """Tell ``count`` contenders to try for the lease at one instant, and return it; ``orders`` differ by number."""
        at = order.pop("at", None) or time.monotonic_ns() + 400_000 + 30_000 * count
        for number in range(count):
            told = {"path": path, "at": at, **order, **(orders[number] if orders else {})}
            os.write(self._tell[number], json.dumps(told).encode() + b"\n")
        return at

    def answers(self, count):
        """Return what they say; an answer that never comes is ``None``."""
        found = []
        ends = time.monotonic() + ANSWER_WITHIN
        while len(found) < count:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, ends - time.monotonic()))
            if not ready:
                return found + [None] * (count - len(found))
            *lines, self._rest = (self._rest + os.read(self._answers, 65_536)).split(b"\n")
            found += [json.loads(line) for line in lines]
        return found


def held_by(answers):
    """Return the intervals of all answers."""
    return [
        Interval(begin, end, f"ours {answer['number']}")
        for answer in answers
        if answer
        for begin, end, *_ in answer["held"]
    ]


def wait_until(instant):
    """Sleep most of the time, then spin, so that all begin within microseconds of each other; return ``instant``."""
    left = instant - time.monotonic_ns()
    if left > _COARSE:
        time.sleep((left - _COARSE) / 1e9)
    while time.monotonic_ns() < instant:
        pass
    return instant


def _serve(number, reading, answering):
    random.seed(number)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with os.fdopen(reading) as orders:
            for line in orders:
                order = json.loads(line)
                answer = watch(order) if order.get("reader") else contend(order)
                os.write(answering, json.dumps({"number": number, **answer}).encode() + b"\n")
    finally:
        os._exit(0)


def contend(order):
    """Try for the lease up to ``tries`` times, or until ``until``; hold it for ``hold`` nanoseconds each time."""
    pids = order.get("pids")
    source = system_source() if pids is None else Few([*pids, os.getpid()])
    clock = Skewed(order.get("skew", 0.0), hasty=order.get("hasty", True))
    store = LeaseStore(order["path"], source=source, clock=clock)
    held, errors, refused = [], [], 0
    wait_until(order["at"] + order.get("jitter", 0))
    if order.get("stutter"):
        sys.setprofile(_stutterer(order["stutter"]))
    for _ in range(order.get("tries", 1)):
        if time.monotonic_ns() > order.get("until", 2**63):
            break
        try:
            attempt = store.acquire("torture", "race")
        except LeaseError as error:
            errors.append(str(error)[:200])
            continue
        if attempt.hold is None:
            refused += 1
            if not attempt.detail:
                errors.append("a refusal without a reason")
            continue
        begin = time.monotonic_ns()
        _spin(order.get("hold", 0))
        end = time.monotonic_ns()
        try:
            left = str(attempt.hold.release())
        except LeaseError as error:
            left = str(error)[:200]
        held.append((begin, end, attempt.hold.generation, str(attempt.status), left))
    sys.setprofile(None)
    return {"held": held[:20], "errors": errors[:3], "refused": refused}


def _stutterer(share):
    """Lose the processor before that share of the calls into the kernel: few cores alone interleave too little."""

    def stutter(_frame, event, called):
        if event == "c_call" and getattr(called, "__module__", None) in CALLS and random.random() < share:
            time.sleep(random.random() * 0.0003)

    return stutter


def watch(order):
    """Read the record again and again: it must never be seen half-written."""
    store = LeaseStore(order["path"], source=Few([]))
    wait_until(order["at"])
    errors, looks = [], 0
    ends = time.monotonic_ns() + order.get("hold", 0) + 2_000_000
    while time.monotonic_ns() < ends and not errors:
        status = store.inspect().status
        looks += 1
        if status in ("malformed", "unreadable"):
            errors.append(f"a reader saw a record that is {status}")
    return {"held": [], "errors": errors, "refused": 0, "looks": looks}


def _spin(nanoseconds):
    ends = time.monotonic_ns() + nanoseconds
    while time.monotonic_ns() < ends:
        pass
