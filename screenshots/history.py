"""A history with every kind of ending."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from neo_core.ledger.models import LeaseRole, Outcome, Run, Trigger
from neo_core.schedule.decision import Reason
from screenshots.parts import HELD, MIB, NOW, blocked_by_lease, decision, run

if TYPE_CHECKING:
    from collections.abc import Iterable


def busy_runs() -> tuple[Run, ...]:
    """Return a history with every kind of ending."""
    lease = {"reason_code": Reason.LEASE_HELD.value, "reason": HELD, "blocker": "dream", "blocker_pid": 4211}
    kept = msgspec.json.encode(decision("backup", blocked_by_lease(), at=NOW - 12)).decode()
    return (
        run(
            "9f31c07a55d2",
            "dream",
            None,
            at=NOW - 733,
            started_at=NOW - 732,
            runner_pid=4211,
            runner_start=90_001,
            child_pid=4218,
            peak_memory=4608 * MIB,
            lease_role=LeaseRole.HOLDER,
            generation=212,
            command="npm run ai:dream",
        ),
        run(
            "51d0c4e8aa01",
            "backup",
            Outcome.DEFERRED,
            at=NOW - 724,
            count=41,
            trigger=Trigger.SCHEDULED,
            decision=kept,
            **{**lease, "last_at": NOW - 12},
        ),
        run(
            "0b7712f3c9e4",
            "primary-dev-sync",
            Outcome.SKIPPED,
            at=NOW - 355,
            reason_code="dirty-checkout",
            reason="the checkout has local changes; nothing was pulled",
        ),
        *_older(),
    )


def _older() -> Iterable[Run]:
    rows = (
        ("c0ffee001122", "kbSync", Outcome.COMPLETED, 2005, 74.0, 612, "", ""),
        ("7e1a09d3b4c5", "summary", Outcome.COMPLETED, 4239, 39.0, 1130, "", ""),
        ("aa34e1907712", "kbSync", Outcome.CANCELLED, 5400, 12.0, 588, "", "stopped by ada: wrong branch"),
        (
            "d41d8cd98f00",
            "dream",
            Outcome.FAILED,
            9201,
            1801.0,
            5210,
            "exit-1",
            "exit code 1: the model ran out of memory",
        ),
        (
            "e2fc714c4727",
            "golden-path",
            Outcome.TIMED_OUT,
            14_000,
            7200.0,
            2210,
            "time-limit",
            "longer than its limit of 2h00m",
        ),
        ("b026324c6904", "dream", Outcome.LOST, 31_000, None, 3312, Reason.RUNNER_GONE.value, ""),
        ("26ab0db90d72", "backup", Outcome.COMPLETED, 87_110, 211.0, 340, "", ""),
    )
    for run_id, name, outcome, before, lasted, peak, code, reason in rows:
        began = NOW - before
        yield run(
            run_id,
            name,
            outcome,
            at=began,
            last_at=began + (lasted or 0.0),
            started_at=began,
            ended_at=None if lasted is None else began + lasted,
            peak_memory=peak * MIB,
            reason_code=code,
            reason=reason,
        )
