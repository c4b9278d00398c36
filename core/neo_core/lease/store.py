"""Taking and leaving the lease: acquire, renew, release, reclaim.

The rules and their numbers are ``lease-protocol.md``'s. Every change happens inside the guard; a recovery also inside
the foreign scripts' directory mutex.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from neo_core.clock import Clock, SystemClock
from neo_core.errors import LeaseError
from neo_core.lease.explain import (
    MOVED_SENTENCE,
    explain_held,
    hold_error,
    network_error,
    unreadable_error,
    unsettled_error,
    write_error,
)
from neo_core.lease.filesystem import network_filesystem
from neo_core.lease.foreign_guard import ForeignGuard, ForeignGuardBusyError
from neo_core.lease.guard import Guard, GuardTimeoutError, identity_at, leads_to
from neo_core.lease.held import HeldLease
from neo_core.lease.holdfile import HoldFile, is_known_hold
from neo_core.lease.inspect import NOTHING, Fingerprint, Inspection, inspect_forgotten, inspect_lease, read_record
from neo_core.lease.record import Holder, Lease, decode, host_name, new_lease, new_token
from neo_core.lease.recordfile import RecordFile
from neo_core.lease.words import (
    DEFAULT_TTL,
    GUARD_TIMEOUT,
    SETTLE_FOR,
    SETTLE_WITHIN,
    AcquireStatus,
    HolderState,
    RecordStatus,
)
from neo_core.processes.source import ProcessSource, system_source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["Acquisition", "HeldLease", "LeaseStore"]

_TRIES = 3
_NOBODY_FOR = 5.0  # seconds for which a look at every process is believed; an acquisition always looks itself
_WITHDRAW_WITHIN = 0.5


class Acquisition(NamedTuple):
    """How an attempt ended: ``held`` has no ``hold`` and says why in ``before`` and ``detail``.

    ``by_record`` marks a refusal though nobody had the kernel lock.
    """

    status: AcquireStatus
    before: Inspection
    hold: HeldLease | None = None
    detail: str = ""
    by_record: bool = False


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
        self._folder = os.path.dirname(self.path)
        self._nobody_until = 0.0
        self.hold_path, self._guard_path = f"{self.path}.hold", f"{self.path}.lock"

    def inspect(self) -> Inspection:
        """Judge the record without locks and without changing anything."""
        seen = inspect_lease(self.path, self.source, self.clock)
        if not seen.takeable or is_known_hold(self.hold_path) or self.clock.monotonic() < self._nobody_until:
            return seen
        found = inspect_forgotten(seen, self.path, self.source, identity_at(self.hold_path))
        if found is seen:
            self._nobody_until = self.clock.monotonic() + _NOBODY_FOR
        return found

    def acquire(
        self, owner: str, reason: str, *, ttl: float = DEFAULT_TTL, metadata: dict[str, Any] | None = None
    ) -> Acquisition:
        """Take the lease or say at once why not; never waits for a holder.

        ``ttl`` is in seconds. Raises ``LeaseError`` when the lease cannot be read or written: fail closed.
        """
        result = self.acquire_if_unlocked(owner, reason, ttl=ttl, metadata=metadata)
        if result is not None:
            return result
        before = self.inspect()
        return Acquisition(AcquireStatus.HELD, before, detail=explain_held(before))

    def acquire_if_unlocked(
        self, owner: str, reason: str, *, ttl: float = DEFAULT_TTL, metadata: dict[str, Any] | None = None
    ) -> Acquisition | None:
        """Do as ``acquire``, but return ``None``, at once and without a look at the record, while its lock is kept."""
        self._refuse_network()
        result: Acquisition | None = None
        for _ in range(_TRIES):
            hold = self.take_hold()
            if hold is None:
                return None
            try:
                result = self._acquire_holding(hold, owner, reason, ttl, metadata or {})
            except BaseException:
                self._withdraw(hold)
                hold.unlock()
                raise
            if result.hold is not None:
                return result
            hold.unlock()
            if result.detail != MOVED_SENTENCE:
                break
        return result._replace(by_record=True) if result is not None else None

    def reclaim(self) -> Inspection:
        """Remove a record that an acquire would recover, without taking the lease; return what was found.

        A holder of ours that cannot be checked by its pid (another namespace) is judged by its kernel lock. Raises
        ``LeaseError`` when the record cannot be removed.
        """
        found = self.inspect()
        settled = found.status is RecordStatus.MISSING and not self.file.has_leftover()
        if settled or not (found.takeable or self._lock_tells(found)):
            return found
        hold = self.take_hold()
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

    def guarded(self, timeout: float = GUARD_TIMEOUT) -> Guard:
        """Return the guard to change the record in."""
        return Guard(self._guard_path, timeout=timeout)

    def _lock_tells(self, found: Inspection) -> bool:
        ours = found.lease.holder if found.lease else None
        unknown = found.holder is HolderState.UNKNOWN and ours is not None and ours.hold is not None
        return unknown and (self._allow_network or self._network() is None)

    def _reclaim_holding(self, hold: HoldFile) -> Inspection:
        with self.guarded():
            before = self._judge(hold)
            if before.takeable and before.fingerprint is not None and not self._recover(hold, before.fingerprint, None):
                return self.inspect()
        return before

    def _acquire_holding(
        self, hold: HoldFile, owner: str, reason: str, ttl: float, metadata: dict[str, Any]
    ) -> Acquisition:
        def compose() -> Lease:
            return self._compose(hold, owner, reason, ttl, metadata)

        try:
            with self.guarded():
                before, lease = self._take_record(hold, compose)
            # A file that was moved until now keeps nobody away; who looked for such may have come too early for ours.
            if lease is not None and not leads_to(self.hold_path, hold.identity):
                self._withdraw(hold)
                return Acquisition(AcquireStatus.HELD, self.inspect(), detail=MOVED_SENTENCE)
            if lease is not None and not self._settle(hold, before, lease):
                self._withdraw(hold)
                lease = None
        except GuardTimeoutError:
            return Acquisition(AcquireStatus.HELD, self.inspect(), detail="another process keeps the lease's guard")
        except ForeignGuardBusyError:
            detail = "a foreign script is changing the lease right now"
            return Acquisition(AcquireStatus.HELD, self.inspect(), detail=detail)
        except OSError as error:
            raise write_error(self.path, error) from error
        if lease is not None:
            return Acquisition(_acquired(before), before, HeldLease(self, hold, lease))
        if not before.takeable:
            return Acquisition(AcquireStatus.HELD, before, detail=explain_held(before))
        return Acquisition(AcquireStatus.HELD, self.inspect(), detail="a foreign script took it at the same moment")

    def _take_record(self, hold: HoldFile, compose: Callable[[], Lease]) -> tuple[Inspection, Lease | None]:
        """Judge and write, and judge again when somebody else wrote first; return what was found and our record."""
        before = self._judge(hold)
        lease: Lease | None = None
        for _ in range(_TRIES):
            if before.status is RecordStatus.UNREADABLE:
                raise unreadable_error(self.path, before.error)
            if not before.takeable:
                break
            lease = lease or compose()
            if self._write(hold, before.fingerprint, lease):
                return before, lease
            before = self._judge(hold)
        return before, None

    def _write(self, hold: HoldFile, judged: Fingerprint | None, lease: Lease) -> bool:
        return self.file.publish(lease) if judged is None else self._recover(hold, judged, lease)

    def _recover(self, hold: HoldFile, judged: Fingerprint, lease: Lease | None) -> bool:
        """Remove exactly the judged record and put ``lease`` there; return false when somebody else came first."""
        # Noted before anything changes: whoever comes next must settle even if we are killed in between.
        hold.mark_recovery(self.clock.now())
        with ForeignGuard(self.path, self.clock):
            return self.file.remove(judged) and (lease is None or self.file.publish(lease))

    def _withdraw(self, hold: HoldFile) -> None:
        """Take back what an interrupted attempt has already published, so that nobody waits for it."""
        with suppress(LeaseError, GuardTimeoutError, OSError), self.guarded(_WITHDRAW_WITHIN):
            current = self.file.current()
            holder = current[1].holder if current else None
            if current and holder and current[1].pid == os.getpid() and holder.hold == hold.identity:
                self.file.remove(current[0])

    def _judge(self, hold: HoldFile) -> Inspection:
        """Judge the record as who has its kernel lock; of a file that is new here that lock alone proves nothing."""
        seen = self._judge_record(hold)
        if hold.known or not seen.takeable:
            return seen
        return inspect_forgotten(seen, self.path, self.source, hold.identity)

    def _judge_record(self, hold: HoldFile) -> Inspection:
        def judge(path: str) -> Inspection:
            return inspect_lease(path, self.source, self.clock, holding=hold.identity)

        if self.file.is_clear():
            return NOTHING
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

    def _settle(self, hold: HoldFile, before: Inspection, lease: Lease) -> bool:
        """After a recovery, watch for a short while whether an unguarded foreign script removes what is now ours."""
        if before.fingerprint is None and abs(self.clock.now() - hold.recovered_at()) > SETTLE_WITHIN:
            return True
        deadline = self.clock.monotonic() + SETTLE_FOR
        while self.clock.monotonic() < deadline:
            self.clock.sleep(SETTLE_FOR / 5)
            try:
                token = _token_at(self.path)
            except OSError as error:
                raise unsettled_error(self.path, error) from error
            if token != lease.token:
                return False
        return True

    def take_hold(self) -> HoldFile | None:
        """Take the kernel lock without waiting; ``None`` when another process has it. Raises ``LeaseError``."""
        try:
            return HoldFile.take(self.hold_path)
        except OSError as error:
            raise hold_error(self.path, error) from error

    def _refuse_network(self) -> None:
        kind = None if self._allow_network else self._network()
        if kind is not None:
            raise network_error(self.path, kind)

    def _network(self) -> str | None:
        return network_filesystem(self._folder)


def _acquired(before: Inspection) -> AcquireStatus:
    if before.status is RecordStatus.STALE:
        return AcquireStatus.AFTER_STALE
    if before.status is RecordStatus.MALFORMED:
        return AcquireStatus.AFTER_MALFORMED
    return AcquireStatus.ACQUIRED


def _token_at(path: str) -> str | None:
    """Return the token in the record as it is now; ``None`` without a record. Raises ``OSError`` where unreadable."""
    try:
        lease = decode(read_record(path).content)
    except FileNotFoundError:
        return None
    return lease.token if lease else None
