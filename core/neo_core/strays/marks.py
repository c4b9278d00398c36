"""The markers in a process's environment: which run or service it was started for, and in which workspace."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from neo_core.lease.words import INHERITED_TOKEN
from neo_core.runs.spawn import RUN_ID, SERVICE_ID, SERVICE_NAME, STATE_FOLDER, TASK_NAME

if TYPE_CHECKING:
    from neo_core.processes.source import ProcessSource

_PROBE = "-probe"
_NAMES = {
    os.fsencode(name): name for name in (RUN_ID, SERVICE_ID, SERVICE_NAME, STATE_FOLDER, TASK_NAME, INHERITED_TOKEN)
}


class Marks(NamedTuple):
    """What a process says about itself; empty where it says nothing. ``state`` is a workspace's state folder."""

    run_id: str = ""
    instance: str = ""
    service: str = ""
    state: str = ""
    token: str = ""
    task: str = ""

    @property
    def marked(self) -> bool:
        """Whether it was started for a run or a service."""
        return bool(self.run_id or self.instance)

    def is_of_service(self, name: str, state: str) -> bool:
        """Return whether it was started for that service of the workspace with that state folder."""
        return bool(self.instance) and self.service == name and surely_of_this_workspace(self.state, state)


NO_MARKS = Marks()


def marks_of(pid: int | None, source: ProcessSource) -> Marks:
    """Return the markers of a process; none where it is gone or does not show them."""
    try:
        environment = None if pid is None else source.environ(pid)
    except ProcessLookupError:
        return NO_MARKS
    return NO_MARKS if environment is None else read_marks(environment)


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
        task=told.get(TASK_NAME, ""),
    )


def surely_of_this_workspace(state: str, ours: str) -> bool:
    """Return whether a marker's state folder is ``ours``, whether or not that is there."""
    return bool(state) and os.path.realpath(state) == os.path.realpath(ours)


def of_this_workspace(state: str, ours: str) -> bool:
    """Return whether a marker's state folder is ``ours``, also by another path.

    One that names no folder, or one that is no longer there, denies nothing: then the ledger must know the marker.
    """
    if not state or state == ours or not os.path.isdir(state):  # noqa: PTH112 - a plain string from an environment
        return True
    return os.path.realpath(state) == os.path.realpath(ours)
