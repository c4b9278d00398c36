"""One pass over the machine: every process, what those of ours say about themselves, who has the services' ports."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from neo_core.processes.listening import listeners_on
from neo_core.runs.spawn import INDEPENDENT_MODULES
from neo_core.services.ports import taken_by
from neo_core.strays.marks import Marks, read_marks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from neo_core.processes.listening import Listener
    from neo_core.processes.source import ProcessInfo, ProcessSource
    from neo_core.services.catalogue import Service

_KERNEL = 2  # the parent of the kernel's own threads on Linux
_PROGRAMS = frozenset({"neo-console", "neo-orchestrator"})
_MODULES = frozenset({*INDEPENDENT_MODULES, "neo_console.cli.main", "neo_console"})
_PROGRAM_WORDS = 4  # interpreter, an option or two, script


class Look(NamedTuple):
    """What one pass saw.

    ``marks`` are those of the processes that carry any, ``independent`` the runners, orchestrators and consoles among
    them. ``listeners`` are by service; ``deaf`` names the services whose port could not be looked at.
    """

    processes: Mapping[int, ProcessInfo]
    marks: Mapping[int, Marks]
    independent: frozenset[int] = frozenset()
    listeners: Mapping[str, tuple[Listener, ...]] = {}
    deaf: tuple[str, ...] = ()
    looked_at: int = 0
    unreadable: int = 0
    others: int = 0
    me: int = 0


def take_look(
    source: ProcessSource,
    services: Iterable[Service],
    *,
    listening: Callable[[int], list[Listener]] = listeners_on,
) -> Look:
    """Look at every process once, and at the ports of ``services``. Raises ``OSError`` when nothing can be listed.

    Reads one environment per process of this user: some 20 microseconds each.
    """
    processes = source.scan()
    own = [pid for pid in source.own_pids() if pid in processes and not processes[pid].zombie]
    marks: dict[int, Marks] = {}
    unreadable = 0
    for pid in own:
        told = _marks(pid, processes[pid], source)
        if told is None:
            unreadable += 1
        elif told.marked:
            marks[pid] = told
    listeners, deaf = _listeners(services, listening)
    known = set(own)
    return Look(
        processes=processes,
        marks=marks,
        independent=frozenset(pid for pid in marks if is_independent(source.command_line(pid))),
        listeners=listeners,
        deaf=deaf,
        looked_at=len(own) - unreadable,
        unreadable=unreadable,
        others=sum(_foreign(info) for pid, info in processes.items() if pid not in known),
        me=os.getpid(),
    )


def is_independent(command: str) -> bool:
    """Return whether a command line is that of a runner, an orchestrator or a console: they live for themselves."""
    words = command.split()[:_PROGRAM_WORDS]
    return any(word in _MODULES or word.rsplit("/", 1)[-1] in _PROGRAMS for word in words)


def another_owner(state: str) -> str:
    """Return whose processes would have to be looked at and cannot; empty when the state folder is ours."""
    try:
        owner = os.stat(state).st_uid  # noqa: PTH116 - Path.stat says no more
    except OSError:
        return ""
    hidden = owner != os.geteuid()
    return f"the workspace is of user {owner}, whose processes do not show us what they are for" if hidden else ""


def _marks(pid: int, info: ProcessInfo, source: ProcessSource) -> Marks | None:
    """Return the markers of exactly that process; ``None`` when it does not show them."""
    try:
        environment = source.environ(pid)
        if environment is not None and source.start_time(pid) != info.start_time:
            return Marks()  # another process by now: the next look sees it
    except (ProcessLookupError, PermissionError):
        return Marks()
    return None if environment is None else read_marks(environment)


def _foreign(info: ProcessInfo) -> bool:
    return not info.zombie and _KERNEL not in (info.pid, info.ppid)


def _listeners(
    services: Iterable[Service], listening: Callable[[int], list[Listener]]
) -> tuple[dict[str, tuple[Listener, ...]], tuple[str, ...]]:
    found: dict[str, tuple[Listener, ...]] = {}
    deaf: list[str] = []
    for service in services:
        if service.port is None:
            continue
        try:
            heard = listening(service.port)
        except OSError:
            deaf.append(service.name)
            continue
        found[service.name] = tuple(taken_by(service, look=lambda _port, heard=heard: heard))  # type: ignore[misc]
    return found, tuple(deaf)
