"""Who the orchestrator is, as its lock file names it; reading needs no lock and changes nothing."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from neo_core.clock import from_iso
from neo_core.errors import NeoError, describe_os_error
from neo_core.flocks import take_flock
from neo_core.processes.source import ProcessIdentity, is_alive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neo_core.processes.source import ProcessSource
    from neo_core.workspace import Workspace

_MAX_BYTES = 4096


class Incumbent(msgspec.Struct, frozen=True, kw_only=True):
    """The orchestrator that wrote the lock file; ``since`` and ``beat_at`` (its last poll) are seconds of the epoch."""

    pid: int
    start_time: int
    boot_id: str
    since: float
    beat_at: float
    alive: bool

    @property
    def process(self) -> ProcessIdentity:
        """Its process."""
        return ProcessIdentity(self.pid, self.start_time, self.boot_id)


class _Lock(msgspec.Struct, frozen=True, rename="camel"):
    pid: int
    start_time: int
    boot_id: str
    since: str


def read_incumbent(workspace: Workspace, source: ProcessSource) -> Incumbent | None:
    """Return who wrote the lock file, alive or not; ``None`` when nobody has. Raises ``NeoError`` when unreadable."""
    path = workspace.orchestrator_lock
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            raw, beat_at = os.read(descriptor, _MAX_BYTES), os.fstat(descriptor).st_mtime
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return None
    except OSError as error:
        cause = f"cannot be used: {describe_os_error(error)}"
        raise NeoError(f"lock {path}", cause, "Make it a file of yours.") from error
    line = raw.partition(b"\n")[0]
    if not line:
        return None  # taken, but not yet written
    try:
        told = msgspec.json.decode(line, type=_Lock)
        since = from_iso(told.since)
    except (msgspec.DecodeError, ValueError) as error:
        raise NeoError(f"lock {path}", "does not say who has it", "Remove it while no orchestrator runs.") from error
    process = ProcessIdentity(told.pid, told.start_time, told.boot_id)
    return Incumbent(
        pid=told.pid,
        start_time=told.start_time,
        boot_id=told.boot_id,
        since=since,
        beat_at=beat_at,
        alive=is_alive(process, source),
    )


@contextmanager
def no_orchestrator(workspace: Workspace) -> Iterator[None]:
    """Keep every orchestrator from starting meanwhile; the lock file goes on naming who was the last.

    Raises ``NeoError`` when one runs or is just starting, or somebody else keeps them from it.
    """
    thing = f"lock {workspace.orchestrator_lock}"
    try:
        descriptor = take_flock(workspace.orchestrator_lock)
    except BlockingIOError as error:
        cause = "is taken: an orchestrator is just starting, or a service is just being stopped without one"
        raise NeoError(thing, cause, "Try again in a moment.") from error
    except OSError as error:
        raise NeoError(thing, f"cannot be used: {describe_os_error(error)}", "Make it a file of yours.") from error
    try:
        yield
    finally:
        os.close(descriptor)


def require_keeper(workspace: Workspace, service: str, source: ProcessSource) -> None:
    """Refuse to ask for what nobody would do. Raises ``NeoError`` with the way out while no orchestrator lives."""
    incumbent = read_incumbent(workspace, source)
    if incumbent is None or not incumbent.alive:
        raise NeoError(
            f"service {service}", "has no orchestrator that would act", "Start it: neo-console orchestrator start."
        )
