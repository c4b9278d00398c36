"""What keeps the lease of a holder that is gone, where that was no run of ours which could be stopped as such."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from neo_core.lease.words import HolderState
from neo_core.strays.look import is_independent

if TYPE_CHECKING:
    from collections.abc import Callable

    from neo_core.lease.inspect import Inspection


class Leftover(NamedTuple):
    """The processes (pid, start time) that a dead holder of the lease left, and who that was.

    ``pid`` is the holder's; ``None`` where its record was lost.
    ``foreign`` says that we did not start it here: a script of the JavaScript system, or a run of another workspace.
    """

    members: frozenset[tuple[int, int]]
    owner: str
    pid: int | None
    foreign: bool


def leftover_of(seen: Inspection, knows: Callable[[str], bool]) -> Leftover | None:
    """Return what is left of a script; ``None`` where nothing is, or a run is to be stopped that our ledger ``knows``.

    Who only inherited the lease's token and lives for itself (a console, say) is no part of it.
    """
    lease = seen.lease
    if seen.holder is not HolderState.ORPHANED:
        return None
    left = frozenset((one.pid, one.start_time) for one in seen.scan.carriers if not is_independent(one.command))
    if lease is None:
        return Leftover(left, seen.task or "the lost lease", None, foreign=False)
    told = lease.metadata.get("runId")
    run_id = told if isinstance(told, str) else ""
    if run_id and knows(run_id):
        return None
    return Leftover(left, lease.owner, lease.pid, bool(run_id) or lease.holder is None)
