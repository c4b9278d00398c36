"""Who still works under a lease whose holder is gone: processes with its token, or with its hold file locked."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from neo_core.lease.words import INHERITED_TOKEN

if TYPE_CHECKING:
    from collections.abc import Collection

    from neo_core.processes.source import ProcessSource


class Carrier(NamedTuple):
    """One living process of a run: by ``token`` in its environment, or by ``descriptor``."""

    pid: int
    start_time: int
    command: str
    by: str


class CarrierScan(NamedTuple):
    """The living carriers, and how many of our user's processes would not say."""

    carriers: tuple[Carrier, ...]
    unreadable: int


NOBODY = CarrierScan((), 0)


def find_carriers(
    source: ProcessSource,
    token: str,
    hold: tuple[int, int] | None = None,
    *,
    besides: Collection[int] = (),
) -> CarrierScan:
    """Look through this user's processes for ``token`` and for the locked file ``hold`` (device, inode).

    ``besides`` are pids that do not count. A process that closed the descriptor and dropped the variable cannot be
    seen here. Costs one read per process, so it is asked only when the answer decides something.
    """
    marker = os.fsencode(f"{INHERITED_TOKEN}={token}") if token else None
    found: list[Carrier] = []
    unreadable = 0
    for pid in source.own_pids():
        if pid in besides:
            continue
        by = _carries_token(source, pid, marker)
        if by is None:
            unreadable += 1
        if not by and hold is not None and source.keeps_lock(pid, *hold):
            by = "descriptor"
        started = source.start_time(pid) if by else None
        if by and started is not None:
            found.append(Carrier(pid, started, source.command_line(pid), by))
    return CarrierScan(tuple(found), unreadable)


def _carries_token(source: ProcessSource, pid: int, marker: bytes | None) -> str | None:
    """Return ``token``, empty for no, ``None`` for an environment that cannot be read."""
    if marker is None:
        return ""
    try:
        environment = source.environ(pid)
    except ProcessLookupError:
        return ""
    if environment is None:
        return None
    return "token" if marker in environment.split(b"\0") else ""
