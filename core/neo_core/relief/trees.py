"""What a set of processes costs now, measured exactly: the tree below some roots, or what is left of an earlier one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from neo_core.ledger.reliefs import Member
from neo_core.processes.forest import Forest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neo_core.processes.source import ProcessInfo, ProcessSource


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """Living processes by pid and start time, and their memory in bytes.

    ``exact`` says that it is PSS and swap, which count a shared page once; else some of it is RSS.
    """

    members: tuple[Member, ...]
    cost: int
    exact: bool = True


def tree_of(members: Iterable[Member], forest: Forest, source: ProcessSource) -> Tree:
    """Return the processes of ``members`` that still live, with their descendants."""
    found: dict[Member, ProcessInfo] = {}
    for pid, start_time in members:
        info = forest.processes.get(pid)
        if info is not None and info.start_time == start_time:
            found |= {(one.pid, one.start_time): one for _, one in forest.walk(pid)}
    costs = [_cost(info, source) for info in found.values()]
    return Tree(
        members=tuple(found),
        cost=sum(cost for cost, _ in costs),
        exact=all(exact for _, exact in costs),
    )


def look_at(members: Iterable[Member], source: ProcessSource) -> Tree:
    """Return the tree as one pass over the machine's processes sees it."""
    return tree_of(members, Forest(source.scan()), source)


def _cost(info: ProcessInfo, source: ProcessSource) -> tuple[int, bool]:
    """Return what a process costs, and whether that is exact; nothing when it ended since the pass."""
    memory = source.memory(info.pid)
    if memory is not None:
        return memory.pss + memory.swap, True
    try:
        gone = source.start_time(info.pid) != info.start_time
    except PermissionError:
        gone = False
    return (0, True) if gone else (info.rss, False)
