"""The lease while this process holds it: renew, release."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

from neo_core.lease.explain import guard_error, write_error
from neo_core.lease.guard import GuardTimeoutError
from neo_core.lease.record import decode
from neo_core.lease.words import ReleaseStatus, RenewStatus

if TYPE_CHECKING:
    from neo_core.lease.holdfile import HoldFile
    from neo_core.lease.record import Lease
    from neo_core.lease.store import LeaseStore


_left: dict[str, float] = {}


def left_before(path: str, now: float) -> float:
    """Return how many (monotonic) seconds ago this process released the lease at ``path``."""
    return abs(now - _left.get(path, -math.inf))


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
                self.lease, self._written = renewed, store.file.written
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
            _left[self._store.path] = self._store.clock.monotonic()

    def _remove_record(self) -> ReleaseStatus:
        store = self._store
        try:
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
        except GuardTimeoutError as error:
            raise guard_error(store.path) from error
        except OSError as error:
            raise write_error(store.path, error) from error
