"""The processes section of the snapshot: one tree per owner, from one pass over the machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from neo_core.lease.carriers import find_carriers
from neo_core.lease.words import HolderState
from neo_core.ledger.models import LeaseRole, Run
from neo_core.processes.forest import Forest
from neo_core.snapshot import ProcessView, TreeView

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from neo_core.clock import Clock
    from neo_core.lease.inspect import Inspection
    from neo_core.lease.record import Lease
    from neo_core.processes.source import ProcessIdentity, ProcessInfo, ProcessSource
    from neo_core.snapshot_strays import StrayView

_EXACT_LIMIT = 64


class Census:
    """Counts trees; remembers the previous pass to tell how much CPU each process used since."""

    def __init__(self, source: ProcessSource, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._cpu: dict[tuple[int, int], float] = {}
        self._at = 0.0

    def count(
        self,
        live: tuple[Run, ...],
        seen: Inspection,
        *,
        services: Mapping[str, ProcessIdentity] | None = None,
        orchestrator: ProcessIdentity | None = None,
        strays: Iterable[StrayView] = (),
    ) -> tuple[TreeView, ...]:
        """Return the trees of live runs, of services, of strays, of the orchestrator, of a script that holds the lease,
        of orphans, and of this console; a process belongs to one of them only.
        """
        processes = self._source.scan()
        forest = Forest(processes)
        now = self._clock.monotonic()
        elapsed = now - self._at if self._at else 0.0
        taken: set[int] = set()
        trees = [self._run_tree(run, forest, taken, elapsed) for run in _children_first(live)]
        for name, process in (services or {}).items():
            trees.append(self._tree(name, "service", _exactly(forest, process, taken), elapsed))
        trees += [self._stray_tree(stray, forest, taken, elapsed) for stray in strays]
        # What it started are its children, so it comes after them.
        trees.append(self._tree("orchestrator", "orchestrator", _exactly(forest, orchestrator, taken), elapsed))
        trees.append(self._holder_tree(live, seen, forest, taken, elapsed))
        trees.append(self._orphan_tree(seen, forest, taken, elapsed))
        trees.append(self._own_tree(forest, taken, elapsed))
        self._cpu = {(info.pid, info.start_time): info.cpu for info in processes.values()}
        self._at = now
        return tuple(sorted((tree for tree in trees if tree), key=lambda tree: (tree.kind == "console", tree.owner)))

    def _run_tree(self, run: Run, forest: Forest, taken: set[int], elapsed: float) -> TreeView | None:
        runner = forest.processes.get(run.runner_pid or -1)
        if runner is None or runner.start_time != run.runner_start:
            return None
        members = _unclaimed(forest, run.runner_pid or -1, taken)
        return self._tree(run.task, "run", members, elapsed, run_id=run.run_id, role=run.lease_role)

    def _holder_tree(
        self, live: tuple[Run, ...], seen: Inspection, forest: Forest, taken: set[int], elapsed: float
    ) -> TreeView | None:
        lease = seen.lease
        if lease is None or lease.pid is None or any(run.runner_pid == lease.pid for run in live):
            return None
        members = _unclaimed(forest, lease.pid, taken) if seen.holder is HolderState.ALIVE else []
        if members:
            members += self._left_behind(lease, members[0][1], forest, taken)
        return self._tree(lease.owner, "lease", members, elapsed, role=LeaseRole.HOLDER)

    def _left_behind(
        self, lease: Lease, holder: ProcessInfo, forest: Forest, taken: set[int]
    ) -> list[tuple[int, ProcessInfo]]:
        """Return what works under a living holder's lease and is below it no more, because its own parent ended."""
        older = {pid for pid, info in forest.processes.items() if info.start_time < holder.start_time}
        kept = lease.holder.hold if lease.holder else None
        scan = find_carriers(self._source, lease.token, kept, besides=older | taken)
        members: list[tuple[int, ProcessInfo]] = []
        for carrier in sorted(scan.carriers, key=lambda one: (one.start_time, one.pid)):
            members += _unclaimed(forest, carrier.pid, taken)
        return members

    def _orphan_tree(self, seen: Inspection, forest: Forest, taken: set[int], elapsed: float) -> TreeView | None:
        members: list[tuple[int, ProcessInfo]] = []
        for carrier in seen.scan.carriers:
            members.extend(_unclaimed(forest, carrier.pid, taken))
        owner = seen.lease.owner if seen.lease else "unknown"
        run_id = seen.lease.metadata.get("runId") if seen.lease else ""
        return self._tree(owner, "orphans", members, elapsed, run_id=run_id if isinstance(run_id, str) else "")

    def _stray_tree(self, stray: StrayView, forest: Forest, taken: set[int], elapsed: float) -> TreeView | None:
        wanted = set(stray.members)
        members: list[tuple[int, ProcessInfo]] = []
        for pid, _ in stray.members:
            found = [one for one in forest.walk(pid) if (one[1].pid, one[1].start_time) in wanted]
            members += [(depth, info) for depth, info in found if info.pid not in taken]
            taken.update(info.pid for _, info in found)
        return self._tree(stray.owner, str(stray.kind), members, elapsed, run_id=stray.run_id)

    def _own_tree(self, forest: Forest, taken: set[int], elapsed: float) -> TreeView | None:
        info = forest.processes.get(os.getpid())
        members = [(0, info)] if info is not None and info.pid not in taken else []
        return self._tree("neo-console", "console", members, elapsed)

    def _tree(
        self,
        owner: str,
        kind: str,
        members: list[tuple[int, ProcessInfo]],
        elapsed: float,
        *,
        run_id: str = "",
        role: LeaseRole = LeaseRole.NONE,
    ) -> TreeView | None:
        if not members:
            return None
        exact = len(members) <= _EXACT_LIMIT
        views = tuple(self._view(depth, info, elapsed, exact=exact) for depth, info in members)
        memory = sum(view.rss if view.pss is None else view.pss for view in views)
        all_exact = all(view.pss is not None for view in views)
        return TreeView(
            owner=owner, kind=kind, run_id=run_id, role=role, memory=memory, exact=all_exact, processes=views
        )

    def _view(self, depth: int, info: ProcessInfo, elapsed: float, *, exact: bool) -> ProcessView:
        before = self._cpu.get((info.pid, info.start_time))
        return ProcessView(
            pid=info.pid,
            start_time=info.start_time,
            depth=depth,
            name=info.name,
            command=self._source.command_line(info.pid) or info.name,
            rss=info.rss,
            pss=self._source.pss(info.pid) if exact else None,
            cpu=None if before is None or elapsed <= 0 else max(0.0, 100 * (info.cpu - before) / elapsed),
            age=self._source.age(info.start_time),
        )


def _children_first(live: tuple[Run, ...]) -> list[Run]:
    """Order runs so that a cascaded run claims its processes before its parent does."""
    return sorted(live, key=lambda run: (not run.parent_run_id, run.requested_at))


def _unclaimed(forest: Forest, root: int, taken: set[int]) -> list[tuple[int, ProcessInfo]]:
    members = [(depth, info) for depth, info in forest.walk(root) if info.pid not in taken]
    taken.update(info.pid for _, info in members)
    return members


def _exactly(forest: Forest, process: ProcessIdentity | None, taken: set[int]) -> list[tuple[int, ProcessInfo]]:
    """Return the tree of that very process, nothing when another one has its pid."""
    info = forest.processes.get(process.pid) if process is not None else None
    if process is None or info is None or info.start_time != process.start_time:
        return []
    return _unclaimed(forest, process.pid, taken)
