"""The lease while this process holds it: renew, release, and take it again when its record was lost."""

from __future__ import annotations

import functools
import math
import os
from typing import TYPE_CHECKING, TypeVar

from neo_core.lease.explain import guard_error, write_error
from neo_core.lease.guard import GuardTimeoutError, leads_to
from neo_core.lease.record import decode
from neo_core.lease.words import ReleaseStatus, RenewStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from neo_core.lease.holdfile import HoldFile
    from neo_core.lease.record import Lease
    from neo_core.lease.store import LeaseStore


T = TypeVar("T")

_left: dict[str, float] = {}


def left_before(path: str, now: float) -> float:
    """Return how many (monotonic) seconds ago this process released the lease at ``path``."""
    return abs(now - _left.get(path, -math.inf))


def _telling(change: Callable[[HeldLease], T]) -> Callable[[HeldLease], T]:
    """Let a change of the record fail with the one ``LeaseError`` that says what kept it."""

    @functools.wraps(change)
    def told(self: HeldLease) -> T:
        try:
            return change(self)
        except GuardTimeoutError as error:
            raise guard_error(self.path) from error
        except OSError as error:
            raise write_error(self.path, error) from error

    return told


class HeldLease:
    """The lease while this process holds it.

    ``descriptor`` is to be passed to the run's command, so that the kernel keeps the lock while any of it lives.
    """

    def __init__(self, store: LeaseStore, hold: HoldFile, lease: Lease) -> None:
        self.lease = lease
        self._store = store
        self._hold = hold
        self._pid = os.getpid()
        self._written = store.file.written
        self._again: HoldFile | None = None  # the lock of a hold file that was made after ours was lost

    @property
    def descriptor(self) -> int:
        """The descriptor of the locked hold file; -1 after the release."""
        return self._hold.descriptor

    @property
    def path(self) -> str:
        """Where the record is."""
        return self._store.path

    @property
    def generation(self) -> int:
        """Which acquisition of this lease this is, counted from 1 for ever."""
        return self.lease.holder.generation if self.lease.holder else 0

    @property
    def mine(self) -> bool:
        """Whether this very process took the lease; a forked child did not."""
        return self._pid == os.getpid()

    @_telling
    def look(self) -> RenewStatus:
        """Return ``RENEWED`` while the record is as we wrote it, at the cost of one ``lstat``; else do as ``renew``.

        Raises ``LeaseError``.
        """
        return RenewStatus.RENEWED if self._store.file.unchanged(self._written) else self.renew()

    @_telling
    def renew(self) -> RenewStatus:
        """Move the deadline; a record that is no longer ours is left alone, one that is gone is taken again.

        Raises ``LeaseError``.
        """
        if not self.mine or self._hold.descriptor < 0:
            return RenewStatus.NOT_OWNER
        store = self._store
        if not os.path.lexists(store.path):
            return self._retake()
        with store.guarded():
            current = store.file.current()
            if current is None:
                return RenewStatus.MISSING
            if current[1].token != self.lease.token:
                return RenewStatus.NOT_OWNER
            renewed = current[1].renewed(store.clock.now())
            store.file.replace(renewed)
            self.lease, self._written = renewed, store.file.written
        return RenewStatus.RENEWED

    def _retake(self) -> RenewStatus:
        """Write the lost record again: nobody of ours can have taken the lease meanwhile, but a foreign script may.

        The kernel lock is taken on the hold file that is there by now; the record names the one that our processes
        have. ``MISSING`` when another process just has that lock, or the folder is gone for good: try again.
        """
        store = self._store
        if not _make_folder(os.path.dirname(store.path)):
            return RenewStatus.MISSING
        hold = self._hold_there()
        if hold is None:
            return RenewStatus.MISSING
        with store.guarded():
            count = hold.next_generation(self.generation, new=hold is not self._hold)
            lease = self.lease.retaken(store.clock.now(), count)
            if not store.file.publish(lease):
                return RenewStatus.MISSING
            self.lease, self._written = lease, store.file.written
        return RenewStatus.RETAKEN

    def _hold_there(self) -> HoldFile | None:
        """Return the hold file that has the name now, locked by us; ``None`` while another process has it."""
        for hold in (self._hold, self._again):
            if hold is not None and leads_to(self._store.hold_path, hold.identity):
                return hold
        again = self._store.take_hold()
        if again is not None:
            self._let_go_again()
            self._again = again
        return again

    def _let_go_again(self) -> None:
        if self._again is not None:
            self._again.unlock()
            self._again = None

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
            self._let_go_again()
            _left[self._store.path] = self._store.clock.monotonic()

    @_telling
    def _remove_record(self) -> ReleaseStatus:
        store = self._store
        with store.guarded():
            found = store.file.unchanged(self._written) or store.file.read()
            if found is None:
                return ReleaseStatus.MISSING
            if found is not self._written:  # the very file that we wrote needs no parsing
                lease = decode(found.content)
                if lease is None:
                    return ReleaseStatus.MISSING
                if lease.token != self.lease.token:
                    return ReleaseStatus.NOT_OWNER
            return ReleaseStatus.RELEASED if store.file.remove(found) else ReleaseStatus.NOT_OWNER


def _make_folder(folder: str) -> bool:
    """Make the lease's folder again, and the one above it; who removed more than that meant the whole workspace."""
    try:
        if os.path.isdir(os.path.dirname(os.path.dirname(folder))):
            os.makedirs(folder, mode=0o700, exist_ok=True)
    except OSError:
        return False
    return os.path.isdir(folder)
