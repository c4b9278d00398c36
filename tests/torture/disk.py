"""Disk: no space, no inodes, read-only, I/O errors. Fail closed, say so clearly, lose nothing, go on afterwards."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import itertools
import json
import os
import resource
import subprocess
import sys

from neo_core.errors import LeaseError
from neo_core.lease.record import decode

from . import scenes
from .arena import spread
from .crowd import CALLS

NEW_MOUNTS = 0x20000
# The calls that a disk can fail; who we are and what time it is does not come from there.
DISK_CALLS = {
    *("open", "read", "write", "pread", "pwrite", "rename", "link", "unlink", "mkdir", "rmdir", "listdir"),
    *("stat", "lstat", "fstat", "fchmod", "flock"),
}
OPERATIONS = ("acquire-missing", "acquire-stale", "acquire-malformed", "acquire-held", "renew", "release", "reclaim")
BEFORE = {
    "acquire-stale": scenes.dead_foreign,
    "acquire-malformed": lambda: b'{"owner": "half',
    "acquire-held": scenes.living_foreign,
    "reclaim": scenes.dead_foreign,
}


def run(options):
    return spread("disk", play, options, jobs=1)


def play(arena):
    small = _small_disk(arena)
    kinds = ["too-large", "io-error", "io-error", "io-error", "io-error"]
    kinds += ["no-space", "no-inodes", "read-only"] if small else []
    if not small:
        arena.report.notes.append("no small file system could be mounted here: no-space, no-inodes, read-only missing")
    # A file system cannot be made read-only under a holder's open hold file; there the failing calls stand for it.
    ways = [
        way
        for way in itertools.product(OPERATIONS, kinds)
        if way not in (("renew", "read-only"), ("release", "read-only"))
    ]
    ways = itertools.cycle(ways)
    while arena.goes_on():
        arena.report.rounds += 1
        operation, kind = next(ways)
        arena.folder = small if kind in ("no-space", "no-inodes", "read-only") else arena.own
        Round(arena, operation, kind).play()


def _small_disk(arena):
    """Mount one that only this process and its children see, and that is gone with them."""
    arena.own = arena.folder
    if sys.platform != "linux" or os.geteuid() != 0 or ctypes.CDLL(None).unshare(NEW_MOUNTS) != 0:
        return None
    folder = f"{arena.folder}/small"
    os.mkdir(folder)
    steps = (["mount", "--make-rprivate", "/"], ["mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=40", "none", folder])
    return (
        folder
        if all(subprocess.run(step, check=False, capture_output=True).returncode == 0 for step in steps)
        else None
    )


class Round:
    """One operation on one ailing disk, in a process of its own."""

    def __init__(self, arena, operation, kind):
        self.arena, self.report, self.operation, self.kind = arena, arena.report, operation, kind
        self.told = f"{operation}, {kind}"
        self.small = arena.folder
        self.path = arena.fresh()
        self.level = arena.random.random()  # drawn here, because what the child draws is drawn again by the next one
        self.error = arena.random.choice((errno.EIO, errno.EIO, errno.EROFS, errno.ENOSPC, errno.EACCES))

    def play(self):
        self.content = BEFORE[self.operation]() if self.operation in BEFORE else None
        if self.content is not None:
            scenes.put(self.path, self.content)
        told = self.in_a_child()
        outcome = told["outcome"].split(":")[0]
        self.report.cell(f"{self.operation}, {self.kind}: {outcome}", rounds=1)
        for wrong in told["wrong"]:
            self.report.broken("errors", f"{self.told}: {wrong}")
        if self.operation == "acquire-held":
            self.check_the_living()
        self.arena.aftermath(self.path, self.told)
        self.arena.drop(self.path)

    def in_a_child(self):
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            try:
                os.write(writing, json.dumps(self.operate()).encode())
            finally:
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            told = pipe.read()
        os.waitpid(pid, 0)
        return json.loads(told) if told else {"outcome": "died", "wrong": ["the process died"]}

    def operate(self):
        store = self.arena.store(self.path)
        wrong = []
        hold = store.acquire("first", "torture").hold if self.operation in ("renew", "release") else None
        outcome = "done"
        with TROUBLE[self.kind](self):
            try:
                outcome = self.once(store, hold)
            except LeaseError as error:
                outcome = "refused: " + error.cause
                if not error.mend or not error.thing:
                    wrong.append(f"an unclear error: {error}")
            except BaseException as error:  # noqa: BLE001 - anything else is the finding
                outcome = "exception"
                wrong.append(f"{error!r}")
        if self.operation == "renew":
            wrong += self.goes_on_holding(hold)
        return {"outcome": outcome, "wrong": wrong}

    def once(self, store, hold):
        if self.operation == "renew":
            return str(hold.renew())
        if self.operation == "release":
            return str(hold.release())
        if self.operation == "reclaim":
            store.reclaim()
            return "done"
        got = store.acquire("ailing", "torture")
        if got.hold is None and not got.detail:
            return "held without a reason"
        if got.hold is not None and self.operation == "acquire-held":
            return "exception: it took a living script's lease"
        return str(got.status)

    def goes_on_holding(self, hold):
        """The record of who still works is whole, and the next renewal is none the worse."""
        with open(self.path, "rb") as file:
            found = decode(file.read())
        if found is None or found.token != hold.lease.token:
            return ["the holder's record was lost"]
        ended = hold.renew(), hold.release()
        return [] if ended == ("renewed", "released") else [f"afterwards {ended}"]

    def check_the_living(self):
        with open(self.path, "rb") as file:
            if file.read() != self.content:
                self.report.broken("losses", f"{self.told}: a living script's record was changed")
        os.unlink(self.path)


@contextlib.contextmanager
def too_large(one):
    """The kernel lets no file grow beyond a few bytes, so that writes end early or fail."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(one.level * 700), hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


@contextlib.contextmanager
def io_error(one):
    """One of the calls that reach the disk fails."""
    left = int(one.level * 60)

    def fail(_frame, event, called):
        nonlocal left
        if event != "c_call" or getattr(called, "__module__", None) not in CALLS or called.__name__ not in DISK_CALLS:
            return
        left -= 1
        if left < 0:
            raise OSError(one.error, os.strerror(one.error))

    sys.setprofile(fail)
    yield
    sys.setprofile(None)


@contextlib.contextmanager
def no_space(one):
    filler = f"{one.small}/filler"
    with open(filler, "wb", buffering=0) as file:
        for size in (4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * size)
    yield
    os.unlink(filler)


@contextlib.contextmanager
def no_inodes(one):
    made = []
    with contextlib.suppress(OSError):
        for number in range(1_000):
            os.close(os.open(f"{one.small}/filler-{number}", os.O_CREAT | os.O_EXCL))
            made.append(number)
    yield
    for number in made:
        os.unlink(f"{one.small}/filler-{number}")


@contextlib.contextmanager
def read_only(one):
    # The child that plays this is the only one that has files open there.
    before = ["mount", "-o", "remount,bind,rw", one.small]
    subprocess.run(["mount", "-o", "remount,bind,ro", one.small], check=True, capture_output=True)
    yield
    subprocess.run(before, check=True, capture_output=True)


TROUBLE = {
    "too-large": too_large,
    "io-error": io_error,
    "no-space": no_space,
    "no-inodes": no_inodes,
    "read-only": read_only,
}
