"""Engines with one protection taken out, so that the harness can show that it would notice.

Applied in a process of its own, to the classes themselves: everything else is the real engine.
"""

from __future__ import annotations

import os

from neo_core.lease import carriers, guard, store
from neo_core.lease.foreign_guard import ForeignGuard
from neo_core.lease.guard import Guard
from neo_core.lease.held import HeldLease
from neo_core.lease.holdfile import HoldFile
from neo_core.lease.recordfile import RecordFile
from neo_core.lease.words import ReleaseStatus
from neo_core.processes.procfs import ProcFs


def _guard_off():
    """Changes are made without the guard, and recoveries without the foreign scripts' mutex."""
    for kind in (Guard, ForeignGuard):
        _put(kind, "__enter__", lambda self: self)
        _put(kind, "__exit__", lambda self, *_: None)


def _ownership_off():
    """A release and a recovery remove whatever lies there."""

    def remove(self, judged):
        os.unlink(self._path)
        return True

    def remove_record(self):
        with self._store.guarded():
            os.unlink(self._store.path)
        return ReleaseStatus.RELEASED

    _put(RecordFile, "remove", remove)
    _put(HeldLease, "_remove_record", remove_record)


def _liveness_off():
    """Whoever wrote a record counts as dead, and nobody as working for it."""
    _put(ProcFs, "start_time", lambda self, pid: None)
    _put(ProcFs, "environ", lambda self, pid: b"")
    _put(ProcFs, "keeps_lock", lambda self, pid, device, inode: False)


def _hold_off():
    """The kernel lock of the hold file is never taken."""

    def take(cls, path):
        file = cls(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        file.path = path
        file.read()
        return file

    _put(HoldFile, "take", classmethod(take))


def _moved_off():
    """A lock file counts wherever it is by now, and what is left of one says nothing of where it was."""
    for module in (guard, store):
        _put(module, "leads_to", lambda path, identity: True)
    _put(carriers, "place_of", lambda opened: "")


def _put(owner, name, value):
    """Replace what exists: a weakening that the engine has outgrown must not pass for a strong engine."""
    getattr(owner, name)
    setattr(owner, name, value)


ENGINES = {
    "guard": _guard_off,
    "ownership": _ownership_off,
    "liveness": _liveness_off,
    "hold": _hold_off,
    "moved": _moved_off,
}

# Where each one bites: the protection it takes out is the only one that is left there.
SCENARIO = {"guard": "race", "ownership": "race", "liveness": "orphans", "hold": "race", "moved": "moves"}


def apply(name):
    """Weaken the engine in this process, for good."""
    ENGINES[name]()
