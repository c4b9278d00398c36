"""The markers in a process's environment: which run or service it was started for, and in which workspace."""

from __future__ import annotations

import os
from typing import NamedTuple

from neo_core.lease.words import INHERITED_TOKEN
from neo_core.runs.spawn import RUN_ID, SERVICE_ID, SERVICE_NAME, STATE_FOLDER

_PROBE = "-probe"
_NAMES = {os.fsencode(name): name for name in (RUN_ID, SERVICE_ID, SERVICE_NAME, STATE_FOLDER, INHERITED_TOKEN)}


class Marks(NamedTuple):
    """What a process says about itself; empty where it says nothing. ``state`` is a workspace's state folder."""

    run_id: str = ""
    instance: str = ""
    service: str = ""
    state: str = ""
    token: str = ""

    @property
    def marked(self) -> bool:
        """Whether it was started for a run or a service."""
        return bool(self.run_id or self.instance)


NO_MARKS = Marks()


def read_marks(environment: bytes) -> Marks:
    """Return the markers of a NUL-separated environment; the probes of a service count as of that service."""
    if b"NEO_CONSOLE_" not in environment:
        return NO_MARKS
    told: dict[str, str] = {}
    for pair in environment.split(b"\0"):
        name, found, value = pair.partition(b"=")
        if found and name in _NAMES:
            told.setdefault(_NAMES[name], os.fsdecode(value))
    return Marks(
        run_id=told.get(RUN_ID, ""),
        instance=told.get(SERVICE_ID, "").removesuffix(_PROBE),
        service=told.get(SERVICE_NAME, ""),
        state=told.get(STATE_FOLDER, ""),
        token=told.get(INHERITED_TOKEN, ""),
    )


def of_this_workspace(state: str, ours: str) -> bool:
    """Return whether a marker's state folder is ``ours``, also by another path.

    One that names no folder, or one that is no longer there, denies nothing: then the ledger must know the marker.
    """
    if not state or state == ours or not os.path.isdir(state):  # noqa: PTH112 - a plain string from an environment
        return True
    return os.path.realpath(state) == os.path.realpath(ours)
