"""Who still works under a lease whose holder is gone: processes with its token, or with its hold file locked."""

from __future__ import annotations

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

_PASSES = 5
_TOKEN, _DESCRIPTOR, _NO, _UNREADABLE = "token", "descriptor", "", "unreadable"


def find_carriers(
    source: ProcessSource,
    token: str,
    hold: tuple[int, int] | None = None,
    *,
    besides: Collection[int] = (),
) -> CarrierScan:
    """Look through this user's processes for ``token`` and for the locked file ``hold`` (device, inode).

    ``besides`` are pids that do not count. A process that closed the descriptor and dropped the variable cannot be
    seen here. Costs one read per process, so it is asked only when the answer decides something. Raises ``OSError``
    when the processes cannot be listed.
    """
    marker = f"{INHERITED_TOKEN}={token}".encode("utf-8", "replace") if token else None
    found: list[Carrier] = []
    unreadable = 0
    seen = set(besides)
    # One listing is not enough: a carrier may fork and end between the listing and the look at it.
    for _ in range(_PASSES):
        fresh = [pid for pid in source.own_pids() if pid not in seen]
        if found or not fresh:
            break
        seen.update(fresh)
        for pid in fresh:
            by = _carries_token(source, pid, marker)
            if by != _TOKEN and hold is not None:
                by = _keeps_hold(source, pid, hold, by)
            started = _start_time(source, pid) if by in (_TOKEN, _DESCRIPTOR) else None
            if started is not None:
                found.append(Carrier(pid, started, source.command_line(pid), by))
            unreadable += by == _UNREADABLE
    return CarrierScan(tuple(found), unreadable)


def _carries_token(source: ProcessSource, pid: int, marker: bytes | None) -> str:
    if marker is None:
        return _NO
    try:
        environment = source.environ(pid)
    except ProcessLookupError:
        return _NO
    if environment is None:
        return _UNREADABLE
    return _TOKEN if marker in environment and marker in environment.split(b"\0") else _NO


def _keeps_hold(source: ProcessSource, pid: int, hold: tuple[int, int], by: str) -> str:
    keeps = source.keeps_lock(pid, *hold)
    if keeps is None:
        return _UNREADABLE
    return _DESCRIPTOR if keeps else by


def _start_time(source: ProcessSource, pid: int) -> int | None:
    try:
        return source.start_time(pid)
    except PermissionError:
        return None
