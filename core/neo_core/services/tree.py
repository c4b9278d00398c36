"""The process tree of one service: who belongs to it, what it costs, and signals to all of it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from neo_core.processes.forest import Forest
from neo_core.processes.source import ProcessIdentity, is_alive
from neo_core.runs.spawn import INDEPENDENT_MODULES
from neo_core.runs.tree import signal_exactly

if TYPE_CHECKING:
    import signal

    from neo_core.processes.source import ProcessSource

_PASSES = 4


def carriers(marker: str, source: ProcessSource) -> list[ProcessIdentity]:
    """Return the living processes of ours, besides this one, whose environment holds ``marker`` (``NAME=value``)."""
    wanted = os.fsencode(marker)
    found: list[ProcessIdentity] = []
    seen = {os.getpid()}
    # One listing is not enough: a carrier may fork and end between the listing and the look at it.
    for _ in range(_PASSES):
        new = [pid for pid in source.own_pids() if pid not in seen]
        if not new:
            break
        seen.update(new)
        marked = (_identity(pid, source) for pid in new if carries(pid, wanted, source))
        found += [one for one in marked if one is not None]
    return found


def carries(pid: int, wanted: bytes, source: ProcessSource) -> bool | None:
    """Return whether the environment of ``pid`` holds the pair; ``None`` when it cannot be read."""
    try:
        environment = source.environ(pid)
    except ProcessLookupError:
        return False
    if environment is None:
        return None
    return wanted in environment and wanted in environment.split(b"\0")


class ServiceTree:
    """Everything that works for one service: descendants of ``root``, its session, and who carries ``marker``.

    The session of a root that has ended counts while nobody else has its pid: its keeper saw it alive. A root of
    ``None`` leaves the marker alone. Runners of tasks and orchestrators that were started below live for themselves.
    """

    def __init__(self, root: ProcessIdentity | None, marker: str, source: ProcessSource) -> None:
        self._root, self._marker, self._source = root, marker, source
        self._seen: dict[int, ProcessIdentity] = {}

    def members(self, *, thorough: bool = True) -> list[ProcessIdentity]:
        """Return every living member; ``thorough`` also reads environments.

        Who was a member once stays one: whoever drops the marker and leaves the session is an orphan later.
        """
        boot = self._source.boot_id()
        found = {pid: one for pid, one in self._seen.items() if is_alive(one, self._source)}
        found |= {
            pid: ProcessIdentity(pid, started, boot)
            for pid, (started, _) in self._related().items()
            if pid != os.getpid()
        }
        if thorough:
            found.update({one.pid: one for one in carriers(self._marker, self._source)})
        self._seen = found
        return list(found.values())

    def memory(self) -> int:
        """Return the resident memory of the tree in bytes; a page shared by two processes counts twice."""
        return sum(rss for _, rss in self._related().values())

    def signal(self, number: signal.Signals, members: list[ProcessIdentity] | None = None) -> int:
        """Send a signal to every member (as just looked up, if given); return how many got it."""
        told = self.members() if members is None else members
        return sum(signal_exactly(one, number, self._source) for one in told)

    def _related(self) -> dict[int, tuple[int, int]]:
        """Return start time and memory of the members that one pass shows."""
        root = self._root
        if root is None:
            return {}
        alive = is_alive(root, self._source)
        processes = self._source.scan()
        if not alive and root.pid in processes and not processes[root.pid].zombie:
            return {}
        forest = Forest(processes)
        related = forest.in_session(root.pid)
        if alive:
            related += [info for _, info in forest.walk(root.pid)]
        found = {info.pid: (info.start_time, info.rss) for info in related}
        for runner in [pid for pid in found if self._lives_for_itself(pid)]:
            for _, info in forest.walk(runner):
                found.pop(info.pid, None)
        return found

    def _lives_for_itself(self, pid: int) -> bool:
        command = self._source.command_line(pid)
        independent = any(module in command for module in INDEPENDENT_MODULES)
        return independent and carries(pid, os.fsencode(self._marker), self._source) is False


def _identity(pid: int, source: ProcessSource) -> ProcessIdentity | None:
    try:
        started = source.start_time(pid)
    except PermissionError:
        return None
    return None if started is None else ProcessIdentity(pid, started, source.boot_id())
