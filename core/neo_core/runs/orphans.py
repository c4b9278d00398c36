"""What is left of a run whose runner was killed: the processes that still carry its lease, and how they are ended."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from neo_core.processes.source import ProcessIdentity
from neo_core.runs.tree import signal_exactly

if TYPE_CHECKING:
    from neo_core.lease.inspect import Inspection
    from neo_core.ledger.models import Run
    from neo_core.processes.source import ProcessSource


def end_orphans(seen: Inspection, run: Run, source: ProcessSource, *, force: bool) -> int:
    """Signal (TERM, or KILL with ``force``) every process that keeps the dead run's lease; return how many."""
    lease = seen.lease
    if lease is None or lease.metadata.get("runId") != run.run_id:
        return 0
    number = signal.SIGKILL if force else signal.SIGTERM
    boot = source.boot_id()
    orphans = [ProcessIdentity(one.pid, one.start_time, boot) for one in seen.scan.carriers]
    return sum(signal_exactly(orphan, number, source) for orphan in orphans)
