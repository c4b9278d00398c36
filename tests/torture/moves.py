"""Moves: the lease's folder and files are moved, copied and removed between any two calls of its participants.

Nothing here is left to time: a participant stops before a drawn call into the kernel, and goes on when it is told to.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from contextlib import suppress

import filelock  # noqa: F401 - which the engine imports where it waits; here once, before any process is forked

from neo_core.errors import LeaseError
from neo_core.lease.store import LeaseStore

from .arena import Few, Skewed, spread
from .crowd import CALLS

PLAYERS = 3
STEPS = 60
KEPT = 40  # steps that an example tells
GUARD_WITHIN = 0.01  # seconds: who is stopped inside the guard keeps it from the others for as long as we like
STOPPED = b"stopped"
ATTACKS = ("moved", "moved", "removed", "record", "hold", "guard", "copied", "restored", "renamed", "replaced")


def run(options):
    return spread("moves", play, options, jobs=2)


def play(arena):
    """Play rounds of ``STEPS`` steps, each a step of one participant or something that befalls the folder."""
    arena.report.contenders = [PLAYERS]
    arena.report.notes.append("an old folder is never moved back: that is believed, as the README says")
    while arena.goes_on():
        arena.report.rounds += 1
        Round(arena).play()


class Round:
    """One lease, what befalls it, and who believes to hold it."""

    def __init__(self, arena):
        self.arena, self.report, self.draw = arena, arena.report, arena.random
        self.path = arena.fresh()
        self.players = [Player(number, self.path) for number in range(PLAYERS)]
        for one in self.players:
            one.pids = [other.pid for other in self.players]
        self.folder = os.path.dirname(self.path)
        self.saved = f"{self.folder}-saved"
        self.moves = 0
        self.told = []
        self.before = self.report.counts["double_holds"]

    def play(self):
        attacked = self.draw.choice((0.1, 0.2, 0.3))
        for _ in range(STEPS):
            if self.draw.random() < attacked:
                self.befall(self.draw.choice(ATTACKS))
            else:
                self.go_on(self.draw.choice(self.players))
        doubles = self.report.counts["double_holds"] - self.before
        self.report.cell("all", rounds=1, double_holds=doubles, winners=sum(one.won for one in self.players))
        self.tidy()
        self.arena.aftermath(self.path, ", ".join(self.told[-KEPT:]))
        for number in range(self.moves):
            shutil.rmtree(f"{self.folder}-{number}", ignore_errors=True)
        shutil.rmtree(self.saved, ignore_errors=True)
        self.arena.drop(self.path)

    def tidy(self):
        """Leave what a lease at rest may have beside it, and nobody alive: a copy can bring back a released record."""
        for one in self.players:
            one.end()
        os.makedirs(self.folder, exist_ok=True)
        for name in os.listdir(self.folder):
            if ".hold-" in name or ".aside-" in name:  # renamed here, and put aside from two places at once
                os.unlink(f"{self.folder}/{name}")

    def go_on(self, player):
        """Let a participant come to its next stop, or to the end of what it does."""
        if not player.doing:
            do = self.draw.choice(("look", "renew", "release", "release")) if player.holds else "acquire"
            player.ask(do, [self.draw.randrange(1, 30) for _ in range(self.draw.choice((0, 1, 1, 2, 3)))])
        else:
            player.go_on()
        self.told.append(player.told())
        if player.won_now():
            self.report.winners += 1
            beside = [one.number for one in self.players if one.holds and one is not player]
            if beside:
                self.report.broken("double_holds", f"{player.number} beside {beside}: {', '.join(self.told[-KEPT:])}")
        if player.failed:
            self.report.broken("errors", f"{player.failed}: {', '.join(self.told[-KEPT:])}")
            player.failed = ""

    def befall(self, attack):
        """Do to the folder what an operator may do; what cannot be done now is left."""
        self.told.append(attack)
        with suppress(OSError):
            getattr(self, attack)()
        if self.draw.random() < 0.6:
            os.makedirs(self.folder, mode=0o700, exist_ok=True)

    def moved(self):
        os.rename(self.folder, f"{self.folder}-{self.moves}")
        self.moves += 1

    def removed(self):
        shutil.rmtree(self.folder)

    def record(self):
        os.unlink(self.path)

    def hold(self):
        os.unlink(f"{self.path}.hold")

    def guard(self):
        os.unlink(f"{self.path}.lock")

    def renamed(self):
        os.rename(f"{self.path}.hold", f"{self.path}.hold-{self.moves}")

    def replaced(self):
        old = f"{self.saved}/{os.path.basename(self.path)}.hold"
        os.replace(shutil.copy2(old, f"{self.path}.hold-copy"), f"{self.path}.hold")

    def copied(self):
        shutil.rmtree(self.saved, ignore_errors=True)
        shutil.copytree(self.folder, self.saved)

    def restored(self):
        if os.path.isdir(self.saved):
            shutil.rmtree(self.folder, ignore_errors=True)
            shutil.copytree(self.saved, self.folder)


class Player:
    """A participant in a process of its own, forked from here."""

    def __init__(self, number, path):
        self.number, self.path, self.pids = number, path, []
        self.doing, self.done, self.holds, self.won, self.failed, self.last = "", "", False, 0, "", ""
        self._new = False
        hear, self._told = os.pipe()
        self._say, answer = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.close(self._told)
                os.close(self._say)
                LeaseStore.guarded.__defaults__ = (GUARD_WITHIN,)
                _serve(hear, answer)
            finally:
                os._exit(1)
        os.close(hear)
        os.close(answer)

    def ask(self, do, stops):
        """Begin something; it stops before the calls into the kernel that ``stops`` count."""
        self.holds = self.holds and do != "release"
        self.doing = do
        self._send({"do": do, "path": self.path, "pids": self.pids, "stops": stops})

    def go_on(self):
        self._send({})

    def _send(self, order):
        os.write(self._told, json.dumps(order).encode())
        told = os.read(self._say, 65_536)
        self.last = "stopped"
        if told == STOPPED:
            return
        answer = json.loads(told) if told else {"failed": "it died"}
        self.last = answer.get("told", "")
        self.failed = answer.get("failed", "")
        self._new = self.doing == "acquire" and answer.get("held", False)
        self.holds = self.holds or self._new
        self.won += self._new
        self.done, self.doing = self.doing, ""

    def won_now(self):
        new, self._new = self._new, False
        return new

    def told(self):
        return f"{self.number} {self.doing or self.done}: {self.last}"

    def end(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self._told)
        os.close(self._say)


def _serve(hear, answer):
    hold = None
    while line := os.read(hear, 65_536):
        order = json.loads(line)
        store = LeaseStore(order["path"], source=Few(order["pids"]), clock=Skewed())
        stops = _Stops(order["stops"], hear, answer)
        told = {}
        sys.setprofile(stops.count)
        try:
            if order["do"] == "acquire":
                got = store.acquire("player", "torture")
                hold = got.hold or hold
                told = {"held": got.hold is not None, "told": f"{got.status} {got.detail}"}
            else:
                told = {"told": str(getattr(hold, order["do"])()) if hold else ""}
        except LeaseError as error:
            told = {"told": str(error)[:100]}
        except Exception as error:  # noqa: BLE001 - anything else is a finding
            told = {"failed": repr(error)[:200]}
        finally:
            sys.setprofile(None)
        if order["do"] == "release":
            hold = None
        os.write(answer, json.dumps(told).encode())


class _Stops:
    """Stops before the calls into the kernel that are counted, until it is told to go on."""

    def __init__(self, stops, hear, answer):
        self.stops, self.hear, self.answer = list(stops), hear, answer

    def count(self, _frame, event, called):
        if event != "c_call" or not self.stops or getattr(called, "__module__", None) not in CALLS:
            return
        self.stops[0] -= 1
        if self.stops[0] == 0:
            self.stops.pop(0)
            os.write(self.answer, STOPPED)
            os.read(self.hear, 100)
