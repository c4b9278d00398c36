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
    """The locked hold file of this process; it is read once, because only who has the lock writes it.

    ``known`` says whether the lease was taken through this very file, at this place, before it was locked now; else who
    has it may have locked another one.
    """

    __slots__ = ("_numbers", "_placed", "_status", "known", "path")

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor)
        self._status: os.stat_result | None = None
        self._numbers = (0, 0)
        self.known = self._placed = False
        self.path = ""

    @classmethod
    def take(cls, path: str) -> HoldFile | None:
        """Take the lock without waiting; ``None`` when another process has it. Raises ``OSError``."""
        hold = take_flock(path, cls)
        if hold is not None:
            hold.path = path
            try:
                hold.read()
            except OSError:
                hold.close()  # not when the error is forgotten
                raise
        return hold

    def look(self) -> os.stat_result:
        """Do as any locked file does, and keep the status for ``read``."""
        self._status = super().look()
        return self._status

    def next_generation(self, after: int = 0, *, new: bool = False) -> int:
        """Count this acquisition, beyond ``after``, and make the file known to who locks it next.

        It stays ``new`` where who works has another one locked, the one before it.
        """
        generation, recovered = self._numbers
        generation = max(generation, after) + 1
        self._write(generation, recovered, _NO_INODE if new else self.identity[1])
        return generation

    def mark_recovery(self, now: float) -> None:
        """Remember that a record was recovered at ``now`` seconds since the epoch."""
        self._write(self._numbers[0], max(0, int(now * 1000)), self.identity[1])

    def recovered_at(self) -> float:
        """Return when a record was last recovered, in seconds since the epoch; 0 for never."""
        return self._numbers[1] / 1000

    def read(self) -> None:
        """Read what the file knows; a damaged one goes on from its own time, which no count has reached."""
        content, status = os.pread(self.descriptor, _SIZE + _MAX_PLACE, 0), self._status or self.look()
        self.known = self._placed = _is_known(content, status, self.path)
        parts = content[:_SIZE].split()
        counts = parts[:_COUNTS]
        if len(counts) == _COUNTS and all(len(one) == _WIDTH and one.isdigit() for one in counts):
            self._numbers = int(counts[0]), int(counts[1])
        elif parts:
            milliseconds = int(status.st_mtime * 1000)
            self._numbers = milliseconds, milliseconds

    def _write(self, generation: int, recovered: int, inode: int) -> None:
        if not self._placed:
            self._write_place()
        os.pwrite(self.descriptor, b"%020d %020d %020d\n" % (generation, recovered, inode), 0)
        self._numbers = (generation, recovered)

    def _write_place(self) -> None:
        place = os.fsencode(_place(self.path))  # not where it is: it may have been moved away since it was opened
        os.ftruncate(self.descriptor, min(_SIZE, os.fstat(self.descriptor).st_size))
        os.pwrite(self.descriptor, place, _SIZE)
        self._placed = True


def place_of(opened: str) -> str:
    """Return where the hold file that ``opened`` leads to was when it was new; empty where that cannot be known."""
    try:
        with open(opened, "rb", buffering=0, opener=_open_warily) as file:
            file.seek(_SIZE)
            return os.fsdecode(file.read(_MAX_PLACE))
    except OSError:
        return ""


def is_known_hold(path: str) -> bool:
    """Return whether the lease was taken through the hold file that is at ``path`` now; takes no lock."""
    try:
        descriptor = _open_warily(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        return _is_known(os.read(descriptor, _SIZE + _MAX_PLACE), os.fstat(descriptor), path)
    except OSError:
        return False
    finally:
        os.close(descriptor)


def _is_known(content: bytes, status: os.stat_result, path: str) -> bool:
    # Our writes set both times to the same instant; a rename, a link or a restored backup moves the change time only.
    if status.st_ctime_ns != status.st_mtime_ns:
        return False
    parts = content[:_SIZE].split()
    if len(parts) <= _COUNTS or parts[_COUNTS] != b"%020d" % status.st_ino:
        return False
    place = os.fsdecode(content[_SIZE:])
    return place == path or place == _place(path)  # the first is usual, and costs nothing


def _place(path: str) -> str:
    folder, name = os.path.split(path)
    return f"{os.path.realpath(folder)}/{name}"


def _open_warily(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)
