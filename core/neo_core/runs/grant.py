"""The lease as one run needs it: acquired, borrowed, refused, or not needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from neo_core.lease.explain import explain_held
from neo_core.lease.inherit import borrowable, inherited_token, kept_descriptors
from neo_core.lease.words import (
    GENERATION,
    INHERITED_TOKEN,
    MANUAL_REASON,
    AcquireStatus,
    ReleaseStatus,
    RenewStatus,
)
from neo_core.ledger.models import LeaseEvent, LeaseRole, Trigger

if TYPE_CHECKING:
    from neo_core.lease.inspect import Inspection
    from neo_core.lease.record import Lease
    from neo_core.lease.store import HeldLease, LeaseStore
    from neo_core.ledger.store import Ledger
    from neo_core.profiles import Task


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why the lease was not given, and to whom it belongs as far as can be read."""

    sentence: str
    owner: str = ""
    pid: int | None = None
    run_id: str = ""


class Grant:
    """What one run got: its role, the environment its command needs, and the duties that come with holding.

    ``warning`` says when an inheritance was expected and lost.
    """

    def __init__(
        self, role: LeaseRole, lease: Lease | None = None, hold: HeldLease | None = None, warning: str = ""
    ) -> None:
        self.role = role
        self.warning = warning
        self._lease = lease
        self._hold = hold

    @property
    def generation(self) -> int:
        """Which acquisition of the lease the run works under; 0 for none."""
        holder = self._lease.holder if self._lease else None
        return holder.generation if holder else 0

    @property
    def descriptors(self) -> tuple[int, ...]:
        """What the command must keep open so that the kernel keeps the lock."""
        if self._hold is not None:
            return (self._hold.descriptor,)
        return kept_descriptors(self._lease) if self._lease is not None else ()

    @property
    def holds(self) -> bool:
        """Whether this process must renew and release."""
        return self._hold is not None

    def environment(self) -> dict[str, str]:
        """Return the variables that let processes of the run borrow; empty without a lease."""
        if self._lease is None:
            return {}
        return {INHERITED_TOKEN: self._lease.token, GENERATION: str(self.generation)}

    def renew(self, *, due: bool) -> RenewStatus:
        """Renew what is held; when that is not ``due``, only look whether it is as we wrote it and mend that: cheap.

        A borrower has nothing to renew. Raises ``LeaseError``.
        """
        if self._hold is None:
            return RenewStatus.RENEWED
        status = self._hold.renew() if due else self._hold.look()
        self._lease = self._hold.lease
        return status

    def release(self) -> ReleaseStatus | None:
        """Release what is held, leaving the kernel lock to any process that escaped us. Raises ``LeaseError``."""
        return self._hold.release(unlock=False) if self._hold else None

    def event(self, word: str, run_id: str, at: float, pid: int, detail: str = "") -> LeaseEvent | None:
        """Return the row for the lease's history; ``None`` without a lease."""
        if self._lease is None:
            return None
        return LeaseEvent(
            at=at,
            event=word,
            owner=self._lease.owner,
            token_prefix=self._lease.token[:8],
            generation=self.generation,
            run_id=run_id,
            pid=pid,
            detail=detail,
        )


def obtain(task: Task, store: LeaseStore, *, run_id: str, trigger: Trigger, ttl: float) -> Grant | Refusal:
    """Borrow or acquire what ``task`` needs, without waiting. Raises ``LeaseError`` (fail closed).

    The reason in the record is ``trigger``, in upstream's word where it has one: foreign scripts print it.
    """
    if not task.heavy:
        return Grant(LeaseRole.NONE)
    token = inherited_token()
    lent = borrowable(store.inspect(), token)
    if lent is not None:
        return Grant(LeaseRole.BORROWER, lent)
    lost = "the inherited lease is gone or its holder is dead; this run acquires for itself" if token else ""
    reason = MANUAL_REASON if trigger is Trigger.MANUAL else str(trigger)
    attempt = store.acquire(
        task.name, reason, ttl=ttl, metadata={"source": "neo-console", "task": task.name, "runId": run_id}
    )
    if attempt.status is AcquireStatus.HELD or attempt.hold is None:
        return refusal(attempt.before, attempt.detail, lost)
    return Grant(LeaseRole.HOLDER, attempt.hold.lease, attempt.hold, lost)


def refusal(seen: Inspection, detail: str, lost: str = "") -> Refusal:
    """Return the refusal for a lease that somebody has."""
    lease = seen.lease
    why = detail or explain_held(seen)
    if lease is None:
        return Refusal(sentence=_joined(f"the lease is taken: {why}", lost))
    who = f"lease held by {lease.owner}" + (f" (pid {lease.pid})" if lease.pid else "")
    run_id = lease.metadata.get("runId")
    return Refusal(
        sentence=_joined(f"{who}: {why}", lost),
        owner=lease.owner,
        pid=lease.pid,
        run_id=run_id if isinstance(run_id, str) else "",
    )


def record(ledger: Ledger, event: LeaseEvent | None) -> None:
    """Write the event to the lease's history, if there is one. Raises ``LedgerError``."""
    if event is not None:
        ledger.lease_events.add(event)


def _joined(sentence: str, lost: str) -> str:
    return f"{sentence}; {lost}" if lost else sentence
