"""Kill: the process is gone between any two system calls of a step, or at a random time, with contenders about."""

from __future__ import annotations

import mmap
import os
import signal
import sys
import time

from neo_core.lease.record import decode

from . import scenes
from .arena import spread
from .checker import Interval, overlaps
from .crowd import CALLS, Crowd, held_by

SEVERAL = 60  # intervals that a victim can note before it is killed
CROWDS = (0, 0, 1, 3)
OPERATIONS = {
    "acquire-missing": None,
    "acquire-dead-ours": scenes.leave_a_dead_holders_record,
    "acquire-dead-foreign": lambda arena, path: scenes.put(path, scenes.dead_foreign()),
    "acquire-malformed": lambda arena, path: scenes.put(path, b'{"owner": "half'),
    "acquire-empty": lambda arena, path: scenes.put(path, b""),
    "renew": None,
    "release": None,
    "release-without-unlock": None,
    "reclaim-ours": scenes.leave_a_dead_holders_record,
    "reclaim-foreign": lambda arena, path: scenes.put(path, scenes.dead_foreign()),
}


def run(options):
    return spread("kill", play, options)


def play(arena):
    """Go round every step of every operation; between the steps, kill at random times."""
    arena.report.contenders = sorted(set(CROWDS))
    board = Board()
    with Crowd(max(CROWDS)) as crowd:
        steps = [(name, at) for name in OPERATIONS for at in range(_length(arena, board, name))]
        arena.report.figure("max_system_calls_to_kill_at", len(steps))
        arena.random.shuffle(steps)
        turn = 0
        while arena.goes_on():
            name, at = steps[turn % len(steps)]
            turn += arena.report.rounds % 5 < 3
            if arena.report.rounds % 5 >= 3:
                name, at = "random-time", None
            Kill(arena, crowd, board, name, at).play()


def _length(arena, board, name):
    path = arena.fresh()
    _prepare(arena, path, name)
    pid = Victim(arena, path, board, name, None).fork()
    os.waitpid(pid, 0)
    arena.drop(path)
    return board.calls + 1


def _prepare(arena, path, name):
    prepare = OPERATIONS.get(name)
    if prepare:
        prepare(arena, path)


class Board:
    """What a victim notes down where its death cannot take it: calls, readiness, and its intervals."""

    def __init__(self):
        self._slots = memoryview(mmap.mmap(-1, 8 * (2 * SEVERAL + 3))).cast("q")

    def clear(self):
        self._slots[:] = memoryview(bytes(8 * len(self._slots))).cast("q")

    calls = property(lambda self: self._slots[0], lambda self, value: self._slots.__setitem__(0, value))
    ready = property(lambda self: self._slots[1], lambda self, value: self._slots.__setitem__(1, value))
    count = property(lambda self: self._slots[2])

    def begin(self):
        self._slots[3 + 2 * self.count] = time.monotonic_ns()
        self._slots[2] += 1

    def end(self):
        if self.count and not self._slots[2 + 2 * self.count]:
            self._slots[2 + 2 * self.count] = time.monotonic_ns()

    def intervals(self):
        return [Interval(self._slots[3 + 2 * n], self._slots[4 + 2 * n], "the victim") for n in range(self.count)]


class Victim:
    """A fork of the warm arena that does ``name`` and is killed before its system call number ``at``."""

    def __init__(self, arena, path, board, name, at):
        self.store = arena.store(path)
        self.board = board
        self.name = name
        self.at = at
        self.calls = 0
        self.draw = arena.random.random

    def fork(self):
        self.board.clear()
        pid = os.fork()
        if pid == 0:
            try:
                self.endless() if self.name == "random-time" else self.once()
            finally:
                os._exit(1)
        return pid

    def once(self):
        holds = self.name.startswith(("renew", "release"))
        hold = self.store.acquire("victim", "torture").hold if holds else None
        if hold:
            self.board.begin()
        self.board.ready = 1
        if self.name.startswith("release"):
            self.board.end()
        sys.setprofile(self.count)
        if self.name.startswith("acquire"):
            hold = self.store.acquire("victim", "torture").hold
        elif self.name.startswith("reclaim"):
            self.store.reclaim()
        elif hold:
            hold.renew() if self.name == "renew" else hold.release(unlock=self.name == "release")
        sys.setprofile(None)
        if hold and self.name.startswith("acquire"):
            self.board.begin()
        self.board.calls = self.calls
        if self.at is not None:
            self.die()

    def count(self, _frame, event, called):
        """Count the calls into the kernel as the interpreter sees them, whatever name the engine calls them by."""
        if event != "c_call" or getattr(called, "__module__", None) not in CALLS:
            return
        if self.calls == self.at:
            self.die()
        self.calls += 1

    def die(self):
        self.board.end()
        os.kill(os.getpid(), signal.SIGKILL)

    def endless(self):
        """Take, renew and leave until killed; reclaim when somebody else has it."""
        self.board.ready = 1
        while self.board.count < SEVERAL:
            hold = self.store.acquire("victim", "torture").hold
            if hold is None:
                self.store.reclaim()
                continue
            self.board.begin()
            while self.draw() < 0.5:
                hold.renew()
            self.board.end()
            hold.release()


class Kill:
    """One death, and who comes after it."""

    def __init__(self, arena, crowd, board, name, at):
        self.arena, self.crowd, self.board, self.name, self.at = arena, crowd, board, name, at
        self.size = arena.random.choice(CROWDS)
        self.report = arena.report
        self.told = f"{name} killed at {'a random time' if at is None else f'system call {at}'}, {self.size} about"
        self.path = arena.fresh()

    def play(self):
        self.report.rounds += 1
        _prepare(self.arena, self.path, self.name)
        draw = self.arena.random.randrange
        pid = Victim(self.arena, self.path, self.board, self.name, self.at).fork()
        while not self.board.ready and not _ended(pid):
            time.sleep(0.00005)
        if self.size:
            until = time.monotonic_ns() + 6_000_000
            self.crowd.start(self.size, self.path, tries=50, until=until, hold=draw(400_000), pids=self.crowd.pids)
        if self.at is None:
            time.sleep(draw(4_000) / 1e6)
            self.board_end_and_kill(pid)
        os.waitpid(pid, 0)
        self.judge(self.crowd.answers(self.size) if self.size else [])
        self.arena.aftermath(self.path, self.told, pids=self.crowd.pids)
        self.arena.drop(self.path)

    def board_end_and_kill(self, pid):
        """Its last interval ends, at the earliest, now."""
        now = time.monotonic_ns()
        os.kill(pid, signal.SIGKILL)
        self.killed_at = now

    def judge(self, answers):
        if None in answers:
            self.report.broken("permanent_blocks", f"{self.told}: a contender never came back")
        given = [answer for answer in answers if answer]
        for error in (error for answer in given for error in answer["errors"]):
            self.report.broken("errors", f"{self.told}: {error}")
        died = getattr(self, "killed_at", 0)
        victims = [one._replace(end=one.end or max(died, one.begin)) for one in self.board.intervals()]
        held = held_by(given)
        double = overlaps([*victims, *held])
        if double:
            self.report.broken("double_holds", f"{self.told}: {double[0]}", times=len(double))
        self.report.winners += len(held)
        self.report.cell(self.name, rounds=1, double_holds=len(double), winners=len(held))
        self.look_at_the_record()

    def look_at_the_record(self):
        """Nobody ever sees a half-written record of ours: what was there before, or a whole one, or nothing."""
        try:
            with open(self.path, "rb") as file:
                found = file.read()
        except FileNotFoundError:
            return
        if decode(found) is None and self.name not in ("acquire-malformed", "acquire-empty"):
            self.report.broken("losses", f"{self.told}: half a record was left: {found[:60]!r}")


def _ended(pid):
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
