"""Two heavy process trees at the same time: what the lease prevents, and what must be said when it happened anyway."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import msgspec

from neo_core.lease.words import HolderState
from neo_core.ledger.models import LeaseRole, Outcome, Run
from neo_core.ledger.runs import ancestors_of
from neo_core.processes.source import ProcessIdentity, is_alive
from neo_core.snapshot import CollisionView

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neo_core.lease.inspect import Inspection
    from neo_core.lease.store import LeaseStore
    from neo_core.processes.source import ProcessSource

LOST_LOOKED_AT = 20


class _Heavy(msgspec.Struct, frozen=True):
    """One heavy tree that lives; ``words`` name it in a sentence."""

    task: str
    run_id: str
    pids: tuple[int, ...]
    words: str


def find_collisions(
    live: tuple[Run, ...], recent: Iterable[Run], seen: Inspection, source: ProcessSource
) -> tuple[CollisionView, ...]:
    """Return every pair of heavy trees that live beside each other and are not one run within another.

    ``live`` are the runs with a living runner, ``recent`` the latest rows of the ledger, in which a lost run may have
    left a command behind. Runs that share one lease, as parent and cascade do, do not collide.
    """
    started = [run for run in live if _works_heavily(run)]
    rows = {run.run_id: run for run in (*live, *recent)}
    pairs = [(_ours(one), _ours(two)) for one, two in combinations(started, 2) if not _related(one, two, rows)]
    for left in _left_behind(recent, seen, source):
        pairs += [(left, _ours(run)) for run in started if not _within(left.run_id, run, rows)]
    script = _script(live, seen)
    if script is not None:
        pairs += [(script, _ours(run)) for run in started if run.lease_role is not LeaseRole.BORROWER]
    return tuple(_view(one, two) for one, two in pairs)


def may_collide(live: Iterable[Run]) -> bool:
    """Return whether a heavy command of ours works, without which nothing collides with it."""
    return any(map(_works_heavily, live))


def confirmed_collisions(
    live: tuple[Run, ...], recent: Iterable[Run], seen: Inspection, lease: LeaseStore, source: ProcessSource
) -> tuple[CollisionView, ...]:
    """Return the collisions when the lease was read before the ledger: only who still has it had it in between."""
    rows = tuple(recent)
    found = find_collisions(live, rows, seen, source)
    if not found:
        return ()
    again = lease.inspect()
    same = again.lease is not None and seen.lease is not None and again.lease.token == seen.lease.token
    return find_collisions(live, rows, again if same else again._replace(lease=None), source)


def _works_heavily(run: Run) -> bool:
    return run.heavy and run.started_at is not None


def _related(one: Run, two: Run, rows: dict[str, Run]) -> bool:
    same_lease = bool(one.generation) and one.generation == two.generation
    return same_lease or _within(one.run_id, two, rows) or _within(two.run_id, one, rows)


def _within(ancestor: str, run: Run, rows: dict[str, Run]) -> bool:
    return bool(ancestor) and ancestor in ancestors_of(run.run_id, rows)


def _ours(run: Run) -> _Heavy:
    pids = tuple(pid for pid in (run.runner_pid, run.child_pid) if pid is not None)
    return _Heavy(run.task, run.run_id, pids, f"{run.task} (run {run.run_id}, pid {run.runner_pid or 'unknown'})")


def _left_behind(recent: Iterable[Run], seen: Inspection, source: ProcessSource) -> list[_Heavy]:
    """Return what still works of runs whose runner is gone: as the lease shows it, and as the latest rows name it."""
    found: list[_Heavy] = []
    if seen.lease is not None and seen.scan.carriers:
        pids = tuple(one.pid for one in seen.scan.carriers)
        told = seen.lease.metadata.get("runId")
        words = f"what is left of {seen.lease.owner} (pid {', '.join(map(str, pids))})"
        found.append(_Heavy(seen.lease.owner, told if isinstance(told, str) else "", pids, words))
    shown = {left.run_id for left in found}
    lost = [run for run in recent if run.heavy and run.outcome is Outcome.LOST and run.run_id not in shown]
    for run in lost[:LOST_LOOKED_AT]:
        if run.child_pid is None or run.child_start is None or run.pid_namespace not in ("", source.pid_namespace()):
            continue
        if is_alive(ProcessIdentity(run.child_pid, run.child_start, run.boot_id), source):
            words = f"what is left of {run.task} (lost run {run.run_id}, pid {run.child_pid})"
            found.append(_Heavy(run.task, run.run_id, (run.child_pid,), words))
    return found


def _script(live: tuple[Run, ...], seen: Inspection) -> _Heavy | None:
    """Return the living holder of the lease when it is none of our runs."""
    lease = seen.lease
    if lease is None or seen.holder is not HolderState.ALIVE or lease.pid is None:
        return None
    if lease.metadata.get("runId") or any(run.runner_pid == lease.pid for run in live):
        return None
    return _Heavy(lease.owner, "", (lease.pid,), f"{lease.owner} (a script with the lease, pid {lease.pid})")


def _view(one: _Heavy, two: _Heavy) -> CollisionView:
    return CollisionView(
        tasks=(one.task, two.task),
        runs=tuple(run_id for run_id in (one.run_id, two.run_id) if run_id),
        pids=(*one.pids, *two.pids),
        sentence=f"two heavy jobs work at the same time: {one.words} and {two.words}",
    )
