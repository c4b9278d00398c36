"""Taking and leaving the lease: acquire, renew, release, reclaim.

The rules and their numbers are ``lease-protocol.md``'s. Every change happens inside the guard; a recovery also inside
the foreign scripts' directory mutex.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

from neo_core.clock import Clock, SystemClock
from neo_core.lease.explain import explain_held, guard_error, hold_error, network_error, unreadable_error, write_error
from neo_core.lease.filesystem import network_filesystem
from neo_core.lease.foreign_guard import ForeignGuard, ForeignGuardBusyError
from neo_core.lease.guard import Guard, GuardTimeoutError
from neo_core.lease.holdfile import HoldFile
from neo_core.lease.inspect import Inspection, inspect_lease, read_record
from neo_core.lease.record import Holder, Lease, decode, host_name, new_lease, new_token
from neo_core.lease.recordfile import RecordFile
from neo_core.lease.words import (
    DEFAULT_TTL,
    SETTLE_FOR,
    SETTLE_WITHIN,
    AcquireStatus,
    RecordStatus,
    ReleaseStatus,
    RenewStatus,
)
from neo_core.processes.source import ProcessSource, system_source

if TYPE_CHECKING:
    from pathlib import Path


class Acquisition(NamedTuple):
    """How an attempt ended: ``held`` has no ``hold`` and says why in ``before`` and ``detail``."""

    status: AcquireStatus
    before: Inspection
    hold: HeldLease | None = None
    detail: str = ""


class LeaseStore:
    """The lease at one path, for one process.

    ``allow_network`` lets ``acquire`` work on a network file system, where flock may not reach other machines.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        source: ProcessSource | None = None,
        clock: Clock | None = None,
        allow_network: bool = False,
    ) -> None:
        self.path = str(path)
        self.source = source or system_source()
        self.clock = clock or SystemClock()
        self.file = RecordFile(self.path)
        self._allow_network = allow_network

    def inspect(self) -> Inspection:
        """Judge the record without locks and without changing anything."""
        return inspect_lease(self.path, self.source, self.clock)

    def acquire(
        self, owner: str, reason: str, *, ttl: float = DEFAULT_TTL, metadata: dict[str, Any] | None = None
    ) -> Acquisition:
        """Take the lease or say at once why not; never waits for a holder.

        ``ttl`` is in seconds. Raises ``LeaseError`` when the lease cannot be read or written: fail closed.
        """
        self._refuse_network()
        hold = self._take_hold()
        if hold is None:
            before = self.inspect()
            return Acquisition(AcquireStatus.HELD, before, detail=explain_held(before))
        try:
            result = self._acquire_holding(hold, owner, reason, ttl, metadata or {})
        except BaseException:
            hold.unlock()
            raise
        if result.hold is None:
            hold.unlock()
        return result

    def reclaim(self) -> Inspection:
        """Remove a record that an acquire would recover, without taking the lease; return what was found.

        Raises ``LeaseError`` when the record cannot be removed.
        """
        found = self.inspect()
        if found.status not in (RecordStatus.STALE, RecordStatus.MALFORMED):
            return found
        hold = self._take_hold()
        if hold is None:
            return self.inspect()
        try:
            return self._reclaim_holding(hold)
        except (GuardTimeoutError, ForeignGuardBusyError):
            return self.inspect()
        except OSError as error:
            raise write_error(self.path, error) from error
        finally:
            hold.unlock()

    def guarded(self) -> Guard:
        """Return the guard to change the record in."""
        return Guard(f"{self.path}.lock")

    def _reclaim_holding(self, hold: HoldFile) -> Inspection:
        with self.guarded():
            before = self._judge(hold)
            if before.takeable and before.fingerprint is not None:
                with ForeignGuard(self.path, self.clock):
                    self.file.remove(before.fingerprint)
                hold.mark_recovery(self.clock.now())
        return before

    def _acquire_holding(
        self, hold: HoldFile, owner: str, reason: str, ttl: float, metadata: dict[str, Any]
    ) -> Acquisition:
        try:
            with self.guarded():
                before = self._judge(hold)
                if before.status is RecordStatus.UNREADABLE:
                    raise unreadable_error(self.path, before)
                if not before.takeable:
                    return Acquisition(AcquireStatus.HELD, before, detail=explain_held(before))
                lease = self._compose(hold, owner, reason, ttl, metadata)
                taken = self._write(before, lease)
            taken = taken and self._settle(hold, before, lease)
        except GuardTimeoutError:
            return Acquisition(AcquireStatus.HELD, self.inspect(), detail="another process keeps the lease's guard")
        except ForeignGuardBusyError:
            detail = "a foreign script is changing the lease right now"
            return Acquisition(AcquireStatus.HELD, self.inspect(), detail=detail)
        except OSError as error:
            raise write_error(self.path, error) from error
        if not taken:
            return Acquisition(AcquireStatus.HELD, self.inspect(), detail="a foreign script took it at the same moment")
        return Acquisition(_acquired(before), before, HeldLease(self, hold, lease))

    def _judge(self, hold: HoldFile) -> Inspection:
        def judge(path: str) -> Inspection:
            return inspect_lease(path, self.source, self.clock, holding=hold.identity)

        self.file.settle_leftovers(judge)
        return judge(self.path)

    def _compose(self, hold: HoldFile, owner: str, reason: str, ttl: float, metadata: dict[str, Any]) -> Lease:
        holder = Holder(
            start_time=self.source.start_time(os.getpid()) or 0,
            boot_id=self.source.boot_id(),
            pid_namespace=self.source.pid_namespace(),
            host=host_name(),
            uid=os.geteuid(),
            hold=hold.identity,
            generation=hold.next_generation(),
        )
        return new_lease(
            owner=owner,
            reason=reason,
            token=new_token(),
            now=self.clock.now(),
            ttl=ttl,
            holder=holder,
            metadata=metadata,
        )

    def _write(self, before: Inspection, lease: Lease) -> bool:
        """Put our record where the judged one (or none) was; return false when somebody else came first."""
        if before.fingerprint is None:
            return self.file.publish(lease)
        with ForeignGuard(self.path, self.clock):
            return self.file.remove(before.fingerprint) and self.file.publish(lease)

    def _settle(self, hold: HoldFile, before: Inspection, lease: Lease) -> bool:
        """After a recovery, watch for a short while whether an unguarded foreign script removes what is now ours."""
        now = self.clock.now()
        if before.fingerprint is not None:
            hold.mark_recovery(now)
        elif abs(now - hold.recovered_at()) > SETTLE_WITHIN:
            return True
        deadline = self.clock.monotonic() + SETTLE_FOR
        while self.clock.monotonic() < deadline:
            self.clock.sleep(SETTLE_FOR / 5)
            if _token_at(self.path) != lease.token:
                return False
        return True

    def _take_hold(self) -> HoldFile | None:
        try:
            return HoldFile.take(f"{self.path}.hold")
        except OSError as error:
            raise hold_error(self.path, error) from error

    def _refuse_network(self) -> None:
        kind = None if self._allow_network else network_filesystem(os.path.dirname(self.path))
        if kind is not None:
            raise network_error(self.path, kind)


class HeldLease:
    """The lease while this process holds it.

    ``descriptor`` is to be passed to the run's command, so that the kernel keeps the lock while any of it lives.
    """

    def __init__(self, store: LeaseStore, hold: HoldFile, lease: Lease) -> None:
        self.lease = lease
        self._store = store
        self._hold = hold
        self._pid = os.getpid()

    @property
    def descriptor(self) -> int:
        """The descriptor of the locked hold file; -1 after the release."""
        return self._hold.descriptor

    @property
    def generation(self) -> int:
        """Which acquisition of this lease this is, counted from 1 for ever."""
        return self.lease.holder.generation if self.lease.holder else 0

    @property
    def mine(self) -> bool:
        """Whether this very process took the lease; a forked child did not."""
        return self._pid == os.getpid()

    def renew(self) -> RenewStatus:
        """Move the deadline; a record that is no longer ours is left alone. Raises ``LeaseError``."""
        if not self.mine:
            return RenewStatus.NOT_OWNER
        store = self._store
        try:
            with store.guarded():
                current = store.file.current()
                if current is None:
                    return RenewStatus.MISSING
                if current[1].token != self.lease.token:
                    return RenewStatus.NOT_OWNER
                renewed = current[1].renewed(store.clock.now())
                store.file.replace(renewed)
                self.lease = renewed
        except GuardTimeoutError as error:
            raise guard_error(store.path) from error
        except OSError as error:
            raise write_error(store.path, error) from error
        return RenewStatus.RENEWED

    def release(self, *, unlock: bool = True) -> ReleaseStatus:
        """Remove our record, then give up the kernel lock; idempotent. Raises ``LeaseError``.

        Call it when the last process of the run is gone. With ``unlock`` false the lock is only closed here, and stays
        with any process that still has the descriptor.
        """
        if not self.mine or self._hold.descriptor < 0:
            return ReleaseStatus.NOT_OWNER
        try:
            return self._remove_record()
        finally:
            if unlock:
                self._hold.unlock()
            else:
                self._hold.close()

    def _remove_record(self) -> ReleaseStatus:
        store = self._store
        try:
            with store.guarded():
                current = store.file.current()
                if current is None:
                    return ReleaseStatus.MISSING
                if current[1].token != self.lease.token:
                    return ReleaseStatus.NOT_OWNER
                return ReleaseStatus.RELEASED if store.file.remove(current[0]) else ReleaseStatus.NOT_OWNER
        except GuardTimeoutError as error:
            raise guard_error(store.path) from error
        except OSError as error:
            raise write_error(store.path, error) from error


def _acquired(before: Inspection) -> AcquireStatus:
    if before.status is RecordStatus.STALE:
        return AcquireStatus.AFTER_STALE
    if before.status is RecordStatus.MALFORMED:
        return AcquireStatus.AFTER_MALFORMED
    return AcquireStatus.ACQUIRED


def _token_at(path: str) -> str | None:
    """Return the token in the record as it is now; ``None`` without a readable record."""
    try:
        lease = decode(read_record(path).content)
    except OSError:
        return None
    return lease.token if lease else None
