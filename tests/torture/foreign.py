"""Foreign: ours beside a Node script that follows the documented foreign algorithm; what is exact, what is a rate."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from neo_core.errors import LeaseError
from neo_core.lease.inherit import inherited_lease
from neo_core.lease.words import INHERITED_TOKEN

from . import scenes
from .arena import spread
from .checker import Interval, leftovers, overlaps
from .crowd import Crowd, held_by
from .report import Report

SCRIPT = Path(__file__).with_name("foreign.mjs")
HOLD = 2_000_000


class Cell(NamedTuple):
    """``exact``: the protocol guarantees that none of ours ever holds beside anybody."""

    scene: str
    version: str
    theirs: int
    ours: int
    exact: bool

    @property
    def name(self):
        told = "guaranteed" if self.exact else "measured" if self.ours else "theirs alone"
        return f"{self.scene}, {self.version} scripts, {self.theirs} theirs + {self.ours} ours ({told})"


CELLS = [
    Cell("missing", "seed", 1, 1, True),
    Cell("missing", "seed", 1, 7, True),
    Cell("missing", "newer", 1, 7, True),
    Cell("stale", "newer", 1, 1, True),
    Cell("stale", "newer", 4, 4, True),
    Cell("missing", "seed", 4, 4, False),
    Cell("missing", "newer", 4, 4, False),
    Cell("stale", "seed", 1, 1, False),
    Cell("stale", "seed", 2, 2, False),
    Cell("stale", "seed", 8, 8, False),
    Cell("missing", "seed", 8, 0, False),
    Cell("stale", "seed", 2, 0, False),
    Cell("stale", "seed", 8, 0, False),
    Cell("stale", "newer", 8, 0, False),
]


def run(options):
    if shutil.which("node") is None:
        report = Report("foreign")
        report.notes.append("node is missing: nothing was measured")
        return report
    return spread("foreign", play, options, jobs=1)


class Script:
    """A foreign script in a process of its own, that stays from round to round."""

    def __init__(self, token=None):
        environment = {name: value for name, value in os.environ.items() if name != INHERITED_TOKEN}
        if token:
            environment[INHERITED_TOKEN] = token
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(["node", str(SCRIPT)], stdin=pipe, stdout=pipe, env=environment, text=True)
        self.pid = self.process.pid

    def tell(self, **order):
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def answer(self):
        return json.loads(self.process.stdout.readline() or '{"status": "ended"}')

    def ask(self, **order):
        self.tell(**order)
        return self.answer()

    def end(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def play(arena):
    arena.report.contenders = sorted({cell.theirs + cell.ours for cell in CELLS})
    with Crowd(max(cell.ours for cell in CELLS)) as crowd:
        scripts = [Script() for _ in range(max(cell.theirs for cell in CELLS))]
        try:
            # Inheritance is exact and starts an interpreter for each direction, so a share of the rounds is enough.
            for number, cell in zip(itertools.count(), itertools.cycle(CELLS)):
                if not arena.goes_on():
                    return
                arena.report.rounds += 1
                if number % 25 == 24:
                    _inheritance(arena)
                else:
                    _mixed(arena, crowd, scripts, cell)
        finally:
            for script in scripts:
                script.end()


def _mixed(arena, crowd, scripts, cell):
    path = arena.fresh()
    if cell.scene == "stale":
        scenes.put(path, scenes.dead_foreign())
    at = time.monotonic_ns() + 3_000_000 + 300_000 * cell.theirs
    theirs = scripts[: cell.theirs]
    for script in theirs:
        script.tell(path=path, at=str(at), hold=HOLD, version=cell.version)
    pids = [os.getpid(), *crowd.pids, *(script.pid for script in theirs)]
    if cell.ours:
        draw = arena.random.randrange
        orders = [{"jitter": draw(1_000_000)} for _ in range(cell.ours)]
        crowd.start(cell.ours, path, at=at, orders=orders, hold=HOLD, hasty=False, pids=pids)
    ours = held_by(crowd.answers(cell.ours))
    held = []
    for number, script in enumerate(theirs):
        told = script.answer()
        if "begin" in told:
            held.append(Interval(int(told["begin"]), int(told["end"]), f"theirs {number}"))
        elif told["status"] in ("error", "ended"):
            arena.report.cell(cell.name, their_errors=1)
    double = overlaps([*ours, *held])
    with_ours = [pair for pair in double if any(one.who.startswith("ours") for one in pair)]
    counted = with_ours if cell.ours else double
    arena.report.cell(cell.name, rounds=1, double_holds=bool(counted), winners=len(ours))
    arena.report.winners += len(ours)
    among_us = [pair for pair in with_ours if all(one.who.startswith("ours") for one in pair)]
    if among_us or (cell.exact and with_ours):
        arena.report.broken("double_holds", f"{cell.name}: {with_ours[0]}")
    if cell.exact:
        if not ours and not held:
            arena.report.broken("permanent_blocks", f"{cell.name}: nobody got it")
        arena.aftermath(path, cell.name, pids=pids)
    elif leftovers(path):
        arena.report.cell(cell.name, kept_aside=1)
    arena.drop(path)


def _inheritance(arena):
    """Each side's children run under the other's lease, and nobody else does; each releases its own only."""
    name = "inheritance and release, both ways (guaranteed)"
    path = arena.fresh()
    wrong = []
    try:
        _they_inherit(arena, path, wrong)
        _we_inherit(arena, path, wrong)
    except LeaseError as error:
        wrong.append(str(error))
    for told in wrong:
        arena.report.broken("errors", f"{name}: {told}")
    arena.report.cell(name, rounds=1, double_holds=0, winners=2)
    arena.aftermath(path, name)
    arena.drop(path)


def _they_inherit(arena, path, wrong):
    hold = arena.store(path).acquire("ours", "torture").hold
    child, stranger = Script(hold.lease.token), Script()
    try:
        _expect(wrong, "their child under our lease", child.ask(do="keep", path=path)["status"], "inherited")
        _expect(wrong, "their stranger under our lease", stranger.ask(do="keep", path=path)["status"], "held")
        _expect(wrong, "their release of our lease", child.ask(do="leave")["left"], "not-owner")
        _expect(wrong, "our renewal", hold.renew(), "renewed")
        _expect(wrong, "our release", hold.release(), "released")
    finally:
        child.end()
        stranger.end()


def _we_inherit(arena, path, wrong):
    script = Script()
    try:
        told = script.ask(do="keep", path=path)
        store = arena.store(path)
        lent = inherited_lease(store, {INHERITED_TOKEN: told["token"]})
        _expect(wrong, "our child under their lease", lent and lent.pid, script.pid)
        other = inherited_lease(store, {INHERITED_TOKEN: "another"})
        _expect(wrong, "our child with another token", other, None)
        _expect(wrong, "our stranger under their lease", store.acquire("ours", "torture").status, "held")
        _expect(wrong, "our reclaim of their lease", store.reclaim().status, "active")
        if arena.random.random() < 0.5:
            _expect(wrong, "their release", script.ask(do="leave")["left"], "released")
    finally:
        script.end()
    lent = inherited_lease(arena.store(path), {INHERITED_TOKEN: told["token"]})
    _expect(wrong, "our child when they are gone", lent, None)


def _expect(wrong, what, got, expected):
    if got != expected:
        wrong.append(f"{what}: {got}, not {expected}")
