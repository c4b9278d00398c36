"""The hold file: whoever has its kernel lock holds the lease, for us, until the last process with the descriptor ends.

It carries numbers that must outlive every record: the generation (how often this lease was acquired, for ever), when a
record was last recovered (milliseconds since the epoch), and the file's own inode. By that a file that is new here,
made or copied after the one before was lost, is known from one through which the lease was taken already. A file that
was brought back (renamed, or copied onto a freed inode of that number) has its change time against it. Behind the
numbers stands where the file was when the lease was first taken through it, to know it by after it was moved away.
"""

from __future__ import annotations

import os

from neo_core.lease.guard import LockedFile, take_flock

_WIDTH = 20
_COUNTS = 2
_NO_INODE = 0
_MAX_PLACE = 4096  # bytes; the longest path there is
_SIZE = (_COUNTS + 1) * (_WIDTH + 1)


class HoldFile(LockedFile):
    """The locked hold file of this process; its numbers are read once, because only who has the lock writes them."""

    __slots__ = ("_known", "_new", "path")

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor)
        self._known: tuple[int, int] | None = None
        self._new = False
        self.path = ""

    @classmethod
    def take(cls, path: str) -> HoldFile | None:
        """Take the lock without waiting; ``None`` when another process has it. Raises ``OSError``."""
        hold = take_flock(path, cls)
        if hold is not None:
            hold.path = path
        return hold

    @property
    def is_known(self) -> bool:
        """Whether the lease was taken through this very file before; else who has it may have locked another one."""
        self._new = not _is_known(os.pread(self.descriptor, _SIZE, 0), os.fstat(self.descriptor))
        return not self._new

    def next_generation(self, after: int = 0, *, new: bool = False) -> int:
        """Count this acquisition, beyond ``after``, and make the file known.

        It stays ``new`` where who works has another one locked, the one before it.
        """
        generation, recovered = self._numbers()
        generation = max(generation, after) + 1
        self._write(generation, recovered, _NO_INODE if new else self.identity[1])
        return generation

    def mark_recovery(self, now: float) -> None:
        """Remember that a record was recovered at ``now`` seconds since the epoch."""
        generation, _ = self._numbers()
        self._write(generation, max(0, int(now * 1000)), self.identity[1])

    def recovered_at(self) -> float:
        """Return when a record was last recovered, in seconds since the epoch; 0 for never."""
        return self._numbers()[1] / 1000

    def _numbers(self) -> tuple[int, int]:
        if self._known is None:
            self._known = self._read()
        return self._known

    def _read(self) -> tuple[int, int]:
        """Return both numbers; a damaged file goes on from its own time, which no count has reached."""
        parts = os.pread(self.descriptor, _SIZE, 0).split()
        if not parts:
            return 0, 0
        counts = parts[:_COUNTS]
        if len(counts) == _COUNTS and all(len(one) == _WIDTH and one.isdigit() for one in counts):
            return int(counts[0]), int(counts[1])
        milliseconds = int(os.fstat(self.descriptor).st_mtime * 1000)
        return milliseconds, milliseconds

    def _write(self, generation: int, recovered: int, inode: int) -> None:
        self._known = None
        if self._new:
            self._write_place()
        os.pwrite(self.descriptor, b"%020d %020d %020d\n" % (generation, recovered, inode), 0)
        self._known = (generation, recovered)

    def _write_place(self) -> None:
        folder, name = os.path.split(self.path)  # not where it is: it may have been moved away since it was opened
        os.ftruncate(self.descriptor, min(_SIZE, os.fstat(self.descriptor).st_size))
        os.pwrite(self.descriptor, os.fsencode(f"{os.path.realpath(folder)}/{name}"), _SIZE)
        self._new = False


def place_of(path: str) -> str:
    """Return where the hold file that is at ``path`` now was when it was new; empty where that cannot be known."""
    try:
        with open(path, "rb", buffering=0, opener=_open_warily) as file:
            file.seek(_SIZE)
            return os.fsdecode(file.read(_MAX_PLACE))
    except OSError:
        return ""


def is_known_hold(path: str) -> bool:
    """Return whether the lease was taken through the hold file that is at ``path`` now; takes no lock."""
    try:
        descriptor = _open_warily(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return _is_known(os.read(descriptor, _SIZE), os.fstat(descriptor))
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _is_known(content: bytes, status: os.stat_result) -> bool:
    # Our writes set both times to the same instant; a rename, a link or a restored backup moves the change time only.
    if status.st_ctime_ns != status.st_mtime_ns:
        return False
    parts = content.split()
    return len(parts) > _COUNTS and parts[_COUNTS] == b"%020d" % status.st_ino


def _open_warily(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
