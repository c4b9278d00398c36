"""Finding what an earlier keeper left running: by identity and marker, never by a pid or a name alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from neo_core.processes.source import ProcessIdentity, is_alive
from neo_core.services.environment import marker_of
from neo_core.services.tree import carriers, carries

if TYPE_CHECKING:
    from neo_core.ledger.models import ServiceRecord
    from neo_core.processes.source import ProcessSource


class Found(NamedTuple):
    """The main process of an instance, if it can be told; every process of it; why a look-alike was refused."""

    main: ProcessIdentity | None
    members: list[ProcessIdentity]
    refused: str = ""


NOTHING = Found(None, [])


def find_instance(record: ServiceRecord, source: ProcessSource) -> Found:
    """Return what lives of the instance that was started last.

    The main process is the one written down, if the environment does not deny it; when the keeper was killed before it
    could write, the topmost carrier of the marker that leads a session, as every service does. A program that
    overwrites its own environment cannot be recognised, and is refused.
    """
    if not record.instance:
        return NOTHING
    marker = marker_of(record.instance)
    marked = carriers(marker, source)
    known = record.process
    if known is None:
        return Found(_leader(marked, source) if record.pid is None else None, marked)
    if not is_alive(known, source):
        return Found(None, marked, _look_alike(record, source))
    # Unreadable is no denial: with boot, pid and start time it is the process that was written down.
    if carries(known.pid, os.fsencode(marker), source) is not False:
        return Found(known, marked)
    return Found(None, marked, f"pid {known.pid} is a look-alike: it does not carry our marker")


def open_watch(pid: int) -> int | None:
    """Return a descriptor that becomes readable when the process ends; ``None`` where there is no such thing."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except OSError:
        return None


def _leader(marked: list[ProcessIdentity], source: ProcessSource) -> ProcessIdentity | None:
    processes = source.scan()
    pids = {one.pid for one in marked}
    leaders = [
        one
        for one in marked
        if one.pid in processes and processes[one.pid].session == one.pid and processes[one.pid].ppid not in pids
    ]
    return leaders[0] if len(leaders) == 1 else None


def _look_alike(record: ServiceRecord, source: ProcessSource) -> str:
    if record.pid is None or record.boot_id not in ("", source.boot_id()):
        return ""
    try:
        other = source.start_time(record.pid) is not None
    except PermissionError:
        other = True
    return f"pid {record.pid} is a look-alike: another process began there later" if other else ""
