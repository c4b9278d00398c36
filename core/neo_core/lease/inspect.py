"""Reading the lease: no locks, never a change, every input a defined status."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from neo_core.errors import describe_os_error
from neo_core.lease.carriers import NOBODY, CarrierScan, find_carriers, find_forgotten, task_of
from neo_core.lease.record import Holder, Lease, decode, host_name
from neo_core.lease.words import BUSY_FOR, MAX_RECORD_BYTES, HolderState, RecordStatus

if TYPE_CHECKING:
    from neo_core.clock import Clock
    from neo_core.processes.source import ProcessSource


_KIND, _REGULAR = 0o170000, 0o100000


class Fingerprint(NamedTuple):
    """Exactly one state of one file; a rename keeps it, any other change does not."""

    device: int
    inode: int
    modified: int
    size: int
    content: bytes


class Inspection(NamedTuple):
    """What reading the record told.

    ``holder`` is ``None`` where there is no record to have one. ``busy`` marks a record so young and incomplete that
    its foreign writer may still be writing. ``scan`` names who the lease waits for when the holder itself is gone; with
    no ``lease`` its records were lost under these, and ``task`` is what one of them was started for, if it says so.
    """

    status: RecordStatus
    holder: HolderState | None = None
    expired: bool = False
    busy: bool = False
    lease: Lease | None = None
    scan: CarrierScan = NOBODY
    error: str = ""
    fingerprint: Fingerprint | None = None
    task: str = ""

    @property
    def takeable(self) -> bool:
        """Whether an acquire may proceed from here."""
        if self.status is RecordStatus.MALFORMED:
            return not self.busy
        return self.status in (RecordStatus.MISSING, RecordStatus.STALE)


NOTHING = Inspection(RecordStatus.MISSING)


def inspect_lease(
    path: str, source: ProcessSource, clock: Clock, *, holding: tuple[int, int] | None = None
) -> Inspection:
    """Judge the record at ``path``.

    ``holding`` is the (device, inode) of the hold file whose kernel lock the caller has: a record taken through that
    very file has a dead holder by definition.
    """
    try:
        fingerprint = read_record(path)
    except FileNotFoundError:
        return NOTHING
    except OSError as error:
        return Inspection(RecordStatus.UNREADABLE, error=describe_os_error(error))
    lease = decode(fingerprint.content)
    if lease is None:
        young = abs(clock.now() - fingerprint.modified / 1e9) < BUSY_FOR
        return Inspection(RecordStatus.MALFORMED, busy=young, fingerprint=fingerprint)
    return _judge(lease, fingerprint, source, clock, holding)


def inspect_forgotten(seen: Inspection, path: str, source: ProcessSource, hold: tuple[int, int] | None) -> Inspection:
    """Return ``seen``, or where somebody works on under a hold file that the lease had before ``hold``, that."""
    try:
        scan = find_forgotten(source, path, hold=hold)
    except OSError as error:
        return Inspection(RecordStatus.ACTIVE, HolderState.UNKNOWN, error=describe_os_error(error))
    if not scan.carriers:
        return seen
    # What a run started names its task; its runner, which does not, ends by itself when that has.
    named = sorted(((task_of(source, one.pid), one) for one in scan.carriers), key=lambda one: not one[0])
    scan = scan._replace(carriers=tuple(one for _, one in named))
    return Inspection(RecordStatus.ACTIVE, HolderState.ORPHANED, scan=scan, task=named[0][0])


def read_record(path: str) -> Fingerprint:
    """Read the record without following links, blocking on a FIFO or swallowing an oversized file.

    Raises ``OSError`` with a sentence of its own for what is not a regular file of at most 64 KiB.
    """
    # Looked at before it is opened, because opening a device may already do something; and again after.
    _refuse_odd(os.lstat(path))
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        _refuse_odd(status)
        content = os.read(descriptor, MAX_RECORD_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(content) > MAX_RECORD_BYTES:
        raise OSError(0, f"is growing beyond the {MAX_RECORD_BYTES} bytes that a lease has at most")
    return Fingerprint(status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size, content)


def _judge(
    lease: Lease, fingerprint: Fingerprint, source: ProcessSource, clock: Clock, holding: tuple[int, int] | None
) -> Inspection:
    expired = clock.now() > lease.expires_at
    ours = lease.holder
    state = _foreign_state(lease, source) if ours is None else _our_state(lease, ours, source, holding)
    doubtful = state is HolderState.DEAD or (ours is None and expired)
    hold = ours.hold if ours and ours.hold != holding else None
    # Who is about to take the lease may itself have inherited it from the dead; it does not wait for itself.
    besides = () if holding is None else (os.getpid(),)
    try:
        scan = find_carriers(source, lease.token, hold, besides=besides) if doubtful else NOBODY
    except OSError:
        return Inspection(RecordStatus.ACTIVE, HolderState.UNKNOWN, expired, lease=lease, fingerprint=fingerprint)
    if state is HolderState.DEAD and scan.carriers:
        state = HolderState.ORPHANED
    takeable = doubtful and not scan.carriers
    status = RecordStatus.STALE if takeable else RecordStatus.ACTIVE
    return Inspection(status, state, expired, lease=lease, scan=scan, fingerprint=fingerprint)


def _our_state(lease: Lease, ours: Holder, source: ProcessSource, holding: tuple[int, int] | None) -> HolderState:
    if holding is not None and ours.hold == holding:
        return HolderState.DEAD
    boot = source.boot_id()
    if ours.boot_id != boot or not boot:
        same_host = ours.host == host_name() and bool(boot) and bool(ours.boot_id)
        return HolderState.DEAD if same_host else HolderState.UNKNOWN
    if ours.pid_namespace != source.pid_namespace() or lease.pid is None:
        return HolderState.UNKNOWN
    try:
        return HolderState.ALIVE if source.start_time(lease.pid) == ours.start_time else HolderState.DEAD
    except PermissionError:
        return HolderState.UNKNOWN


def _foreign_state(lease: Lease, source: ProcessSource) -> HolderState:
    if lease.pid is None:
        return HolderState.UNKNOWN
    try:
        return HolderState.DEAD if source.start_time(lease.pid) is None else HolderState.ALIVE
    except PermissionError:
        return HolderState.ALIVE


def _refuse_odd(status: os.stat_result) -> None:
    if status.st_mode & _KIND != _REGULAR:
        raise OSError(0, f"is {_kind(status.st_mode)}, not a regular file")
    if status.st_size > MAX_RECORD_BYTES:
        raise OSError(0, f"is {status.st_size} bytes long; a lease has at most {MAX_RECORD_BYTES}")


def _kind(mode: int) -> str:
    kinds = ((stat.S_ISDIR, "a folder"), (stat.S_ISLNK, "a symbolic link"), (stat.S_ISFIFO, "a FIFO"))
    return next((word for test, word in kinds if test(mode)), "a device or socket")
