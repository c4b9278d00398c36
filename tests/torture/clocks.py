"""Clock: wall clocks that step, sleep and disagree; a deadline that passes under a living holder."""

from __future__ import annotations

import itertools
import json
import os
import signal
import time

from neo_core.errors import LeaseError
from neo_core.lease.store import LeaseStore

from .arena import Few, Skewed, spread
from .checker import Interval, overlaps
from .crowd import Crowd, held_by

SIZE = 6
HOUR, DAY = 3600.0, 86_400.0
SKEWS = (0.0, HOUR, -HOUR, DAY, -DAY, 3650 * DAY, -3650 * DAY)
SHORT, LONG = 0.001, 21_600.0


def run(options):
    return spread("clock", play, options, jobs=2)


def play(arena):
    arena.report.contenders = [SIZE]
    with Crowd(SIZE) as crowd:
        for holder_skew, jump, ttl in itertools.cycle(itertools.product(SKEWS, SKEWS, (SHORT, LONG))):
            if not arena.goes_on():
                return
            arena.report.rounds += 1
            Round(arena, crowd, holder_skew, jump, ttl).play()


class Round:
    """A holder by one clock, whose clock then jumps; challengers by clocks of their own."""

    def __init__(self, arena, crowd, skew, jump, ttl):
        self.arena, self.crowd, self.report = arena, crowd, arena.report
        self.skew, self.jump, self.ttl = skew, jump, ttl
        self.path = arena.fresh()
        self.told = f"taken at {skew:+.0f} s for {ttl} s, then a jump of {jump:+.0f} s"
        self.ends_by = arena.random.choice(("release", "kill"))

    def play(self):
        holder, talk = self.start_holder()
        begun = time.monotonic_ns()
        try:
            robbed = [*self.challenge()]
            self.look()
            answer = _ask(talk, f"renew {self.skew + self.jump}")
            if answer != "renewed":
                self.report.broken("losses", f"{self.told}: the living holder's renewal ended as {answer}")
            robbed += self.challenge()
            ended = time.monotonic_ns()
            if self.ends_by == "release":
                answer = _ask(talk, "release")
                if answer != "released":
                    self.report.broken("losses", f"{self.told}: its release ended as {answer}")
        finally:
            os.kill(holder, signal.SIGKILL)
            os.waitpid(holder, 0)
            for descriptor in talk:
                os.close(descriptor)
        free = self.challenge()
        if not free:
            self.report.broken("permanent_blocks", f"{self.told}: free, but nobody got it")
        double = overlaps([Interval(begun, ended, "the holder"), *robbed, *free])
        if double:
            self.report.broken("double_holds", f"{self.told}: {double[0]}", times=len(double))
        self.report.winners += len(free)
        self.report.cell(f"{self.jump:+.0f} s", rounds=1, double_holds=len(double), winners=len(free))
        self.arena.aftermath(self.path, self.told)
        self.arena.drop(self.path)

    def start_holder(self):
        hear, told = os.pipe()
        say, answer = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                self.hold(hear, answer)
            finally:
                os._exit(1)
        os.close(hear)
        os.close(answer)
        os.read(say, 20)
        return pid, (told, say)

    def hold(self, hear, answer):
        """Hold on request of the arena; the clock is what it says."""
        clock = Skewed(self.skew)
        hold = LeaseStore(self.path, source=Few([]), clock=clock).acquire("holder", "torture", ttl=self.ttl).hold
        os.write(answer, b"ready")
        while order := os.read(hear, 100).decode().split():
            if order[0] == "renew":
                clock.skew = float(order[1])
                os.write(answer, str(hold.renew()).encode())
            else:
                os.write(answer, str(hold.release()).encode())

    def challenge(self):
        """Let everybody try at once, each by a clock of its own; return who got it and when."""
        orders = [{"skew": self.skew + self.jump + self.arena.random.choice(SKEWS)} for _ in range(SIZE)]
        self.crowd.start(SIZE, self.path, orders=orders, pids=[os.getpid(), *self.crowd.pids], hold=100_000)
        answers = self.crowd.answers(SIZE)
        for error in (error for answer in answers if answer for error in answer["errors"]):
            self.report.broken("errors", f"{self.told}: {error}")
        return held_by(answers)

    def look(self):
        """An overdue but living holder is shown as such, and no reclaim removes its record."""
        skew = self.skew + self.jump
        store = self.arena.store(self.path, skew=skew)
        try:
            seen = (store.inspect(), store.reclaim(), store.inspect())
        except LeaseError as error:
            self.report.broken("errors", f"{self.told}: {error}")
            return
        if any((one.status, one.holder) != ("active", "alive") for one in seen):
            self.report.broken("losses", f"{self.told}: seen as {[(one.status, one.holder) for one in seen]}")
            return
        overdue = self.jump > self.ttl
        if seen[0].expired != overdue and self.jump != 0:
            self.report.broken("errors", f"{self.told}: expired {seen[0].expired}, {json.dumps(seen[0].lease.fields)}")


def _ask(talk, order):
    told, say = talk
    os.write(told, order.encode())
    return os.read(say, 100).decode() or "nothing"
