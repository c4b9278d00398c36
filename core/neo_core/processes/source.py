"""The one interface behind which platforms differ: what is asked about processes, and who answers here.

A question that cannot be answered returns ``None`` ("unknown"); it is never answered with a guess.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import NamedTuple, Protocol

REMOVED = " (deleted)"  # what the kernel puts behind the path of an open file that has no name any more

_HAS_PROCFS: bool = sys.platform.startswith("linux")


class ProcessIdentity(NamedTuple):
    """A process that cannot be confused with a later one of the same pid.

    ``start_time`` is the kernel's (ticks since boot on Linux, microseconds since the epoch on macOS).
    """

    pid: int
    start_time: int
    boot_id: str


class ProcessInfo(NamedTuple):
    """One process as one pass saw it. ``rss`` is in bytes, ``cpu`` in seconds used so far.

    ``major_faults`` counts the pages it had to wait for so far; ``None`` where the system does not tell.
    """

    pid: int
    ppid: int
    session: int
    name: str
    start_time: int
    rss: int
    cpu: float
    zombie: bool
    major_faults: int | None = None


class ProcessMemory(NamedTuple):
    """What one process costs, in bytes: ``pss`` shares what it shares, ``swap`` is its part of what is swapped out.

    ``anonymous`` is its own, ``shared`` is mapped by others too.
    """

    pss: int
    anonymous: int
    shared: int
    swap: int


class LockedName(NamedTuple):
    """A file that a process keeps flocked: where the kernel shows it, which it is, and where it can be read.

    ``shown`` ends in ``REMOVED`` for one that has no name any more; ``opened`` leads to it all the same.
    """

    shown: str
    device: int
    inode: int
    opened: str


class ProcessSource(Protocol):
    """Answers about the processes of one machine."""

    def boot_id(self) -> str:
        """Return what is different after each boot; empty when it cannot be known."""
        ...

    def pid_namespace(self) -> str:
        """Return the namespace in which pids mean something; empty where there is only one."""
        ...

    def start_time(self, pid: int) -> int | None:
        """Return the start time of a living process; ``None`` when it is proven that there is none (a zombie is none).

        There is one, but the system hides it from us: ``PermissionError``.
        """
        ...

    def scan(self) -> dict[int, ProcessInfo]:
        """Return every process, by pid, from one pass."""
        ...

    def own_pids(self) -> list[int]:
        """Return the pids of this user's processes."""
        ...

    def environ(self, pid: int) -> bytes | None:
        """Return the NUL-separated environment; ``None`` when it cannot be read. Gone: ``ProcessLookupError``."""
        ...

    def keeps_lock(self, pid: int, device: int, inode: int) -> bool | None:
        """Return whether a descriptor of the process keeps that file flocked; ``None`` when it cannot be known."""
        ...

    def locked_names(self, pid: int, name: str) -> list[LockedName] | None:
        """Return the files that a descriptor of the process keeps flocked and whose name begins with ``name``.

        ``None`` when it cannot be known.
        """
        ...

    def command_line(self, pid: int) -> str:
        """Return the command line for display; empty when it cannot be read."""
        ...

    def pss(self, pid: int) -> int | None:
        """Return the proportional set size in bytes; ``None`` when it cannot be read."""
        ...

    def memory(self, pid: int) -> ProcessMemory | None:
        """Return what the process costs; ``None`` when it cannot be read. Walks its pages: a millisecond per GiB."""
        ...

    def age(self, start_time: int) -> float | None:
        """Return seconds since a process with that start time began."""
        ...


@lru_cache(maxsize=1)
def system_source() -> ProcessSource:
    """Return the source for this machine: /proc on Linux, psutil elsewhere."""
    if _HAS_PROCFS:
        from neo_core.processes.procfs import ProcFs

        return ProcFs()
    from neo_core.processes.psutil_source import PsutilSource

    return PsutilSource()


def identity_of(pid: int, source: ProcessSource) -> ProcessIdentity | None:
    """Return the identity of a living process, ``None`` when there is none."""
    try:
        started = source.start_time(pid)
    except PermissionError:
        return None
    return None if started is None else ProcessIdentity(pid, started, source.boot_id())


def is_alive(identity: ProcessIdentity, source: ProcessSource) -> bool:
    """Return whether exactly that process still lives: same boot, same pid, same start time."""
    boot = source.boot_id()
    if identity.boot_id and boot and identity.boot_id != boot:
        return False
    try:
        return source.start_time(identity.pid) == identity.start_time
    except PermissionError:
        # Who knows its start time could read it once, so this is a later process of another user.
        return False
