"""The process trees that are ours, from what the ledger knows: runs, services, the orchestrator, and who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_core.lease.words import HolderState
from neo_core.memory.attribution import Root

if TYPE_CHECKING:
    from collections.abc import Iterable

    from neo_core.lease.inspect import Inspection
    from neo_core.ledger.models import OrchestratorRecord, Run, ServiceRecord
    from neo_core.processes.source import ProcessIdentity


def roots_of(
    runs: Iterable[Run],
    services: Iterable[ServiceRecord],
    orchestrator: OrchestratorRecord | None,
    console: ProcessIdentity | None,
    lease: Inspection,
) -> list[Root]:
    """Return the tops of our trees; a process that is gone or another by now is sorted out when it is looked at.

    Of two with the same top the later counts: the holder of ``lease`` is a script where it is nothing else.
    """
    found = [_script(lease)]
    found += [_root(run.task, "run", run.runner, run.run_id) for run in runs]
    found += [_root(service.name, "service", service.process) for service in services]
    if orchestrator is not None and orchestrator.ended_at is None:
        found.append(_root("neo-orchestrator", "orchestrator", orchestrator.process))
    found.append(_root("neo-console", "console", console))
    return [root for root in found if root is not None]


def _script(seen: Inspection) -> Root | None:
    """Return the living holder of a lease that we know; a foreign record does not tell which process was meant."""
    lease = seen.lease
    if lease is None or lease.pid is None or lease.holder is None or seen.holder is not HolderState.ALIVE:
        return None
    return Root(owner=lease.owner, kind="lease", pid=lease.pid, start_time=lease.holder.start_time)


def _root(owner: str, kind: str, process: ProcessIdentity | None, run_id: str = "") -> Root | None:
    if process is None:
        return None
    return Root(owner=owner, kind=kind, pid=process.pid, start_time=process.start_time, run_id=run_id)
