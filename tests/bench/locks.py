"""Every lock under one interface: ``take()`` waits for it and ``leave()`` gives it up, with the library's own defaults.

A maker raises ``ImportError`` or ``AttributeError`` when the library, or the lock of that name in it, is not here.
"""

from __future__ import annotations

import functools
import importlib.metadata
import shutil
import subprocess
from typing import NamedTuple

WAIT = 120.0


class Lock(NamedTuple):
    """``try_take`` is the form that does not wait; ours differ, everybody else's is the same call."""

    take: object
    leave: object
    try_take: object


def ours(path):
    from neo_core.lease.store import LeaseStore
    from neo_core.lease.waiting import acquire_waiting

    store, holds = LeaseStore(path), []

    def try_take():
        holds.append(store.acquire("bench", "bench").hold)

    def take():
        got = acquire_waiting(store, "bench", "bench", wait=WAIT, ttl=21_600, source="bench")
        if got.hold is None:
            raise TimeoutError(got.detail)
        holds.append(got.hold)

    return Lock(take, lambda: holds.pop().release(), try_take)


def _filelock(name, path):
    import filelock

    lock = getattr(filelock, name)(path)
    return Lock(lock.acquire, lock.release, lock.acquire)


def fasteners(path):
    from fasteners import InterProcessLock

    lock = InterProcessLock(path)
    return Lock(lock.acquire, lock.release, lock.acquire)


def portalocker(path):
    from portalocker import Lock as PortaLock

    lock = PortaLock(path, timeout=WAIT)
    return Lock(lock.acquire, lock.release, lock.acquire)


def flock(path):
    """Take and leave in one: a process of its own, as a shell script would."""
    program = shutil.which("flock")
    if program is None:
        raise ImportError("flock")

    def take():
        subprocess.run([program, path, "true"], check=True)

    return Lock(take, lambda: None, take)


PYTHON = {
    "neo-console lease": ours,
    "filelock FileLock": functools.partial(_filelock, "FileLock"),
    "filelock SoftFileLock": functools.partial(_filelock, "SoftFileLock"),
    "filelock SoftFileLease": functools.partial(_filelock, "SoftFileLease"),
    "fasteners InterProcessLock": fasteners,
    "portalocker Lock": portalocker,
    "flock(1)": flock,
}
NODE = {
    "proper-lockfile (async)": "async",
    "proper-lockfile (async, realpath: false)": "async unresolved",
    "proper-lockfile (sync)": "sync",
}


def versions():
    """Return the versions of the installed peers; ``missing`` for the others."""
    found = {}
    for name in ("filelock", "fasteners", "portalocker"):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "missing"
    return found
