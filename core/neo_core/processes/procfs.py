"""Processes on Linux, read from /proc without a library: the lease and the wrapper must start fast."""

from __future__ import annotations

import errno
import os
import time
from typing import NamedTuple

from neo_core.processes.source import LockedName, ProcessInfo, ProcessMemory

_DEAD = (b"Z", b"X", b"x")
_KERNEL_THREAD = 0x00200000
_EXEC_LOOKS, _EXEC_PAUSE = 500, 0.001
_SETTLED_LOOKS = 3  # an environment may be there but not yet measured, or set just after we read it
_GONE = (FileNotFoundError, ProcessLookupError)
_CHUNK = 65_536

# What the kernel never changes for a living process, by pid; a forked child, whatever its pid, starts without.
_our_start: dict[int, int] = {}
_our_namespace: dict[int, str] = {}
os.register_at_fork(after_in_child=_our_start.clear)
os.register_at_fork(after_in_child=_our_namespace.clear)


class _Stat(NamedTuple):
    name: str
    gone: bool
    ppid: int
    session: int
    ticks: int
    start_time: int
    rss_pages: int
    major_faults: int


class ProcFs:
    """A ``ProcessSource`` over /proc (``root`` is a fixture tree in tests)."""

    def __init__(self, root: str = "/proc") -> None:
        self._root = root
        self._live = root == "/proc"
        self._page = os.sysconf("SC_PAGE_SIZE")
        self._hertz = os.sysconf("SC_CLK_TCK")
        self._boot_id: str | None = None

    def boot_id(self) -> str:
        """Return the kernel's random boot id."""
        if self._boot_id is None:
            try:
                self._boot_id = self._read("sys/kernel/random/boot_id").decode("ascii", "replace").strip()
            except OSError:
                self._boot_id = ""
        return self._boot_id

    def pid_namespace(self) -> str:
        """Return the inode of our pid namespace, as ``pid:[4026531836]``."""
        ours = os.getpid()
        known = _our_namespace.get(ours) if self._live else None
        if known is not None:
            return known
        try:
            told = os.readlink(f"{self._root}/self/ns/pid")
        except OSError:
            return ""
        if self._live:
            _our_namespace[ours] = told
        return told

    def start_time(self, pid: int) -> int | None:
        """Return the start time in clock ticks since boot; ``None`` for no process or a zombie."""
        if pid <= 0:
            return None
        ours = self._live and pid == os.getpid()
        if ours and pid in _our_start:
            return _our_start[pid]
        for _ in range(2):
            stat = self._stat(pid)
            if stat is not None:
                if ours:
                    _our_start[pid] = stat.start_time
                return None if stat.gone else stat.start_time
            if not self._is_hidden(pid):
                return None
        raise PermissionError(errno.EACCES, f"process {pid} lives, but {self._root} does not show it")

    def scan(self) -> dict[int, ProcessInfo]:
        """Return every process from one pass over the stat files."""
        found: dict[int, ProcessInfo] = {}
        for pid in self._pids():
            stat = self._stat(pid)
            if stat is not None:
                found[pid] = ProcessInfo(
                    pid=pid,
                    ppid=stat.ppid,
                    session=stat.session,
                    name=stat.name,
                    start_time=stat.start_time,
                    rss=stat.rss_pages * self._page,
                    cpu=stat.ticks / self._hertz,
                    zombie=stat.gone,
                    major_faults=stat.major_faults,
                )
        return found

    def own_pids(self) -> list[int]:
        """Return the pids whose processes run as our effective user."""
        user = os.geteuid()
        own: list[int] = []
        for pid in self._pids():
            try:
                if os.stat(f"{self._root}/{pid}").st_uid == user:
                    own.append(pid)
            except OSError:
                continue
        return own

    def environ(self, pid: int) -> bytes | None:
        """Return the environment the process was started with.

        A process in the middle of its exec has lost the old one and shows none yet: worth a short wait, because who
        looks for the children of a run that was just killed comes at that very moment.
        """
        settled = 0
        for _ in range(_EXEC_LOOKS):
            try:
                environment = self._read(f"{pid}/environ")
            except _GONE as error:
                raise ProcessLookupError(pid) from error
            except OSError:
                return None
            end = -1 if environment else self._environment_end(pid)
            settled += end != 0
            if end < 0 or settled > _SETTLED_LOOKS:
                return environment
            time.sleep(_EXEC_PAUSE)
        return None

    def keeps_lock(self, pid: int, device: int, inode: int) -> bool | None:
        """Return whether one of the process's descriptors is that file and carries a flock.

        The kernel lists a flock under every descriptor that shares the open file, whoever took it.
        """
        try:
            names = os.listdir(f"{self._root}/{pid}/fd")
        except _GONE:
            return False
        except OSError:
            return None
        return any(self._locked_descriptor(pid, name, device, inode) for name in names)

    def locked_names(self, pid: int, name: str) -> list[LockedName] | None:
        """Return the files of the process's flocked descriptors whose name begins, or began, with ``name``."""
        try:
            numbers = os.listdir(f"{self._root}/{pid}/fd")
        except _GONE:
            return []
        except OSError:
            return None
        return [found for number in numbers if (found := self._locked_name(pid, number, name))]

    def command_line(self, pid: int) -> str:
        """Return the arguments, joined by spaces."""
        try:
            raw = self._read(f"{pid}/cmdline")
        except OSError:
            return ""
        return raw.rstrip(b"\0").replace(b"\0", b" ").decode("utf-8", "replace")

    def pss(self, pid: int) -> int | None:
        """Return the proportional set size from smaps_rollup."""
        memory = self.memory(pid)
        return None if memory is None else memory.pss

    def memory(self, pid: int) -> ProcessMemory | None:
        """Return the sums of smaps_rollup."""
        try:
            rollup = self._read(f"{pid}/smaps_rollup")
        except OSError:
            return None
        sums: dict[bytes, int] = {}
        for line in rollup.splitlines():
            words = line.split()
            if len(words) == 3 and words[2] == b"kB":
                sums[words[0]] = int(words[1]) * 1024
        if b"Pss:" not in sums:
            return None
        return ProcessMemory(
            pss=sums[b"Pss:"],
            anonymous=sums.get(b"Anonymous:", 0),
            shared=sums.get(b"Shared_Clean:", 0) + sums.get(b"Shared_Dirty:", 0),
            swap=sums.get(b"SwapPss:", sums.get(b"Swap:", 0)),
        )

    def age(self, start_time: int) -> float | None:
        """Return seconds since the process began, by the clock that counts sleep too."""
        try:
            uptime = float(self._read("uptime").split()[0])
        except (OSError, ValueError, IndexError):
            return None
        return max(0.0, uptime - start_time / self._hertz)

    def _pids(self) -> list[int]:
        return [int(name) for name in os.listdir(self._root) if name.isdigit()]

    def _is_hidden(self, pid: int) -> bool:
        """Return whether a process that has no readable entry exists all the same (/proc mounted with hidepid)."""
        if not self._live:
            return False
        try:
            os.kill(pid, 0)
        except PermissionError:
            return True
        except (ProcessLookupError, OverflowError):
            return False
        return True

    def _environment_end(self, pid: int) -> int:
        """Return where the environment ends in the process's memory: 0 within exec, -1 for who never has one."""
        try:
            line = self._read(f"{pid}/stat")
        except OSError:
            return -1
        fields = line[line.rfind(b")") + 2 :].split()
        if len(fields) < 49 or fields[0] in _DEAD or int(fields[6]) & _KERNEL_THREAD:
            return -1
        return int(fields[48])

    def _locked_name(self, pid: int, number: str, name: str) -> LockedName | None:
        """Return the file of one descriptor if its name begins with ``name`` and it is flocked; else nothing."""
        descriptor = f"{self._root}/{pid}/fd/{number}"
        try:
            shown = os.readlink(descriptor)
            if not os.path.basename(shown).startswith(name):
                return None
            if b"FLOCK" not in self._read(f"{pid}/fdinfo/{number}"):
                return None
            status = os.stat(descriptor)
        except OSError:  # closed meanwhile
            return None
        return LockedName(shown, status.st_dev, status.st_ino, descriptor)

    def _locked_descriptor(self, pid: int, name: str, device: int, inode: int) -> bool:
        try:
            status = os.stat(f"{self._root}/{pid}/fd/{name}")
            if status.st_ino != inode or status.st_dev != device:
                return False
            return b"FLOCK" in self._read(f"{pid}/fdinfo/{name}")
        except OSError:
            return False

    def _read(self, name: str) -> bytes:
        with open(f"{self._root}/{name}", "rb", buffering=0) as file:
            content = chunk = file.read(_CHUNK)
            while chunk:  # to its end: the kernel may give less than was asked for
                chunk = file.read(_CHUNK)
                content += chunk
        return content

    def _stat(self, pid: int) -> _Stat | None:
        """Read one stat line; the name stands in parentheses and may itself hold any of them."""
        try:
            line = self._read(f"{pid}/stat")
        except OSError:
            return None
        opening, closing = line.find(b"("), line.rfind(b")")
        fields = line[closing + 2 :].split()
        if opening < 0 or len(fields) < 22:
            return None
        return _Stat(
            name=line[opening + 1 : closing].decode("utf-8", "replace"),
            # A leader that ended before its threads is shown as a zombie, but its process still works.
            gone=fields[0] in _DEAD and int(fields[17]) <= 1,
            ppid=int(fields[1]),
            session=int(fields[3]),
            ticks=int(fields[11]) + int(fields[12]),
            start_time=int(fields[19]),
            rss_pages=int(fields[21]),
            major_faults=int(fields[9]),
        )
