"""From one pass over the machine and what should live to the strays among the processes: pure."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from neo_core.ledger.models import Run, ServiceRecord, ServiceState
from neo_core.processes.forest import Forest
from neo_core.services.standing import ALIVE
from neo_core.snapshot_strays import StrayKind
from neo_core.strays.leftover import Leftover
from neo_core.strays.marks import Marks, of_this_workspace, surely_of_this_workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neo_core.processes.source import ProcessInfo
    from neo_core.strays.look import Look

_WAITS_FOR_PORT = (ServiceState.STARTING, ServiceState.BACKOFF, ServiceState.FATAL)


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What should live in this workspace, as the ledger, the lease and the lock file tell.

    ``ended`` are the rows of the runs that processes name and that are not in ``live``; ``alive`` the services whose
    main process lives; ``kept`` whether an orchestrator looks after them. ``told`` are the processes that keep the
    lease of a run, which is stopped as such; ``left`` is what keeps that of a script which is gone, or a lost lease.
    ``ports`` are those of the services.
    """

    state: str
    live: tuple[Run, ...] = ()
    ended: dict[str, Run] = {}
    services: dict[str, ServiceRecord] = {}
    alive: frozenset[str] = frozenset()
    kept: bool = False
    told: frozenset[int] = frozenset()
    left: Leftover | None = None
    token: str = ""
    ports: dict[str, int] = {}


class Suspect(NamedTuple):
    """One stray tree, its root first; ``owner`` is a task or a service, ``port`` the service whose port it has.

    ``run`` is ``None`` also for a ``run_id`` of which the ledger knows nothing.
    ``spared`` are the live things below it. ``left`` is the script that it is left of. ``unrecorded`` says that nothing
    is written down of the service.
    """

    kind: StrayKind
    owner: str
    run: Run | None
    run_id: str
    members: tuple[ProcessInfo, ...]
    spared: tuple[ProcessInfo, ...] = ()
    port: str = ""
    keeps_lease: bool = False
    left: Leftover | None = None
    unrecorded: bool = False

    @property
    def foreign(self) -> bool:
        """Whether nothing says that it was started here."""
        return self.kind is StrayKind.LISTENER or (self.left is not None and self.left.foreign)

    @property
    def root(self) -> ProcessInfo:
        """The process that it is known by."""
        return self.members[0]


class _Claim(NamedTuple):
    kind: StrayKind
    owner: str
    key: str


def find_suspects(look: Look, known: Known) -> list[Suspect]:
    """Return every stray tree, the oldest first; processes of one run or service in one session are one tree.

    Who is part of a live run or service is none, whatever else it carries; nor is who looks, nor those above it.
    """
    judge = _Judge(look, known)
    return sorted([*judge.marked(), *judge.listening()], key=lambda one: (one.root.start_time, one.root.pid))


def deaf_to(look: Look, known: Known) -> list[str]:
    """Return what should have been seen of the services' ports and could not, a sentence each."""
    said = [f"who listens on {name}'s port {known.ports.get(name, '')} cannot be read" for name in look.deaf]
    for name, listeners in look.listeners.items():
        if _port_matters(name, known) and any(one.pid is None for one in listeners):
            said.append(f"a process of another user listens on {name}'s port {known.ports.get(name, '')}")
    return said


class _Judge:
    def __init__(self, look: Look, known: Known) -> None:
        self._look, self._known = look, known
        self._forest = Forest(look.processes)
        self._instances = {
            record.instance
            for name, record in known.services.items()
            if record.instance and (name in known.alive or (known.kept and record.state in ALIVE))
        }
        self._living = self._claimed()
        self._spared = self._living | look.independent | self._above(look.me)
        self._suspected: dict[int, _Claim] = {}

    def marked(self) -> Iterator[Suspect]:
        """Yield the trees whose processes say that they were started for something that is over."""
        look = self._look
        for pid, marks in look.marks.items():
            claim = None if pid in self._spared else self._claim_of(marks)
            if claim is not None:
                self._suspected[pid] = claim
        self._suspected = {**self._left(), **self._suspected}
        groups: dict[tuple[_Claim, int], list[int]] = defaultdict(list)
        for pid, claim in self._suspected.items():
            if not self._above(pid, itself=False) & self._suspected.keys():
                groups[claim, look.processes[pid].session].append(pid)
        for (claim, session), roots in groups.items():
            first = sorted(roots, key=lambda pid: (pid != session, look.processes[pid].start_time, pid))
            yield self._suspect(claim, first)

    def _left(self) -> dict[int, _Claim]:
        """Return what keeps the lease of a script that is gone."""
        left, processes = self._known.left, self._look.processes
        if left is None:
            return {}
        claim = _Claim(StrayKind.LEASE, left.owner, "")
        there = (pid for pid, started in left.members if _is(processes.get(pid), started))
        return {pid: claim for pid in there if pid not in self._spared}

    def listening(self) -> Iterator[Suspect]:
        """Yield who has a service's port and carries nothing of ours. To be asked after ``marked``."""
        for name, listeners in self._look.listeners.items():
            if not _port_matters(name, self._known):
                continue
            for pid in {one.pid for one in listeners if one.pid is not None}:
                if pid in self._spared or pid in self._suspected or pid not in self._look.processes:
                    continue
                found = self._suspect(_Claim(StrayKind.LISTENER, name, ""), [pid])
                yield found._replace(port=name)

    def _claimed(self) -> set[int]:
        """Return the processes of live runs and services, and those that the lease's section tells about."""
        known, look, forest = self._known, self._look, self._forest
        claimed: set[int] = set()
        roots = [pid for pid in known.told if pid in look.processes]
        ids = {run.run_id for run in known.live}
        for run in known.live:
            if _is(look.processes.get(run.runner_pid or 0), run.runner_start):
                roots.append(run.runner_pid or 0)
            if run.child_pid is not None:
                claimed.update(info.pid for info in forest.in_session(run.child_pid))
        for name in known.alive:
            record = known.services[name]
            if _is(look.processes.get(record.pid or 0), record.start_time):
                roots.append(record.pid or 0)
                claimed.update(info.pid for info in forest.in_session(record.pid or 0))
        roots += [pid for pid, one in look.marks.items() if one.run_id in ids or one.instance in self._instances]
        for root in roots:
            claimed.update(info.pid for _, info in forest.walk(root))
        return claimed

    def _claim_of(self, marks: Marks) -> _Claim | None:
        known = self._known
        if not of_this_workspace(marks.state, known.state):
            return None
        run = known.ended.get(marks.run_id)
        if run is not None and not run.live:
            return _Claim(StrayKind.RUN, run.task, run.run_id)
        if not marks.instance:
            forgotten = run is None and surely_of_this_workspace(marks.state, known.state)
            return _Claim(StrayKind.RUN, marks.task or "unknown", marks.run_id) if forgotten else None
        name = next((one.name for one in known.services.values() if one.instance == marks.instance), "")
        if not name and marks.state:
            name = marks.service
        if not name:
            return None
        return _Claim(StrayKind.SECOND if name in known.alive else StrayKind.SERVICE, name, marks.instance)

    def _suspect(self, claim: _Claim, roots: list[int]) -> Suspect:
        members: dict[int, ProcessInfo] = {}
        left_out: dict[int, ProcessInfo] = {}
        for root in roots:
            below = {info.pid: info for _, info in self._forest.walk(root)}
            left_out |= {pid: info for pid, info in below.items() if pid in self._spared}
            for spared in [pid for pid in below if pid in self._spared]:
                for _, info in self._forest.walk(spared):
                    below.pop(info.pid, None)
            members.update(below)
        heard = {one.pid: name for name, listeners in self._look.listeners.items() for one in listeners}
        carried = {self._look.marks[pid].token for pid in members if pid in self._look.marks}
        of_lease = claim.kind is StrayKind.LEASE
        left = {pid for pid, _ in self._known.left.members} if self._known.left else set()
        return Suspect(
            kind=claim.kind,
            owner=claim.owner,
            run=self._known.ended.get(claim.key) if claim.kind is StrayKind.RUN else None,
            run_id=claim.key if claim.kind is StrayKind.RUN else "",
            members=tuple(members.values()),
            spared=tuple(left_out.values()),
            port=next((heard[pid] for pid in members if pid in heard), ""),
            keeps_lease=bool(left & members.keys()) or (bool(self._known.token) and self._known.token in carried),
            left=self._known.left if of_lease else None,
            unrecorded=claim.kind is StrayKind.SERVICE and claim.owner not in self._known.services,
        )

    def _above(self, pid: int, *, itself: bool = True) -> set[int]:
        """Return the ancestors of ``pid``."""
        found: set[int] = {pid} if itself else set()
        info = self._look.processes.get(pid)
        while info is not None and info.ppid not in found and info.ppid != pid:
            found.add(info.ppid)
            info = self._look.processes.get(info.ppid)
        return found


def _port_matters(name: str, known: Known) -> bool:
    """Return whether somebody else on the port is a trouble: the service lives, or an orchestrator waits for it."""
    record = known.services.get(name)
    if record is None:
        return False
    return name in known.alive or (known.kept and record.wanted and record.state in _WAITS_FOR_PORT)


def _is(info: ProcessInfo | None, start_time: int | None) -> bool:
    return info is not None and info.start_time == start_time
