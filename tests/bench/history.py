"""A ledger that has seen much: as many runs as asked for, written by the ledger's own tables."""

from __future__ import annotations

import random

from neo_core.ledger.models import LeaseRole, Outcome, Run, Trigger
from neo_core.ledger.store import Ledger

TASKS = ("backup", "kbSync", "primary-dev-sync")
EVERY = 10.0  # seconds between two runs
_OUTCOMES = (Outcome.COMPLETED, Outcome.DEFERRED, Outcome.FAILED)


def runs(count, end, *, seed=1):
    """Yield ``count`` runs, the last of which ended at ``end``: half are completed, two fifths deferred."""
    chance = random.Random(seed)
    for number in range(count):
        at = end - (count - number) * EVERY
        outcome = chance.choices(_OUTCOMES, (5, 4, 1))[0]
        prevented = outcome is Outcome.DEFERRED
        yield Run(
            run_id=f"{number:012x}",
            task=TASKS[number % len(TASKS)],
            heavy=True,
            trigger=Trigger.SCHEDULED,
            requested_at=at,
            last_at=at + 5,
            requested_by="orchestrator",
            started_at=None if prevented else at,
            ended_at=at + 5,
            outcome=outcome,
            reason_code="heavy-maintenance-lease-held" if prevented else "",
            reason="kbSync holds the lease, pid 4211" if prevented else "",
            blocker="kbSync" if prevented else "",
            exit_code=None if prevented else int(outcome is Outcome.FAILED),
            lease_role=LeaseRole.NONE if prevented else LeaseRole.HOLDER,
            generation=0 if prevented else number,
            peak_memory=None if prevented else 1 << 28,
            command="neo-console run kbSync",
        )


def fill(path, count, end):
    """Write so many runs into the ledger at ``path``, and bring what is in its WAL into the file."""
    with Ledger(path) as ledger:
        with ledger.database.transaction(durable=False):
            for run in runs(count, end):
                ledger.runs.insert(run)
        ledger.database.query("PRAGMA wal_checkpoint(TRUNCATE)")
