"""Borrowing: a start whose environment carries the token of the active lease runs under it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from neo_core.lease.words import GENERATION, INHERITED_TOKEN, HolderState, RecordStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from neo_core.lease.inspect import Inspection
    from neo_core.lease.record import Lease
    from neo_core.lease.store import LeaseStore


def inherited_token(environment: Mapping[str, str] | None = None) -> str:
    """Return the token in the environment; empty for none."""
    return (os.environ if environment is None else environment).get(INHERITED_TOKEN, "")


def inherited_lease(store: LeaseStore, environment: Mapping[str, str] | None = None) -> Lease | None:
    """Return the lease this start borrows, or ``None``: then it acquires like everybody else."""
    token = inherited_token(environment)
    return borrowable(store.inspect(), token) if token else None


def borrowable(seen: Inspection, token: str) -> Lease | None:
    """Return the lease in ``seen`` when ``token`` is its own and its holder lives; a dead parent lends nothing."""
    lease = seen.lease
    if not token or lease is None or lease.token != token or seen.status is not RecordStatus.ACTIVE:
        return None
    return None if seen.holder in (HolderState.DEAD, HolderState.ORPHANED) else lease


def kept_descriptors(lease: Lease) -> tuple[int, ...]:
    """Return our descriptors of the locked hold file of ``lease``, to be passed on to what borrows from us."""
    hold = lease.holder.hold if lease.holder else None
    if hold is None:
        return ()
    found: list[int] = []
    for name in os.listdir("/dev/fd"):
        try:
            status = os.fstat(int(name))
        except (OSError, ValueError):
            continue
        if (status.st_dev, status.st_ino) == hold:
            found.append(int(name))
    return tuple(found)


def without_lease(environment: Mapping[str, str]) -> dict[str, str]:
    """Return ``environment`` without what only a process of the holder's tree may carry."""
    return {name: value for name, value in environment.items() if name not in (INHERITED_TOKEN, GENERATION)}
