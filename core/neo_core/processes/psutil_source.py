"""Processes where there is no /proc (macOS), read through psutil."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
import time
from contextlib import suppress

import psutil

from neo_core.processes.source import LockedName, ProcessInfo, ProcessMemory

_GONE = (psutil.NoSuchProcess, psutil.ZombieProcess)


class PsutilSource:
    """A ``ProcessSource`` over psutil; start times are microseconds since the epoch."""

    def boot_id(self) -> str:
        """Return macOS's boot session id; empty elsewhere, where it cannot be known through psutil."""
        return _boot_session() if sys.platform == "darwin" else ""

    def pid_namespace(self) -> str:
        """Return empty: there is one namespace."""
        return ""

    def start_time(self, pid: int) -> int | None:
        """Return the creation time; ``None`` for no process or a zombie."""
        if pid <= 0:
            return None
        try:
            process = psutil.Process(pid)
            return None if process.status() == psutil.STATUS_ZOMBIE else _started(process)
        except _GONE:
            return None
        except psutil.Error as error:
            raise PermissionError(errno.EACCES, f"process {pid} cannot be read: {error}") from error

    def scan(self) -> dict[int, ProcessInfo]:
        """Return every process; those that cannot be read stand with zero memory."""
        found: dict[int, ProcessInfo] = {}
        for process in psutil.process_iter(["ppid", "name", "memory_info", "cpu_times", "status"]):
            told = process.info
            memory, cpu = told["memory_info"], told["cpu_times"]
            try:
                started = _started(process)
            except psutil.NoSuchProcess:
                continue
            except psutil.Error:
                started = 0
            found[process.pid] = ProcessInfo(
                pid=process.pid,
                ppid=told["ppid"] or 0,
                session=_session(process.pid),
                name=told["name"] or "?",
                start_time=started,
                rss=memory.rss if memory else 0,
                cpu=cpu.user + cpu.system if cpu else 0.0,
                zombie=told["status"] == psutil.STATUS_ZOMBIE,
            )
        return found

    def own_pids(self) -> list[int]:
        """Return the pids whose processes run as our effective user."""
        user = os.geteuid()
        own: list[int] = []
        for process in psutil.process_iter():
            try:
                if process.uids().effective == user:
                    own.append(process.pid)
            except psutil.Error:
                continue
        return own

    def environ(self, pid: int) -> bytes | None:
        """Return the environment as far as the system shows it."""
        try:
            pairs = psutil.Process(pid).environ()
        except _GONE as error:
            raise ProcessLookupError(pid) from error
        except (psutil.Error, OSError):
            return None
        return b"\0".join(os.fsencode(f"{name}={value}") for name, value in pairs.items())

    def keeps_lock(self, pid: int, device: int, inode: int) -> bool | None:
        """Return whether one of the process's open files is that one; psutil does not tell locks from mere opens."""
        try:
            files = psutil.Process(pid).open_files()
        except _GONE:
            return False
        except (psutil.Error, OSError):
            return None
        return any(_same_file(file.path, device, inode) for file in files)

    def locked_names(self, _pid: int, _name: str) -> list[LockedName] | None:
        """Return that it cannot be known: psutil tells neither locks nor the names of removed files."""
        return None

    def command_line(self, pid: int) -> str:
        """Return the arguments, joined by spaces."""
        try:
            return " ".join(psutil.Process(pid).cmdline())
        except (psutil.Error, OSError):
            return ""

    def pss(self, pid: int) -> int | None:
        """Return the proportional set size where psutil knows it."""
        memory = self.memory(pid)
        return None if memory is None else memory.pss

    def memory(self, pid: int) -> ProcessMemory | None:
        """Return what psutil knows; macOS tells no proportional set size, and nothing is made up for it."""
        try:
            told = psutil.Process(pid).memory_full_info()
        except (psutil.Error, OSError):
            return None
        pss = getattr(told, "pss", None)
        if pss is None:
            return None
        return ProcessMemory(
            int(pss), int(getattr(told, "uss", 0)), int(getattr(told, "shared", 0)), int(getattr(told, "swap", 0))
        )

    def age(self, start_time: int) -> float | None:
        """Return seconds since creation, by the wall clock."""
        return max(0.0, time.time() - start_time / 1_000_000)


def _started(process: psutil.Process) -> int:
    """Return microseconds since the epoch, as the kernel noted them when the process began.

    On macOS ``create_time`` follows later changes of the system clock, and each process that asks gets its own answer.
    """
    seconds: float | None = None
    if sys.platform == "darwin":
        with suppress(AttributeError, TypeError):
            seconds = process._proc.create_time(monotonic=True)  # noqa: SLF001 - no public way
    if seconds is None:
        seconds = float(process.create_time())
    return round(seconds * 1_000_000)


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return 0


def _same_file(path: str, device: int, inode: int) -> bool:
    try:
        status = os.stat(path)
    except OSError:
        return False
    return status.st_ino == inode and status.st_dev == device


def _boot_session() -> str:
    """Ask ``sysctl kern.bootsessionuuid`` through libc; empty when the call does not exist."""
    try:
        libc = ctypes.CDLL(None)
        size = ctypes.c_size_t(64)
        value = ctypes.create_string_buffer(size.value)
        answered = libc.sysctlbyname(b"kern.bootsessionuuid", value, ctypes.byref(size), None, ctypes.c_size_t(0))
    except (OSError, AttributeError):
        return ""
    return value.value.decode("ascii", "replace") if answered == 0 else ""
