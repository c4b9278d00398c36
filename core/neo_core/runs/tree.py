"""The process tree of one run: who belongs to it, what it costs, and how it is ended to the last process."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from neo_core.processes.forest import Forest
from neo_core.processes.source import ProcessIdentity
from neo_core.runs.spawn import INDEPENDENT_MODULES, RUNNER_MODULE

if TYPE_CHECKING:
    from collections.abc import Callable

    from neo_core.clock import Clock
    from neo_core.processes.source import ProcessInfo, ProcessSource

_PR_SET_CHILD_SUBREAPER = 36
_ROUNDS = 120
_SPARED_ROUNDS = 60
_PAUSE = 0.05


def adopt_orphans() -> bool:
    """Make this process the parent of every descendant whose own parent ends; false where the system cannot.

    Linux only: elsewhere a process that left the session *and* lost its parent is found by its environment alone.
    """
    if not sys.platform.startswith("linux"):
        return False
    import ctypes

    try:
        return bool(ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False


class RunTree:
    """Everything that works for one run, seen from its runner ``root``.

    Members are the descendants of ``root``, the command's ``session`` (``None``: it has none of its own), and every
    process of ours whose environment says it belongs to the run (``marker``, a ``NAME=value`` pair); not the runners
    below it that lack the marker.
    """

    def __init__(self, root: int, session: int | None, marker: str, source: ProcessSource) -> None:
        self._root = root
        self._session = session
        self._marker = os.fsencode(marker)
        self._source = source
        self._boot = source.boot_id()

    def members(self, *, thorough: bool = False) -> dict[int, int]:
        """Return pid and resident bytes of every living member; ``thorough`` also reads environments."""
        return self._among(self._source.scan(), thorough=thorough)

    def _among(self, processes: dict[int, ProcessInfo], *, thorough: bool) -> dict[int, int]:
        forest = Forest(processes)
        found = {info.pid: info.rss for info in forest.descendants(self._root)}
        if self._session is not None:
            found.update({info.pid: info.rss for info in forest.in_session(self._session)})
        if thorough:
            for pid in self._marked():
                info = processes.get(pid)
                if info is not None and not info.zombie:
                    found[pid] = info.rss
        for pid in self._detached(forest):
            for _, info in forest.walk(pid):
                found.pop(info.pid, None)
        found.pop(self._root, None)
        return found

    def _detached(self, forest: Forest) -> list[int]:
        """Return who lives for itself below us and carries nothing of this run: light tasks' runners, orchestrators."""
        return [
            info.pid
            for info in forest.descendants(self._root)
            if self._is_independent(info.pid) and not self._carries_marker(info.pid)
        ]

    def _is_independent(self, pid: int) -> bool:
        command = self._source.command_line(pid)
        return any(module in command for module in INDEPENDENT_MODULES)

    def _carries_marker(self, pid: int) -> bool:
        try:
            environment = self._source.environ(pid)
        except ProcessLookupError:
            return False
        return environment is None or self._marker in environment.split(b"\0")

    def memory(self) -> int:
        """Return the resident memory of the tree and its runner in bytes, 0 once only the runner is left.

        A page shared by two processes counts twice, so that it is never less than what is shown of the tree.
        """
        processes = self._source.scan()
        members = self._among(processes, thorough=False)
        runner = processes.get(self._root)
        return sum(members.values()) + (runner.rss if runner else 0) if members else 0

    def signal(self, number: signal.Signals) -> int:
        """Send a signal to every member; return how many there were."""
        members = self.identities()
        for identity in members:
            signal_exactly(identity, number, self._source)
        return len(members)

    def kill(self, clock: Clock, reap: Callable[[], None]) -> bool:
        """Kill until nobody is left, also what is forked meanwhile; false when somebody survives that.

        ``reap`` collects the dead, so that they do not stay as zombies. Runners of cascaded runs are asked first and
        killed last, so that they commit what became of their own commands.
        """
        runners = self._runners()
        for runner in runners:
            signal_exactly(runner, signal.SIGTERM, self._source)
        for number in range(_ROUNDS):
            spared = {runner.pid for runner in runners} if number < _SPARED_ROUNDS else set()
            members = self.identities()
            if not members:
                return True
            for member in members:
                if member.pid not in spared:
                    signal_exactly(member, signal.SIGKILL, self._source)
            reap()
            clock.sleep(_PAUSE)
        return not self.identities()

    def _runners(self) -> list[ProcessIdentity]:
        return [one for one in self.identities() if RUNNER_MODULE in self._source.command_line(one.pid)]

    def identities(self) -> list[ProcessIdentity]:
        """Return every living member, also by its environment; parents before their children."""
        processes = self._source.scan()
        return [
            ProcessIdentity(pid, processes[pid].start_time, self._boot)
            for pid in self.members(thorough=True)
            if pid in processes
        ]

    def _marked(self) -> list[int]:
        found: list[int] = []
        for pid in self._source.own_pids():
            try:
                environment = self._source.environ(pid)
            except ProcessLookupError:
                continue
            if environment is not None and self._marker in environment.split(b"\0"):
                found.append(pid)
        return found


def signal_exactly(identity: ProcessIdentity, number: signal.Signals, source: ProcessSource) -> bool:
    """Signal exactly that process, never a later one of the same pid; false when it is gone.

    Where the system has process descriptors (Linux) the check and the signal cannot be torn apart.
    """
    try:
        descriptor = os.pidfd_open(identity.pid) if hasattr(os, "pidfd_open") else None
    except OSError:
        return False
    try:
        if source.start_time(identity.pid) != identity.start_time:
            return False
        if descriptor is None:
            os.kill(identity.pid, number)
        else:
            signal.pidfd_send_signal(descriptor, number)
    except (ProcessLookupError, PermissionError):
        return False
    finally:
        if descriptor is not None:
            os.close(descriptor)
    return True
