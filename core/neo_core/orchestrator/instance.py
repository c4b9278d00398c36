"""One orchestrator per workspace: a lock that the newcomer cannot get, in a file that names who has it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from neo_core import __version__
from neo_core.clock import to_iso
from neo_core.errors import NeoError, describe_os_error
from neo_core.flocks import take_flock
from neo_core.incumbent import Incumbent, read_incumbent
from neo_core.processes.source import ProcessIdentity, identity_of

if TYPE_CHECKING:
    from pathlib import Path

    from neo_core.clock import Clock
    from neo_core.processes.source import ProcessSource
    from neo_core.workspace import Workspace


class IncumbentError(NeoError):
    """Another orchestrator runs in this workspace."""

    exit_code = 3

    @classmethod
    def of(cls, workspace: Workspace, incumbent: Incumbent | None) -> IncumbentError:
        """Return the error that names ``incumbent``, who has the lock; ``None`` for one that is only starting."""
        if incumbent is None:
            cause = "is just starting in another process, or a service is just being stopped without one"
            mend = f"Try again in a moment (lock {workspace.orchestrator_lock})."
        else:
            cause = f"runs already: pid {incumbent.pid} since {to_iso(incumbent.since)}"
            mend = f"Stop it with: neo-console orchestrator stop (or kill {incumbent.pid})."
        return cls(f"orchestrator of {workspace.root}", cause, mend)


class _Content(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What the file says; ``neo_core.incumbent`` reads it."""

    pid: int
    start_time: int
    boot_id: str
    since: str
    version: str = ""


class InstanceLock:
    """The lock, while this process has it. Its descriptor is closed in every program that we start."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor
        self._content = b""

    def announce(self, myself: ProcessIdentity, since: float) -> None:
        """Write down who we are, once we are ready to be spoken to. Raises ``OSError``."""
        content = _Content(
            pid=myself.pid,
            start_time=myself.start_time,
            boot_id=myself.boot_id,
            since=to_iso(since),
            version=__version__,
        )
        self._content = msgspec.json.encode(content) + b"\n"
        self._write()

    def beat(self) -> bool:
        """Note that we have polled; false when the file is no longer the one at its place, and our lock worth nothing.

        Raises ``OSError``.
        """
        os.utime(self._descriptor)
        mine = os.fstat(self._descriptor)
        if mine.st_size != len(self._content):
            self._write()
        try:
            there = self._path.lstat()
        except FileNotFoundError:
            return False
        return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)

    def release(self) -> None:
        """Let the next one have it; the file stays and says who was the last. Idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _write(self) -> None:
        os.pwrite(self._descriptor, self._content, 0)
        os.ftruncate(self._descriptor, len(self._content))


def take_instance_lock(workspace: Workspace, source: ProcessSource) -> InstanceLock:
    """Become the one orchestrator of a workspace.

    Raises ``IncumbentError`` naming who is, and ``NeoError`` when the lock's file cannot be used.
    """
    path = workspace.orchestrator_lock
    try:
        descriptor = take_flock(path)
    except BlockingIOError as error:
        raise _taken(workspace, source) from error
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        os.ftruncate(descriptor, 0)
    except OSError as error:
        os.close(descriptor)
        raise _unusable(path, error) from error
    return InstanceLock(path, descriptor)


def identity_here(source: ProcessSource, clock: Clock) -> ProcessIdentity:
    """Return our own identity, by the clock where the system would not tell it."""
    return identity_of(os.getpid(), source) or ProcessIdentity(os.getpid(), int(clock.now()), source.boot_id())


def _taken(workspace: Workspace, source: ProcessSource) -> IncumbentError:
    try:
        incumbent = read_incumbent(workspace, source)
    except NeoError:
        incumbent = None
    return IncumbentError.of(workspace, incumbent if incumbent is not None and incumbent.alive else None)


def _unusable(path: Path, error: OSError) -> NeoError:
    return NeoError(f"lock {path}", f"cannot be used: {describe_os_error(error)}", "Make it a file of yours.")
