"""The only code that changes the lease file: publish, replace, move aside, put back.

Every method is called inside the guard. Two fixed names beside the record, ``.new`` and ``.aside``, are used there
only, so whatever a killed participant left under them is settled by the next one.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from neo_core.lease.explain import unremoved_error
from neo_core.lease.inspect import Fingerprint, Inspection, read_record
from neo_core.lease.record import Lease, decode, new_token
from neo_core.lease.words import MAX_RECORD_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable


_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LOOK = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class RecordFile:
    """The record at ``path``; every method may raise ``OSError``."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._new = f"{path}.new"
        self._aside = f"{path}.aside"
        self.written: Fingerprint | None = None  # what we wrote last

    def read(self) -> Fingerprint | None:
        """Return the file as it is now; ``None`` when there is none."""
        try:
            return read_record(self._path)
        except FileNotFoundError:
            return None

    def unchanged(self, written: Fingerprint | None) -> Fingerprint | None:
        """Return ``written`` when the record is still that very file and not written to since: no look into it.

        What only seems the same, ``remove`` finds out: it compares every byte after the move.
        """
        try:
            return written if written is not None and _is_file(self._path, written) else None
        except FileNotFoundError:
            return None

    def current(self) -> tuple[Fingerprint, Lease] | None:
        """Return the record as it is now; ``None`` when there is none or it is malformed."""
        fingerprint = self.read()
        lease = decode(fingerprint.content) if fingerprint else None
        return (fingerprint, lease) if fingerprint and lease else None

    def has_leftover(self) -> bool:
        """Return whether a record lies aside that a killed participant moved there."""
        return os.path.lexists(self._aside)

    def is_clear(self) -> bool:
        """Return whether there is neither a record nor one aside, which is how most acquisitions begin."""
        for path in (self._aside, self._path):
            try:
                os.lstat(path)
            except FileNotFoundError:
                continue
            except OSError:  # told, and how, by who judges it
                return False
            return False
        return True

    def settle_leftovers(self, judge: Callable[[str], Inspection]) -> None:
        """Finish what a participant killed inside the guard left: a record moved aside goes back if it may be alive."""
        self._drop_new()
        try:
            os.lstat(self._aside)
        except FileNotFoundError:
            return
        if judge(self._aside).takeable:
            with suppress(FileNotFoundError):
                os.unlink(self._aside)
        else:
            self._put_back()

    def publish(self, lease: Lease) -> bool:
        """Let the complete record appear under its name at once; return false when a record is already there."""
        self._write_new(lease)
        try:
            os.link(self._new, self._path)
        except FileExistsError:
            return False
        finally:
            os.unlink(self._new)
        return True

    def replace(self, lease: Lease) -> None:
        """Write the record anew over its name, at once."""
        self._write_new(lease)
        os.rename(self._new, self._path)

    def remove(self, judged: Fingerprint) -> bool:
        """Remove the record if it is exactly the one that was judged; anything else goes back untouched.

        Return whether the judged record is gone. Raises ``LeaseError`` when it cannot be read to be compared.
        """
        try:
            os.rename(self._path, self._aside)
        except FileNotFoundError:
            return True
        try:
            same = self._is_aside(judged)
        except OSError as error:
            self._put_back()
            raise unremoved_error(self._path, error) from error
        if same:
            os.unlink(self._aside)
        else:
            self._put_back()
        return same

    def _is_aside(self, judged: Fingerprint) -> bool:
        """Return whether what was moved is the judged record, to the byte; nobody else uses the name it has now."""
        if not _is_file(self._aside, judged):
            return False
        descriptor = os.open(self._aside, _LOOK)
        try:
            return os.read(descriptor, judged.size + 1) == judged.content
        finally:
            os.close(descriptor)

    def _put_back(self) -> None:
        """Give what was moved its name back; if something new took the name meanwhile, keep it under one of its own."""
        try:
            os.link(self._aside, self._path, follow_symlinks=False)
        except OSError:
            if not os.path.lexists(self._path):
                os.rename(self._aside, self._path)
            elif os.path.samestat(os.lstat(self._aside), os.lstat(self._path)):
                os.unlink(self._aside)
            else:
                os.rename(self._aside, f"{self._aside}-{new_token()}")
        else:
            os.unlink(self._aside)

    def _drop_new(self) -> None:
        with suppress(FileNotFoundError):
            os.unlink(self._new)

    def _write_new(self, lease: Lease) -> None:
        """Write the whole record under its private name; a failed write leaves nothing behind."""
        content = lease.encode()
        if len(content) > MAX_RECORD_BYTES:
            raise OSError(errno.EFBIG, f"the record would be {len(content)} bytes long; {MAX_RECORD_BYTES} are allowed")
        try:
            descriptor = os.open(self._new, _FLAGS, 0o600)
        except FileExistsError:
            self._drop_new()
            descriptor = os.open(self._new, _FLAGS, 0o600)
        try:
            if os.write(descriptor, content) != len(content):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            status = os.fstat(descriptor)
        except BaseException:
            os.unlink(self._new)
            raise
        finally:
            os.close(descriptor)
        self.written = Fingerprint(status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size, content)


def _is_file(path: str, known: Fingerprint) -> bool:
    """Return whether ``path`` is that very file, of the same time and size."""
    now = os.lstat(path)
    told = (now.st_dev, now.st_ino, now.st_mtime_ns, now.st_size)
    return told == (known.device, known.inode, known.modified, known.size)
