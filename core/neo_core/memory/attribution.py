"""Whose memory it is: what each process tree costs, and which trees grew since a moment before.

A page that several processes map counts once (PSS, plus their part of the swap). Measuring that walks the pages, so it
is done on a budget; between two measurements a process's cost moves with its resident memory.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from neo_core.processes.source import ProcessInfo, ProcessSource

_WORTH_MEASURING = 8 * 1024 * 1024
_LEAST_GROWTH = 32 * 1024 * 1024
_LEAST_SHARE = 0.1


class Root(msgspec.Struct, frozen=True, kw_only=True):
    """A tree of ours: who it belongs to, and the process at its top (``start_time`` tells it from a later one)."""

    owner: str
    kind: str
    pid: int
    start_time: int
    run_id: str = ""


class TreeCost(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One tree at one moment; ``cost`` and ``rss`` in bytes, ``faults`` the major faults of its living so far.

    ``kind`` is ``run``, ``service``, ``orchestrator``, ``console``, ``lease`` (a script that holds it) or ``other``.
    ``pid`` is the top of it. Of ``other``, a ``session`` that is not ours, ``owner`` and ``pid`` are its biggest one.
    """

    owner: str
    kind: str
    pid: int
    cost: int
    rss: int
    processes: int
    faults: int = 0
    run_id: str = ""
    session: int = 0

    @property
    def key(self) -> str:
        """What says that a tree of another moment is the same one."""
        # A sample of an earlier version has no session, but its leader's pid.
        name = str(self.session or self.pid) if self.kind == "other" else self.owner
        return self.run_id or f"{self.kind}:{name}"


class Growth(msgspec.Struct, frozen=True, kw_only=True):
    """By how many bytes a tree grew since the beginning of the window, and what it costs now."""

    tree: TreeCost
    grown: int


class _Measured(msgspec.Struct, frozen=True):
    start_time: int
    rss: int
    cost: int


class Costs:
    """Knows what each process costs, measuring the few whose resident memory moved most since they were measured."""

    def __init__(self, source: ProcessSource, *, clock: Callable[[], float] = time.perf_counter) -> None:
        self._source, self._clock = source, clock
        self._measured: dict[int, _Measured] = {}

    def refresh(self, processes: Mapping[int, ProcessInfo], budget: float, *, anew: bool = False) -> int:
        """Measure for at most ``budget`` seconds, the most doubtful first; return how many were measured.

        With ``anew`` everything is doubtful: a fork or an ending changes what others share without moving them.
        """
        living = processes.keys()
        self._measured = {pid: one for pid, one in self._measured.items() if pid in living}
        doubtful = [
            (doubt, info)
            for info in processes.values()
            if not info.zombie and (doubt := info.rss if anew else self._doubt(info)) >= _WORTH_MEASURING
        ]
        began, count = self._clock(), 0
        for _, info in sorted(doubtful, key=lambda pair: -pair[0]):
            if self._clock() - began >= budget:
                break
            self._measure(info)
            count += 1
        return count

    def of(self, info: ProcessInfo) -> int:
        """Return what the process costs now, as well as it is known."""
        known = self._known(info)
        return info.rss if known is None else max(0, known.cost + info.rss - known.rss)

    def _measure(self, info: ProcessInfo) -> None:
        memory = self._source.memory(info.pid)
        cost = info.rss if memory is None else memory.pss + memory.swap
        self._measured[info.pid] = _Measured(info.start_time, info.rss, cost)

    def _doubt(self, info: ProcessInfo) -> int:
        known = self._known(info)
        return info.rss if known is None else abs(info.rss - known.rss)

    def _known(self, info: ProcessInfo) -> _Measured | None:
        known = self._measured.get(info.pid)
        return known if known is not None and known.start_time == info.start_time else None


def attribute(
    roots: Sequence[Root], processes: Mapping[int, ProcessInfo], cost: Callable[[ProcessInfo], int]
) -> list[TreeCost]:
    """Give every living process to the nearest root above it, the rest to its session; dearest tree first."""
    owners = {root.pid: root for root in roots if _is(root, processes)}
    ours: dict[int, list[ProcessInfo]] = {pid: [] for pid in owners}
    others: dict[int, list[ProcessInfo]] = {}
    for info in processes.values():
        if info.zombie:
            continue
        top = _nearest(info, owners.keys(), processes)
        if top is None:
            others.setdefault(info.session, []).append(info)
        else:
            ours[top].append(info)
    trees = [_tree(owners[pid], members, cost) for pid, members in ours.items()]
    trees += [_other(session, members, cost) for session, members in others.items()]
    return sorted(trees, key=lambda tree: -tree.cost)


class Baseline(msgspec.Struct, frozen=True, kw_only=True):
    """What each tree (by its key) cost at the beginning of a window.

    ``floor`` is what a tree that is not ours and not in it may have cost all the same: the record keeps the big ones.
    """

    costs: dict[str, int]
    floor: int = 0


def baseline_of(trees: Sequence[TreeCost], *, complete: bool) -> Baseline:
    """Return the baseline of a moment whose trees are all there (``complete``) or only the biggest of the others."""
    others = [tree.cost for tree in trees if tree.kind == "other"]
    floor = 0 if complete or not others else min(others)
    return Baseline(costs={tree.key: tree.cost for tree in trees}, floor=floor)


def growth(before: Baseline, tree: TreeCost) -> Growth:
    """Return by how much one tree grew; a negative number says that it shrank."""
    return Growth(tree=tree, grown=tree.cost - before.costs.get(tree.key, before.floor if tree.kind == "other" else 0))


def rank(before: Baseline, now: Iterable[TreeCost]) -> list[Growth]:
    """Return the trees that grew, the most first; what stands still is not named, however big it is."""
    grown = [growth(before, tree) for tree in now]
    most = max((one.grown for one in grown), default=0)
    least = max(_LEAST_GROWTH, _LEAST_SHARE * most)
    return sorted((one for one in grown if one.grown >= least), key=lambda one: -one.grown)


def _is(root: Root, processes: Mapping[int, ProcessInfo]) -> bool:
    info = processes.get(root.pid)
    return info is not None and info.start_time == root.start_time and not info.zombie


def _nearest(info: ProcessInfo, roots: Iterable[int], processes: Mapping[int, ProcessInfo]) -> int | None:
    """Return the pid of the root above ``info``, itself included; a loop of parents ends the search."""
    wanted = set(roots)
    seen: set[int] = set()
    pid = info.pid
    while pid not in seen:
        if pid in wanted:
            return pid
        seen.add(pid)
        parent = processes.get(pid)
        if parent is None:
            return None
        pid = parent.ppid
    return None


def _tree(root: Root, members: list[ProcessInfo], cost: Callable[[ProcessInfo], int]) -> TreeCost:
    return TreeCost(
        owner=root.owner,
        kind=root.kind,
        pid=root.pid,
        run_id=root.run_id,
        cost=sum(cost(info) for info in members),
        rss=sum(info.rss for info in members),
        processes=len(members),
        faults=sum(info.major_faults or 0 for info in members),
    )


def _other(session: int, members: list[ProcessInfo], cost: Callable[[ProcessInfo], int]) -> TreeCost:
    biggest = max(members, key=lambda info: info.rss)
    root = Root(owner=biggest.name, kind="other", pid=biggest.pid, start_time=biggest.start_time)
    return msgspec.structs.replace(_tree(root, members, cost), session=session)
