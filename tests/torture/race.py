"""Race: many processes let go at the same instant on a lease in every state it can be in."""

from __future__ import annotations

import itertools
import os
import time
from contextlib import suppress

from neo_core.errors import LeaseError

from . import scenes
from .arena import spread
from .checker import Interval, overlaps
from .crowd import Crowd, held_by, wait_until

NAMED = ("missing", "stale", "abandoned", "empty", "malformed", "just-released")
# Two more, in which the kernel lock alone would not do: its file removed by a cleaner, the record by a foreign script.
SIEGES = ("hold-file-swept", "replaced")
CONTENTS = {
    "stale": scenes.overdue_foreign,
    "empty": bytes,
    "malformed": lambda: b'{"owner": "half',
    "hold-file-swept": scenes.dead_foreign,
}
MAY_BE_MALFORMED = ("empty", "malformed")
LONGEST_HOLD = 1_000_000


def run(options):
    return spread("race", play, options)


def play(arena):
    sizes = arena.options.contenders
    arena.report.contenders = sorted(sizes)
    named, sieges = ([(scene, size) for scene in scenes_ for size in sizes] for scenes_ in (NAMED, SIEGES))
    # The sieges are where the kernel lock is not all there is, so that is where a weakened engine must show it.
    cells = named + sieges * 5 if arena.options.weaken else named * 5 + sieges
    arena.random.shuffle(cells)
    with Crowd(max(sizes)) as crowd:
        for scene, size in itertools.cycle(cells):
            if not arena.goes_on():
                return
            Round(arena, crowd, scene, size).play()


class Round:
    """One scene, one crowd."""

    def __init__(self, arena, crowd, scene, size):
        self.arena = arena
        self.report = arena.report
        self.crowd = crowd
        self.scene = scene
        self.size = size
        self.told = f"{scene}, {size} contenders"
        self.path = arena.fresh()
        self.intervals = []
        self.hold = None

    def play(self):
        self.report.rounds += 1
        self.prepare()
        at = self.crowd.start(self.size, self.path, orders=self.orders(), **self.common())
        try:
            self.meanwhile(at)
        except LeaseError as error:
            self.report.broken("errors", f"{self.told}: {error}")
        answers = self.crowd.answers(self.size)
        if self.scene == "replaced":
            self.end_the_successor()
        self.judge(answers)
        self.arena.aftermath(self.path, self.told, pids=self.crowd.pids[: self.size])
        self.arena.drop(self.path)

    def prepare(self):
        if self.scene == "abandoned":
            scenes.leave_a_dead_holders_record(self.arena, self.path)
        elif self.scene in CONTENTS:
            scenes.put(self.path, CONTENTS[self.scene]())
        elif self.scene in ("just-released", "replaced"):
            self.hold = self.arena.store(self.path).acquire("first", "torture").hold
            self.begun = time.monotonic_ns()
        if self.scene == "replaced":
            os.unlink(self.path)
            self.successor = scenes.living_foreign()
            scenes.put(self.path, self.successor)

    def common(self):
        """Once in twenty rounds everybody looks through every process of the machine, as in earnest."""
        pids = None if self.arena.random.random() < 0.05 else [os.getpid(), *self.crowd.pids[: self.size]]
        hasty = self.scene == "hold-file-swept" or self.arena.random.random() < 0.5
        stutter = self.arena.random.choice((0.0, 0.0, 0.1, 0.3))
        return {"pids": pids, "hasty": hasty, "tries": self.arena.random.choice((1, 1, 3)), "stutter": stutter}

    def orders(self):
        draw = self.arena.random.randrange
        told = [{"hold": draw(LONGEST_HOLD), "jitter": draw(2) * draw(300_000)} for _ in range(self.size)]
        if self.size > 4 and self.scene not in MAY_BE_MALFORMED:
            told[-1]["reader"] = True
        return told

    def meanwhile(self, at):
        draw = self.arena.random.randrange
        if self.scene == "hold-file-swept":
            ends = wait_until(at) + 2_000_000 + 100_000 * self.size
            while time.monotonic_ns() < ends:
                with suppress(FileNotFoundError):
                    os.unlink(f"{self.path}.hold")
                time.sleep(draw(60_000) / 1e9)
        if self.hold is not None:
            wait_until(at + draw(500_000) - 150_000)
            ended = time.monotonic_ns()
            status = self.hold.release()
            if self.scene == "just-released":
                self.intervals.append(Interval(self.begun, ended, "the first"))
            expected = "released" if self.scene == "just-released" else "not-owner"
            if status != expected:
                self.report.broken("losses", f"{self.told}: the release ended as {status}, not {expected}")

    def end_the_successor(self):
        """A foreign script's record that replaced ours stays untouched until the script itself removes it."""
        self.intervals.append(Interval(self.begun, time.monotonic_ns(), "the successor"))
        try:
            with open(self.path, "rb") as file:
                if file.read() == self.successor:
                    os.unlink(self.path)
                    return
        except FileNotFoundError:
            pass
        self.report.broken("losses", f"{self.told}: the successor's record was removed or changed")

    def judge(self, answers):
        if None in answers:
            self.report.broken("permanent_blocks", f"{self.told}: {answers.count(None)} contenders never came back")
        given = [answer for answer in answers if answer]
        for error in (error for answer in given for error in answer["errors"]):
            self.report.broken("errors", f"{self.told}: {error}")
        self.intervals += held_by(given)
        double = overlaps(self.intervals)
        if double:
            self.report.broken("double_holds", f"{self.told}: {double[0]}", times=len(double))
        winners = [held for answer in given for held in answer["held"]]
        self.report.winners += len(winners)
        self.report.cell(self.scene, rounds=1, double_holds=len(double), winners=len(winners))
        self.report.cell(f"{self.size} contenders", rounds=1, double_holds=len(double), winners=len(winners))
        if not winners and self.scene not in ("just-released", "replaced"):
            self.report.broken("permanent_blocks", f"{self.told}: nobody got it")
        lost = [left for *_, left in winners if left != "released"]
        if lost:
            self.report.broken("losses", f"{self.told}: {len(lost)} of {len(winners)} releases ended as {lost[0]}, ...")
        generations = [generation for _, _, generation, *_ in winners]
        if len(set(generations)) != len(generations) and self.scene != "hold-file-swept":
            self.report.broken("errors", f"{self.told}: a generation was given twice: {generations}")
