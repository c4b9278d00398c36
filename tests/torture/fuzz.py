"""Fuzz: whatever lies under the lease's name ends in a defined status, quickly, and nothing else is touched."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import time
from contextlib import suppress

from neo_core.errors import LeaseError
from neo_core.lease.explain import deferral_lines, explain_held
from neo_core.lease.inherit import borrowable
from neo_core.lease.record import decode
from neo_core.lease.store import LeaseStore
from neo_core.lease.words import HolderState, RecordStatus

from . import inputs, scenes
from .arena import Skewed, spread

SLOW = 0.1  # seconds that the median of three looks may take at most
WORTH_ANOTHER_LOOK = 0.02
ODD_EVERY = 100
AGES = (60.0, 60.0, 0.0, 1.0, 1e9, -5.0, -1e8)
BESIDE = {"notes.txt": b"mine", "heavy-maintenance-lease.json.bak": b'{"acquiredAt": "2026-01-01"}'}
READABLE = (RecordStatus.MALFORMED, RecordStatus.STALE, RecordStatus.ACTIVE)


class Machine:
    """A machine with two processes, this one and pid 1; a look at the real ones would be most of the time."""

    def boot_id(self):
        return "boot-1"

    def pid_namespace(self):
        return "pid:[1]"

    def start_time(self, pid):
        return 777 if pid in (1, os.getpid()) else None

    def own_pids(self):
        return [1]

    def environ(self, pid):
        return b"HOME=/\0"

    def keeps_lock(self, pid, device, inode):
        return False

    def locked_names(self, pid, name):
        return []

    def command_line(self, pid):
        return f"command {pid}"


def run(options):
    return spread("fuzz", play, options, jobs=2)


def play(arena):
    path = arena.fresh()
    folder = os.path.dirname(path)
    for name, content in BESIDE.items():
        with open(f"{folder}/{name}", "wb") as file:
            file.write(content)
    made = inputs.Inputs(arena.random, _valid(path))
    while arena.goes_on():
        arena.report.rounds += 1
        one = Input(arena, path)
        if arena.report.rounds % ODD_EVERY == 0:
            one.odd(arena.random.choice(inputs.UNREADABLE))
        else:
            one.file(made.content(), arena.random.choice(AGES))


def _valid(path):
    """Return records of ours and of theirs, by the living and the dead."""
    hold = LeaseStore(path, source=Machine(), clock=Skewed()).acquire("ours", "torture").hold
    fields = json.loads(_read(path))
    hold.release()
    # Whoever takes the hold file that a record names knows more than a reader does; here both are to judge alike.
    fields["metadata"]["holder"]["hold"] = [1, 2]
    dead = {**fields, "pid": scenes.NOBODY}
    ours = [json.dumps(record, indent=2).encode() for record in (fields, dead, {**dead, "extra": [1]})]
    return [*ours, scenes.living_foreign(), scenes.dead_foreign(), scenes.overdue_foreign()]


class Input:
    """One input and all that is asked of it."""

    def __init__(self, arena, path):
        self.arena, self.report, self.path = arena, arena.report, path
        self.folder = os.path.dirname(path)
        self.store = LeaseStore(path, source=Machine(), clock=Skewed())
        self.told = ""

    def file(self, content, age):
        self.told = f"{content[:80]!r} ({len(content)} bytes, {age} s old)"
        scenes.put(self.path, content, age=age)
        before = os.stat(self.path)
        try:
            seen = self.look()
            self.check_answer(seen, len(content))
            after = os.stat(self.path)
            if (after.st_ino, after.st_mtime_ns, after.st_size) != (before.st_ino, before.st_mtime_ns, before.st_size):
                self.report.broken("losses", f"reading changed {self.told}")
            self.act(seen, content)
        except Exception as error:  # noqa: BLE001 - any exception at all is the finding
            self.report.broken("errors", f"{error!r} for {self.told}")
        self.check_neighbours()

    def odd(self, make):
        """Something that is no file, or too large a one: said, never read, never removed."""
        self.told = make.__name__
        make(self.path, f"{self.folder}/notes.txt")
        before = os.lstat(self.path)
        try:
            seen = self.look()
            if seen.status is not RecordStatus.UNREADABLE or not seen.error:
                self.report.broken("errors", f"{self.told} is {seen.status}")
            self.store.reclaim()
            with suppress(LeaseError):
                self.store.acquire("fuzz", "torture")
                self.report.broken("losses", f"{self.told} did not stop an acquisition")
        except Exception as error:  # noqa: BLE001 - any exception at all is the finding
            self.report.broken("errors", f"{error!r} for {self.told}")
        self.report.cell(self.told, rounds=1)
        try:
            after = os.lstat(self.path)
            same = (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
        except FileNotFoundError:
            same = False
        if not same or (make is inputs.a_folder and os.listdir(self.path) != ["precious"]):
            self.report.broken("losses", f"{self.told} was removed or changed")
        self.check_neighbours()

    def look(self):
        """Inspect, timed; a slow look is repeated, because the machine may have been busy elsewhere."""
        taken = []
        while not taken or (len(taken) < 3 and taken[0] > WORTH_ANOTHER_LOOK):
            begun = time.perf_counter()
            seen = self.store.inspect()
            taken.append(time.perf_counter() - begun)
        self.report.figure("max_inspect_ms", round(taken[0] * 1000, 3))
        self.report.figure("max_inspect_ms_median_of_three", round(statistics.median(taken) * 1000, 3))
        if statistics.median(taken) > SLOW:
            self.report.broken("errors", f"inspect took {statistics.median(taken):.3f} s for {self.told}")
        return seen

    def check_answer(self, seen, size):
        self.report.cell(str(seen.status), rounds=1)
        expected = READABLE if size <= inputs.MAX_RECORD_BYTES else (RecordStatus.UNREADABLE,)
        if seen.status not in expected or (seen.holder in set(HolderState)) != (seen.lease is not None):
            self.report.broken("errors", f"undefined: {seen.status}, {seen.holder} for {self.told}")
        if not explain_held(seen).isprintable() or len(deferral_lines(seen).splitlines()) != 2:
            self.report.broken("errors", f"no clean sentence for {self.told}")
        if borrowable(seen, "") is not None or (seen.lease and borrowable(seen, seen.lease.token + "x")):
            self.report.broken("errors", f"lent to a stranger: {self.told}")

    def act(self, seen, content):
        """Take it, or have it reclaimed; what may not be taken stays byte by byte."""
        reclaims = self.arena.random.random() < 0.4
        hold = None
        try:
            if reclaims:
                self.store.reclaim()
            else:
                hold = self.store.acquire("fuzz", "torture").hold
        except LeaseError:
            if seen.status is not RecordStatus.UNREADABLE:
                raise
        if not seen.takeable and not self.holds(content):
            self.report.broken("losses", f"a record that may not be taken was changed: {self.told}")
        if seen.takeable == (hold is None) and not reclaims:
            self.report.broken("errors", f"{seen.status}, but acquired is {hold is not None}: {self.told}")
        if seen.takeable and reclaims and os.path.lexists(self.path):
            self.report.broken("permanent_blocks", f"was not reclaimed: {self.told}")
        if hold is not None:
            self.report.winners += 1
            ours = decode(_read(self.path))
            ended = ours.token == hold.lease.token, hold.renew(), hold.release()
            if ended != (True, "renewed", "released") or os.path.lexists(self.path):
                self.report.broken("errors", f"{ended} after {self.told}")

    def holds(self, content):
        return _read(self.path) == content

    def check_neighbours(self):
        """Clear the lease's own name; everything else of the user's must be as it was."""
        if os.path.isdir(self.path) and not os.path.islink(self.path):
            shutil.rmtree(self.path)
        elif os.path.lexists(self.path):
            os.unlink(self.path)
        name = os.path.basename(self.path)
        found = set(os.listdir(self.folder)) - {f"{name}.hold", f"{name}.lock"}
        for extra in found - set(BESIDE):
            self.report.broken("leftovers", f"{extra} after {self.told}")
            os.unlink(f"{self.folder}/{extra}")
        for beside, content in BESIDE.items():
            with suppress(FileNotFoundError):
                if _read(f"{self.folder}/{beside}") == content:
                    continue
            self.report.broken("losses", f"{beside} was removed or changed after {self.told}")
            scenes.put(f"{self.folder}/{beside}", content)


def _read(path):
    with open(path, "rb") as file:
        return file.read()
