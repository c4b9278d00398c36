"""Who still works under a lease whose holder is gone: processes with its token, or with its hold file locked."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from neo_core.lease.holdfile import place_of
from neo_core.lease.words import INHERITED_TOKEN, STATE_FOLDER, TASK_NAME
from neo_core.processes.source import REMOVED

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

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

    def judge(pid: int) -> str:
        by = _carries_token(source, pid, marker)
        return by if by == _TOKEN or hold is None else _keeps_hold(source, pid, hold, by)

    return _look_through(source, besides, judge)


def find_forgotten(source: ProcessSource, path: str, *, hold: tuple[int, int] | None = None) -> CarrierScan:
    """Look for who has locked a hold file that the lease at ``path`` had before ``hold`` (device, inode), lost since.

    Such a process works under a lease whose records are lost, as does one with any lease's token and our state folder
    in its environment. A lost file counts as this lease's where it says that it was here, or the process names our
    state folder; where the system does not tell of locks (macOS), none is found. Raises ``OSError`` when the processes
    cannot be listed.
    """
    folder, name = os.path.split(f"{path}.hold")
    folders = {folder, os.path.realpath(folder)}
    places = {f"{one}/{name}" for one in folders}
    token = f"{INHERITED_TOKEN}=".encode()
    here = {f"{STATE_FOLDER}={one}".encode("utf-8", "replace") for one in folders}

    def judge(pid: int) -> str:
        kept = source.locked_names(pid, name)
        lost = [one for one in kept or () if (one.device, one.inode) != hold]
        # Read through the descriptor: what was moved and then removed, or moved again, has no path to read it by.
        if any(one.shown.removesuffix(REMOVED) in places or place_of(one.opened) in places for one in lost):
            return _DESCRIPTOR
        if pid == os.getpid():  # it may have inherited a dead run's marks, and does not wait for itself
            return _NO
        try:
            told = (source.environ(pid) or b"").split(b"\0")
        except ProcessLookupError:
            return _NO
        if not here.isdisjoint(told):
            if lost:
                return _DESCRIPTOR
            if any(one.startswith(token) for one in told):  # it closed the descriptor, as Python's children do
                return _TOKEN
        return _UNREADABLE if kept is None else _NO

    return _look_through(source, (), judge)


def task_of(source: ProcessSource, pid: int) -> str:
    """Return the task that a process says it was started for; empty when it says none."""
    try:
        told = (source.environ(pid) or b"").split(b"\0")
    except ProcessLookupError:
        return ""
    named = f"{TASK_NAME}=".encode()
    return next((one.removeprefix(named).decode("utf-8", "replace") for one in told if one.startswith(named)), "")


def _look_through(source: ProcessSource, besides: Collection[int], judge: Callable[[int], str]) -> CarrierScan:
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
            by = judge(pid)
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
