"""From one pass over the processes to trees: who descends from whom, and what a tree costs."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from neo_core.processes.source import ProcessInfo


class Forest:
    """The parent-child relation of one pass."""

    def __init__(self, processes: Mapping[int, ProcessInfo]) -> None:
        self.processes = processes
        self._children: dict[int, list[int]] = defaultdict(list)
        for info in processes.values():
            if info.pid != info.ppid:
                self._children[info.ppid].append(info.pid)

    def walk(self, root: int) -> list[tuple[int, ProcessInfo]]:
        """Return ``root`` and its living descendants as (depth, process), parents first, by pid."""
        found: list[tuple[int, ProcessInfo]] = []
        waiting = [(0, root)]
        seen: set[int] = set()
        while waiting:
            depth, pid = waiting.pop()
            info = self.processes.get(pid)
            if info is None or info.zombie or pid in seen:
                continue
            seen.add(pid)
            found.append((depth, info))
            waiting.extend((depth + 1, child) for child in sorted(self._children.get(pid, ()), reverse=True))
        return found

    def descendants(self, root: int) -> list[ProcessInfo]:
        """Return the living descendants of ``root``, without it."""
        return [info for depth, info in self.walk(root) if depth > 0]

    def in_session(self, session: int) -> list[ProcessInfo]:
        """Return the living processes of one session."""
        return [info for info in self.processes.values() if info.session == session and not info.zombie]

    def memory(self, pids: Iterable[int]) -> int:
        """Return the sum of resident memory in bytes; a page shared by two counts twice."""
        return sum(self.processes[pid].rss for pid in pids if pid in self.processes)
