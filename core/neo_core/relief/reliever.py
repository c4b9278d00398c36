"""Doing what an operator chose: recorded before, done, and recorded again with how it went.

Whoever is killed in between leaves a row that says so, never nothing.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

import msgspec

from neo_core.clock import to_iso
from neo_core.errors import NeoError, UsageError
from neo_core.ledger.models import ControlKind
from neo_core.ledger.reliefs import Relief, ReliefKind, ReliefResult
from neo_core.ledger.store import Ledger
from neo_core.processes.source import ProcessIdentity, identity_of
from neo_core.relief.facts import situation_of
from neo_core.relief.options import Option, of_stray, options
from neo_core.relief.settling import Now, as_known, settle_due
from neo_core.relief.trees import look_at
from neo_core.requests import find_run, user_name
from neo_core.snapshot_strays import StrayEnd, StraysView
from neo_core.strays.act import pick
from neo_core.workspace import ensure_state

if TYPE_CHECKING:
    from collections.abc import Callable

    from neo_core.catalogue import Catalogue
    from neo_core.clock import Clock
    from neo_core.ledger.models import Control
    from neo_core.memory.reading import MemorySource
    from neo_core.processes.source import ProcessSource
    from neo_core.snapshot_strays import StrayStop
    from neo_core.workspace import Workspace

_POLL = 0.1


class ReliefError(NeoError):
    """A relief that was tried and did not happen, or of which nobody can say whether it did; it is recorded."""


class Stop(Protocol):
    """The one way to stop a run."""

    def __call__(self, run_id: str, *, force: bool = False, because: str = "") -> Control:
        """Ask for the end of a run. Raises ``NeoError``."""
        ...


class EndStray(Protocol):
    """The one way to end a stray."""

    def __call__(self, pid: int, start_time: int | None = None, *, because: str = "") -> StrayStop:
        """End exactly that tree and say how it went. Raises ``NeoError``."""
        ...


class Reliever:
    """What an operator can do about the memory of one workspace. Every method may raise ``NeoError``."""

    def __init__(
        self,
        workspace: Workspace,
        catalogue: Callable[[], Catalogue],
        *,
        clock: Clock,
        source: ProcessSource,
        memory: MemorySource,
        stop: Stop,
        strays: Callable[[], StraysView],
        end_stray: EndStray,
    ) -> None:
        self._workspace, self._catalogue = workspace, catalogue
        self._clock, self._source, self._memory, self._stop = clock, source, memory, stop
        self._strays, self._end_stray = strays, end_stray

    def options(self) -> tuple[Option, ...]:
        """Return what can be done now, what costs least first; measures the trees that it is about."""
        with Ledger(self._workspace.ledger, writable=False) as ledger:
            return self._options(ledger)

    def history(self, limit: int = 100) -> list[Relief]:
        """Return what was done, newest first."""
        with Ledger(self._workspace.ledger, writable=False) as ledger:
            return as_known(ledger.reliefs.history(limit), self._source)

    def defer_heavy(self, seconds: float, because: str) -> Relief:
        """Let nothing heavy start for ``seconds``, in place of any such deferral before."""
        if not because.strip():
            raise UsageError("relief defer-heavy", "has no reason", "Say why, for whoever looks.")
        if seconds <= 0:
            raise UsageError("relief defer-heavy", "has no length", "Give it a duration like 1h.")
        now = self._clock.now()
        with self._writing() as ledger:
            option = self._find(ledger, ReliefKind.DEFER_HEAVY)
            with ledger.database.transaction():
                self._end_deferral(ledger, now, "replaced by another")
                relief = self._begin(ledger, option, because)
                kind, until, who = ControlKind.DEFER_HEAVY, now + seconds, user_name()
                ledger.controls.add(kind, "", at=now, until=until, because=because, requested_by=who)
                return self._over(ledger, relief, ReliefResult.DONE, option.effect, note=f"until {to_iso(until)}")

    def resume_heavy(self) -> bool:
        """Let what is heavy start again; false when nothing deferred it."""
        with self._writing() as ledger, ledger.database.transaction():
            return self._end_deferral(ledger, self._clock.now(), "ended early")

    def _end_deferral(self, ledger: Ledger, now: float, how: str) -> bool:
        """End what defers everything heavy and let its row tell that; false when nothing does."""
        ended = ledger.controls.end(ControlKind.DEFER_HEAVY, "", now) > 0
        if ended:
            ledger.reliefs.add_note(ReliefKind.DEFER_HEAVY, f"{how} at {to_iso(now)} by {user_name()}")
        return ended

    def unload(self, name: str, because: str = "") -> Relief:
        """Make the call of ``[unload.NAME]``, which may take its whole timeout. Raises ``ReliefError``."""
        servers = self._catalogue().config.unload
        if name not in servers:
            known = f"Known: {', '.join(servers)}." if servers else "Configure one: [unload.NAME] with its url."
            raise UsageError(f"model server {name!r}", "is not known here", known)
        from neo_core.relief.call import call

        with self._writing() as ledger:
            relief = self._begin(ledger, self._find(ledger, ReliefKind.UNLOAD, name), because)
        answer = call(name, servers[name])
        with self._writing() as ledger:
            relief = self._over(ledger, relief, answer.result, answer.sentence)
        if answer.result is not ReliefResult.DONE:
            unsure = " Whether it unloads is not known." if answer.result is ReliefResult.UNKNOWN else ""
            raise ReliefError(f"unload.{name}", f"{answer.sentence}.{unsure}".removesuffix("."), answer.mend)
        return relief

    def stop(self, run_id: str, because: str = "", *, force: bool = False) -> Relief:
        """Ask a run to end, as ``Engine.stop`` does."""
        with self._writing() as ledger:
            run = find_run(ledger, run_id)
            found = (one for one in self._options(ledger) if (one.kind, one.target) == (ReliefKind.STOP, run.run_id))
            unknown = Option(
                kind=ReliefKind.STOP,
                target=run.run_id,
                label=run.task,
                effect="ends the run",
                expected=None,
                basis="unknown: its processes are not known",
            )
            relief = self._begin(ledger, next(found, unknown), because)
        try:
            self._stop(run.run_id, force=force, because=because or "to free memory")
        except NeoError as error:
            with self._writing() as ledger:
                self._over(ledger, relief, ReliefResult.FAILED, f"{error.thing}: {error.cause}")
            raise
        with self._writing() as ledger:
            return self._over(ledger, relief, ReliefResult.DONE, f"{run.task} was asked to end")

    def end_stray(self, pid: int, start_time: int | None = None, because: str = "") -> Relief:
        """End the stray tree of ``pid``, as ``Engine.stop_stray`` does; waits for its end. Raises ``ReliefError``."""
        stray = pick(self._strays(), pid, start_time, self._source, foreign=False)
        with self._writing() as ledger:
            relief = self._begin(ledger, of_stray(stray, look_at(stray.members, self._source)), because)
        try:
            done = self._end_stray(stray.pid, stray.start_time, because=because or "to free memory")
        except NeoError as error:
            with self._writing() as ledger:
                self._over(ledger, relief, ReliefResult.FAILED, f"{error.thing}: {error.cause}")
            raise
        survived = done.end is StrayEnd.SURVIVED
        with self._writing() as ledger:
            result = ReliefResult.FAILED if survived else ReliefResult.DONE
            relief = self._over(ledger, relief, result, done.sentence)
        if survived:
            raise ReliefError(f"process {stray.pid}", done.sentence, "See: neo-console strays.")
        return relief

    def measured(self, relief_id: int, timeout: float) -> Relief:
        """Return a relief once it is measured, by us if nobody records the memory, or as it is after ``timeout``."""
        deadline = self._clock.monotonic() + timeout
        settle = self._catalogue().config.memory.relief_settle
        with self._writing() as ledger:
            while True:
                now = self._clock.now()
                seen = Now(now, self._memory.read(now).available, self._source)
                settle_due(ledger, seen, settle, only=relief_id)
                found = ledger.reliefs.one(relief_id)
                if found is None:
                    mend = "List them with: neo-console relief history."
                    raise NeoError(f"relief {relief_id}", "is not in the ledger", mend)
                if found.settled_at is not None or self._clock.monotonic() >= deadline:
                    return found
                self._clock.sleep(_POLL)

    def _options(self, ledger: Ledger) -> tuple[Option, ...]:
        unseen, strays = "", StraysView()
        try:
            strays = self._strays()
        except NeoError as error:  # what else can be done is not less needed then
            unseen = error.cause
        found = situation_of(ledger, self._catalogue(), strays, source=self._source, now=self._clock.now())
        return options(msgspec.structs.replace(found, unseen=unseen))

    def _find(self, ledger: Ledger, kind: ReliefKind, target: str = "") -> Option:
        return next(one for one in self._options(ledger) if (one.kind, one.target) == (kind, target))

    def _begin(self, ledger: Ledger, option: Option, because: str) -> Relief:
        now = self._clock.now()
        incident = ledger.memory.unfinished()
        asker = identity_of(os.getpid(), self._source) or ProcessIdentity(os.getpid(), 0, "")
        return ledger.reliefs.begin(
            Relief(
                kind=option.kind,
                target=option.target,
                asked_at=now,
                requested_by=user_name(),
                because=because,
                incident_id=incident.incident_id if incident else None,
                expected=option.expected,
                basis=option.basis,
                members=option.members,
                tree_before=option.cost,
                available_before=self._memory.read(now).available,
                asker_pid=asker.pid,
                asker_start=asker.start_time,
                boot_id=asker.boot_id,
            )
        )

    def _over(self, ledger: Ledger, relief: Relief, result: ReliefResult, sentence: str, note: str = "") -> Relief:
        """Record how it went; what failed, and what frees nothing by itself, has nothing to be measured."""
        now, number = self._clock.now(), relief.relief_id
        ledger.reliefs.done(number, at=now, result=result, sentence=sentence)
        settled = msgspec.structs.replace(relief, done_at=now, result=result, sentence=sentence)
        failed = result is ReliefResult.FAILED
        if not failed and relief.kind is not ReliefKind.DEFER_HEAVY:
            return settled
        note = "nothing was done" if failed else note
        ledger.reliefs.settle(number, at=now, tree=None, available=None, note=note)
        return msgspec.structs.replace(settled, settled_at=now, note=note)

    def _writing(self) -> Ledger:
        ensure_state(self._workspace)
        return Ledger(self._workspace.ledger)
