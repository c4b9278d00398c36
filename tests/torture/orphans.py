"""Orphans: the runner is killed and its children live on; the lease is free when the last carrier is gone.

Also when the record and the lock files are removed or moved away meanwhile.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time

from neo_core.errors import LeaseError
from neo_core.lease.store import LeaseStore
from neo_core.lease.words import INHERITED_TOKEN

from .arena import spread

SUBREAPER = 36
_started = []  # by a runner, which never lives to collect them
DEVNULL = subprocess.DEVNULL

# What each child of the killed runner still has. ``fork``: a child that never called exec, ``session``: by a grandchild
# in a session of its own, whose parent is gone.
CELLS = {
    "child with both": [{"descriptor", "token"}],
    "child that closed the descriptor": [{"token"}],
    "child that dropped the environment": [{"descriptor"}],
    "grandchild in another session": [{"descriptor", "token", "session"}],
    "grandchild in another session, token only": [{"token", "session"}],
    "grandchild in another session, descriptor only": [{"descriptor", "session"}],
    "fork without exec": [{"fork"}],
    "three in different disguises": [{"descriptor"}, {"token", "session"}, {"descriptor", "token"}],
    "records lost: child with both": [{"descriptor", "token"}],
    "records lost: grandchild in another session": [{"descriptor", "session"}],
    "records lost: fork without exec and another": [{"fork"}, {"descriptor"}],
    "records moved away: child with both": [{"descriptor", "token"}],
    "records moved away, then removed: grandchild in another session": [{"descriptor", "session"}],
    "lock file removed, records moved away: fork without exec": [{"fork"}],
    "undetectable: neither descriptor nor token": [{"session"}],
}


def run(options):
    return spread("orphans", play, options, jobs=2)


def play(arena):
    _adopt_orphans()
    arena.report.notes.append(
        "a descendant that closed the descriptor and dropped the variable is expected to be 'free'"
    )
    for name, disguises in itertools.cycle(CELLS.items()):
        if not arena.goes_on():
            return
        arena.report.rounds += 1
        Orphaned(arena, name, disguises).play()


def _adopt_orphans():
    """Be the one to whom grandchildren fall, so that every one of them can be collected here."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)


class Orphaned:
    """A runner, its children, and an impatient successor."""

    def __init__(self, arena, name, disguises):
        self.arena, self.report, self.name, self.disguises = arena, arena.report, name, disguises
        self.path = arena.fresh()
        self.store = LeaseStore(self.path)
        self.robbed = 0
        self.lost = name.startswith(("records", "lock file"))

    def play(self):
        runner, children = self.start()
        visible = [pid for pid, has in zip(children, self.disguises, strict=True) if has - {"session"}]
        try:
            self.still_held("while the runner lives", [])
            os.kill(runner, signal.SIGKILL)
            os.waitpid(runner, 0)
            if self.lost:
                self.lose()
            self.arena.random.shuffle(visible)
            while visible:
                self.still_held(f"with {len(visible)} carriers left", visible)
                self.end(visible.pop(), children)
            self.is_free(children)
        finally:
            for pid in list(children):
                self.end(pid, children)
        self.report.cell(self.name, rounds=1, double_holds=self.robbed, winners=1)
        self.arena.aftermath(self.path, self.name)
        self.arena.drop(self.path)
        shutil.rmtree(f"{os.path.dirname(self.path)}-moved", ignore_errors=True)

    def start(self):
        """Fork the runner; it takes the lease, starts its children and says who they are."""
        reading, writing = os.pipe()
        runner = os.fork()
        if runner == 0:
            try:
                hold = LeaseStore(self.path).acquire("runner", "torture").hold
                pids = [_start(hold, has) for has in self.disguises]
                os.write(writing, json.dumps(pids).encode())
                signal.pause()
            finally:
                os._exit(1)
        os.close(writing)
        told = os.read(reading, 4096)
        os.close(reading)
        return runner, json.loads(told)

    def still_held(self, when, carriers):
        try:
            attempt = self.store.acquire("successor", "torture")
        except LeaseError as error:
            self.report.broken("errors", f"{self.name}, {when}: {error}")
            return
        if attempt.hold is not None:
            self.robbed += 1
            self.report.broken("double_holds", f"{self.name}: taken {when}")
            attempt.hold.release()
            return
        told = {carrier.pid for carrier in attempt.before.scan.carriers}
        if told != set(carriers) or (carriers and attempt.before.holder != "orphaned"):
            self.report.broken("errors", f"{self.name}, {when}: said {attempt.detail}, of {sorted(told)} {carriers}")
        self.store.reclaim()
        if not self.lost and not os.path.exists(self.path):
            self.report.broken("losses", f"{self.name}: reclaimed {when}")

    def lose(self):
        """Remove the record and what says who has it, or move it away, as somebody does with the state folder."""
        folder, away = os.path.dirname(self.path), f"{os.path.dirname(self.path)}-moved"
        if "lock file removed" in self.name:
            os.unlink(f"{self.path}.hold")
        if "moved away" in self.name:
            os.rename(folder, away)
            os.mkdir(folder, 0o700)
        if "then removed" in self.name:
            shutil.rmtree(away)
        for name in ("", ".hold", ".lock"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{self.path}{name}")

    def is_free(self, children):
        """Nobody who can be seen works any more: it is to be had at once."""
        attempt = self.store.acquire("successor", "torture")
        if attempt.hold is None:
            self.report.broken("permanent_blocks", f"{self.name}: {attempt.detail}; living: {children}")
            return
        self.report.winners += 1
        attempt.hold.release()

    def end(self, pid, children):
        children.remove(pid)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _start(hold, has):
    """Start one child of the runner; return its pid when it is what it is to be."""
    if "fork" in has:
        pid = os.fork()
        if pid == 0:
            time.sleep(60)
            os._exit(0)
        return pid
    environment = {name: value for name, value in os.environ.items() if name != INHERITED_TOKEN}
    if "token" in has:
        environment[INHERITED_TOKEN] = hold.lease.token
    keep = (hold.descriptor,) if "descriptor" in has else ()
    if "session" not in has:
        _started.append(
            subprocess.Popen(["sleep", "60"], env=environment, pass_fds=keep, stdin=DEVNULL, stdout=DEVNULL)
        )
        return _started[-1].pid
    # The middle process ends at once, so that nothing but the token or the descriptor leads back to the runner.
    script = "setsid sleep 60 >&- 2>&- & echo $!"
    told = subprocess.run(
        ["sh", "-c", script], check=True, env=environment, pass_fds=keep, stdin=DEVNULL, capture_output=True
    )
    pid = int(told.stdout)
    _wait_for_session(pid)
    return pid


def _wait_for_session(pid):
    """A successor may look at any moment, but what it is to see must have become what it is called."""
    for _ in range(20_000):
        try:
            with open(f"/proc/{pid}/comm", encoding="ascii") as file:
                if file.read().strip() == "sleep" and os.getsid(pid) == pid:
                    return
        except OSError:
            break
        time.sleep(0.0005)
    raise RuntimeError(f"process {pid} did not come into a session of its own")
