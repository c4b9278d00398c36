"""Ending a stray tree: asked first, killed after its grace, and never a process that has become something else."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from neo_core.errors import EndedError, NeoError
from neo_core.processes.forest import Forest
from neo_core.processes.source import ProcessIdentity, is_alive
from neo_core.runs.tree import signal_exactly
from neo_core.services.stop import Stopping
from neo_core.snapshot_strays import StrayEnd, StrayStop
from neo_core.strays.look import is_independent

if TYPE_CHECKING:
    from neo_core.clock import Clock
    from neo_core.processes.source import ProcessSource
    from neo_core.snapshot_strays import StraysView, StrayView

GRACE = 5.0
_GIVE_UP = 5.0
_LOOK_EVERY = 0.02


class StrayTree:
    """The members of one stray while it ends: who was seen, and what they start meanwhile."""

    def __init__(self, stray: StrayView, source: ProcessSource) -> None:
        self._source = source
        self._seen = {pid: ProcessIdentity(pid, started, stray.boot_id) for pid, started in stray.members}
        self._spared = frozenset(stray.spared)

    def members(self) -> list[ProcessIdentity]:
        """Return who lives of it; what was spared, and a runner, orchestrator or console below it, is no part."""
        alive = {pid: one for pid, one in self._seen.items() if is_alive(one, self._source)}
        forest = Forest(self._source.scan())
        boot = self._source.boot_id()
        for root in list(alive):
            for info in forest.descendants(root):
                if info.pid not in alive and not self._below_another(info.pid, forest, alive):
                    alive[info.pid] = ProcessIdentity(info.pid, info.start_time, boot)
        self._seen = alive
        return list(alive.values())

    def signal(self, number: signal.Signals, members: list[ProcessIdentity] | None = None) -> int:
        """Send a signal to every member; return how many got it."""
        told = self.members() if members is None else members
        return sum(signal_exactly(one, number, self._source) for one in told)

    def _below_another(self, pid: int, forest: Forest, alive: dict[int, ProcessIdentity]) -> bool:
        info = forest.processes.get(pid)
        while info is not None and info.pid not in alive:
            if (info.pid, info.start_time) in self._spared or is_independent(self._source.command_line(info.pid)):
                return True
            info = forest.processes.get(info.ppid)
        return False


def choose(view: StraysView, pid: int, start_time: int | None, source: ProcessSource) -> StrayView:
    """Return the stray that ``pid`` belongs to, with that start time if one is given.

    Raises ``NeoError`` saying what else the process is: gone, a later one, or no stray.
    """
    for stray in view.found:
        for member, started in stray.members:
            if member == pid and start_time in (None, started):
                return stray
    thing, look = f"process {pid}", "List them with: neo-console strays."
    try:
        now = source.start_time(pid)
    except PermissionError:
        raise NeoError(thing, "is of another user and cannot be judged", look) from None
    if now is None:
        raise EndedError(thing, "has ended already", look)
    if start_time is not None and now != start_time:
        raise NeoError(thing, "is another process now, which began there later", look)
    if view.settling:
        cause = "is no stray, or began too short a while ago to be called one"
        raise NeoError(thing, cause, "Wait five seconds and look again: neo-console strays.")
    cause = "is no stray: it belongs to a live run or service, or carries no marker of ours"
    raise NeoError(thing, cause, f"{look} What a killed run left with the lease ends with: neo-console stop RUN.")


def refuse_foreign(stray: StrayView, told_age: str) -> NeoError:
    """Return why a foreign listener is not ended without its operator saying so."""
    return NeoError(
        f"process {stray.pid}",
        f"is not ours: {stray.command[:200]!r}, {told_age}, {stray.sentence}",
        f"If you mean exactly that process: {stray.mend}",
    )


def end_stray(
    stray: StrayView, source: ProcessSource, clock: Clock, number: signal.Signals = signal.SIGTERM, grace: float = GRACE
) -> StrayStop:
    """Ask the whole tree by a signal, kill what is left after ``grace`` seconds, return how that went. Waits for it."""
    began = clock.monotonic()
    stopping = Stopping(StrayTree(stray, source), number, began + grace, began)
    while not stopping.look(clock.monotonic()):
        if clock.monotonic() >= began + grace + _GIVE_UP:
            return StrayStop(stray=stray, end=StrayEnd.SURVIVED, took=clock.monotonic() - began)
        clock.sleep(_LOOK_EVERY)
    end = StrayEnd.KILLED if stopping.killed else StrayEnd.ENDED
    return StrayStop(stray=stray, end=end, took=clock.monotonic() - began)
