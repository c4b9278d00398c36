"""Where rounds are played: a process of its own with a folder per round, and the look around afterwards."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import tempfile
import time
import traceback
from typing import NamedTuple

from neo_core.clock import SystemClock
from neo_core.errors import LeaseError
from neo_core.lease.store import LeaseStore
from neo_core.lease.words import INHERITED_TOKEN
from neo_core.processes.source import system_source

from . import scenes, weakened
from .checker import leftovers
from .report import Report


class Options(NamedTuple):
    """What the command was told."""

    rounds: int
    contenders: tuple[int, ...] = (2, 8, 16, 32)
    seed: int = 0
    weaken: str | None = None
    seconds: float = 3600.0
    jobs: int = 4
    peers: str | None = None


class Skewed(SystemClock):
    """The real clocks, the wall one ``skew`` seconds off; a hasty one never really sleeps."""

    def __init__(self, skew=0.0, *, hasty=True):
        self.skew = skew
        self.hasty = hasty
        self.ahead = 0.0

    def now(self):
        return super().now() + self.skew

    def monotonic(self):
        return super().monotonic() + self.ahead

    def sleep(self, seconds):
        if self.hasty:
            self.ahead += seconds
        else:
            super().sleep(seconds)


class Few:
    """The machine's processes, of which only ``pids`` are looked through for carriers.

    Nobody else can carry a token that was made in this round, and a look at all of them takes most of a round.
    """

    def __init__(self, pids):
        self._pids = list(pids)
        self._source = system_source()

    def own_pids(self):
        return self._pids

    def __getattr__(self, name):
        return getattr(self._source, name)


class Arena:
    """One process's share of a scenario."""

    def __init__(self, name, options, number, folder, rounds):
        self.options = options
        self.rounds = rounds
        self.random = random.Random(f"{name}-{options.seed}-{number}")
        self.report = Report(name)
        self.folder = folder
        self.ends = time.monotonic() + options.seconds
        self._count = 0

    def goes_on(self):
        """Return whether another round is to be played; a weakened engine is found out by its first violation."""
        if self.options.weaken and self.report.violations:
            return False
        return self.report.rounds < self.rounds and time.monotonic() < self.ends

    def fresh(self):
        """Return the lease's path in a new private folder."""
        self._count += 1
        folder = f"{self.folder}/{self._count}"
        os.mkdir(folder, 0o700)
        return f"{folder}/heavy-maintenance-lease.json"

    def drop(self, path):
        shutil.rmtree(os.path.dirname(path), ignore_errors=True)

    def store(self, path, *, pids=(), skew=0.0, hasty=True):
        """Return this process as a participant."""
        return LeaseStore(path, source=Few([os.getpid(), *pids]), clock=Skewed(skew, hasty=hasty))

    def aftermath(self, path, told, *, pids=()):
        """Nobody works any more: the next one must get the lease, and leave nothing but what always stays."""
        if not self.take_and_leave(path, told, pids):
            return
        left = leftovers(path)
        if left and all(".lifecycle-guard" in name for name in left):
            # Only a recovery enters the foreign scripts' mutex, so only the next recovery sweeps what is left of it.
            self.report.figure("guards_swept_by_the_next_recovery", 1, sum)
            scenes.put(path, scenes.dead_foreign())
            self.take_and_leave(path, told, pids, skew=60.0)
            left = leftovers(path)
        if os.path.lexists(path):
            left.append("the record")
        if left:
            self.report.broken("leftovers", f"{told}: {', '.join(left)}")

    def take_and_leave(self, path, told, pids=(), skew=0.0):
        try:
            attempt = self.store(path, pids=pids, skew=skew).acquire("aftermath", "torture")
            if attempt.hold is None:
                self.report.broken("permanent_blocks", f"{told}: {attempt.detail}")
                return False
            ended = attempt.hold.renew(), attempt.hold.release()
        except LeaseError as error:
            self.report.broken("permanent_blocks", f"{told}: {error}")
            return False
        if ended != ("renewed", "released"):
            self.report.broken("errors", f"{told}: the next one could not renew and release: {ended}")
        return True


def spread(name, play, options, *, jobs=None):
    """Let ``play(arena)`` play all rounds in a few processes at once; return the common report."""
    jobs = 1 if options.weaken else max(1, min(jobs or options.jobs, options.rounds))
    total = Report(name, f"neo_core, weakened: {options.weaken}" if options.weaken else "neo_core")
    begun = time.monotonic()
    folder = tempfile.mkdtemp(prefix="torture-")
    running = []
    try:
        for number in range(jobs):
            share = options.rounds * (number + 1) // jobs - options.rounds * number // jobs
            running.append(_start(name, play, options, number, folder, share))
        for number, (pid, reading) in enumerate(running):
            with os.fdopen(reading) as pipe:
                told = pipe.read()
            os.waitpid(pid, 0)
            running[number] = (0, 0)
            total.merge(json.loads(told) if told else _died(name, number))
    finally:
        for pid, _ in running:
            if pid:
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)
    total.seconds = time.monotonic() - begun
    return total


def _died(name, number):
    report = Report(name)
    report.broken("errors", f"arena {number} ended without a report")
    return report.to_share()


def _start(name, play, options, number, folder, share):
    reading, writing = os.pipe()
    pid = os.fork()
    if pid:
        os.close(writing)
        return pid, reading
    try:
        os.close(reading)
        os.environ.pop(INHERITED_TOKEN, None)
        if options.weaken:
            weakened.apply(options.weaken)
        own = f"{folder}/{number}"
        os.mkdir(own, 0o700)
        arena = Arena(name, options, number, own, share)
        try:
            play(arena)
        except Exception as error:  # noqa: BLE001 - a harness that fails is a finding too
            traceback.print_exc()
            arena.report.broken("errors", f"the harness failed: {error!r}")
        with os.fdopen(writing, "w") as pipe:
            json.dump(arena.report.to_share(), pipe)
    finally:
        os._exit(0)
