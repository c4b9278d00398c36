"""Waiting until a start is admitted, for an operator who asks for it: look again, and start when every gate is open.

Who waits stands in the ledger with the identity of its process, so that a killed one waits no longer for anybody.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from neo_core.durations import format_duration
from neo_core.errors import LedgerError, NeoError
from neo_core.ledger.models import PATIENCE_TOLD_EVERY, Outcome, Run, Waiter
from neo_core.ledger.store import Ledger
from neo_core.processes.source import identity_of, is_alive
from neo_core.requests import request, user_name
from neo_core.schedule.decision import Decision, Gate, Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from neo_core.clock import Clock
    from neo_core.ledger.models import Control
    from neo_core.processes.source import ProcessSource
    from neo_core.profiles import Task
    from neo_core.starting import Attempt
    from neo_core.workspace import Workspace

_LOOK_EVERY = 0.5  # seconds; one look reads the lease and a few rows
_COURTESY = 4  # looks for which who waits longer may go first
_BEGUN_POLL = 0.02


class WaitsFor(NamedTuple):
    """What a start waits for, as it is told: once, and again when it is something else."""

    reason_code: str
    blocker: str
    sentence: str
    clears_when: str = ""

    def same_as(self, other: WaitsFor | None) -> bool:
        """Return whether that is the same obstacle, however its sentence counts the time."""
        return other is not None and self.kind == other.kind

    @property
    def kind(self) -> tuple[str, str]:
        """What it is, and whose: a heavy run of ours holds the lease a moment longer than it lives."""
        code = Reason.LEASE_HELD if self.reason_code == Reason.BACKPRESSURE else self.reason_code
        return str(code), self.blocker


class Starting(Protocol):
    """What waiting asks of the engine; every method may raise ``NeoError``."""

    @property
    def workspace(self) -> Workspace:
        """Whose ledger tells who waits."""
        ...

    @property
    def tasks(self) -> dict[str, Task]:
        """Every task by name."""
        ...

    def trigger(self, task: str, *, override_memory: bool = False, patient: bool = False) -> Attempt:
        """Start the task, or record why not, and that whoever asks goes on trying."""
        ...

    def preview(self, task: str, *, override_memory: bool = False) -> Decision:
        """Return whether a manual start would be admitted now."""
        ...

    def wait(self, run_id: str, timeout: float | None = None) -> Run:
        """Return the run once it has ended, or as it is after ``timeout`` seconds."""
        ...

    def stop(self, run_id: str, *, force: bool = False, because: str = "") -> Control:
        """Ask for the end of a run."""
        ...


class Patience:
    """Waits to start one task, for at most ``seconds`` (``None``: for ever); ``tell`` hears what it waits for.

    A start is made in no other way than an impatient one: the runner takes the lease, or it is refused and waits on.
    """

    def __init__(
        self,
        engine: Starting,
        task: str,
        *,
        seconds: float | None,
        tell: Callable[[WaitsFor], None],
        override_memory: bool,
        clock: Clock,
        source: ProcessSource,
    ) -> None:
        self._engine, self._task, self._tell, self._override = engine, task, tell, override_memory
        self._clock, self._source = clock, source
        self._began, self._since = clock.monotonic(), clock.now()
        self._seconds = seconds
        self._yielded = 0
        self._noted = self._began

    def start(self) -> Attempt:
        """Return the attempt that started the task, or the last refusal. Raises ``NeoError``.

        Every obstacle is a deferral in the ledger. ctrl+c ends the waiting, which is recorded as cancelled, and raises
        ``KeyboardInterrupt``.
        """
        attempt, held = self._try()
        if held is None or _never(attempt):
            return attempt
        waiter = self._register()
        try:
            return self._until_open(attempt, held)
        finally:
            with suppress(LedgerError), self._writing() as ledger:  # without its process the row says nothing
                ledger.waiters.remove(waiter.waiter_id)

    def _until_open(self, attempt: Attempt, held: WaitsFor) -> Attempt:
        told: WaitsFor | None = None
        while True:
            try:
                if not held.same_as(told):
                    self._tell(held)
                    told = held
                left = self._left()
                if left is not None and left <= 0:
                    break
                self._clock.sleep(_LOOK_EVERY if left is None else min(_LOOK_EVERY, left))
                seen = self._look()
                if self._clock.monotonic() - self._noted >= PATIENCE_TOLD_EVERY:
                    self._note_patience(attempt)
            except KeyboardInterrupt:
                self._note_patience(attempt)
                self._record_cancelled(attempt.decision, held)
                raise
            if seen is not None and seen.same_as(held):
                continue
            if seen is not None and seen.reason_code == Reason.LEDGER_ERROR:
                held = seen
                continue
            if seen is None and self._let_others_first():
                continue
            self._note_patience(attempt)
            attempt, again = self._try()
            if again is None or _never(attempt):
                return attempt
            held = again
        return self._try()[0]

    def _note_patience(self, attempt: Attempt) -> None:
        """Let the row of what was held back say until when it was tried, for who asks later what waited then."""
        self._noted = self._clock.monotonic()
        with suppress(LedgerError), self._writing() as ledger:
            ledger.runs.still_tried(attempt.run_id, self._clock.now())

    def _look(self) -> WaitsFor | None:
        """Return what blocks the start now; a ledger that cannot be read for a moment is waited for, too."""
        try:
            blocking = self._engine.preview(self._task, override_memory=self._override).blocking
        except LedgerError as error:
            return WaitsFor(str(Reason.LEDGER_ERROR), "", str(error))
        if blocking is None:
            return None
        return WaitsFor(blocking.reason, blocking.blocker, blocking.sentence, blocking.clears_when)

    def _try(self) -> tuple[Attempt, WaitsFor | None]:
        """Ask for the start; return what was in its way, ``None`` once it has begun."""
        attempt = self._engine.trigger(self._task, override_memory=self._override, patient=True)
        self._noted = self._clock.monotonic()
        blocking = attempt.decision.blocking
        if blocking is not None:
            return attempt, WaitsFor(blocking.reason, blocking.blocker, blocking.sentence, blocking.clears_when)
        self._yielded = 0
        try:
            run = self._begun(attempt.run_id)
        except KeyboardInterrupt:
            with suppress(NeoError):  # it has just ended by itself
                self._engine.stop(attempt.run_id, because="ctrl+c")
            return attempt, None
        if run.prevented and run.outcome is Outcome.DEFERRED:
            return attempt, WaitsFor(run.reason_code, run.blocker, run.reason)
        return attempt, None

    def _begun(self, run_id: str) -> Run:
        """Return the run once its command works, or it has ended."""
        while True:
            run = self._engine.wait(run_id, timeout=0.0)
            if run.started_at is not None or not run.live:
                return run
            self._clock.sleep(_BEGUN_POLL)

    def _let_others_first(self) -> bool:
        """Return whether somebody waits longer and could start now, for as long as that is polite."""
        if self._yielded >= _COURTESY or not self._engine.tasks[self._task].heavy:
            return False
        with Ledger(self._engine.workspace.ledger, writable=False) as ledger:
            waiting = living_waiters(ledger, self._source)
        others = [
            one.task for one in waiting if one.heavy and one.since < self._since and one.task in self._engine.tasks
        ]
        if not any(self._engine.preview(task).may_start for task in others):
            return False
        self._yielded += 1
        return True

    def _left(self) -> float | None:
        return None if self._seconds is None else self._seconds - (self._clock.monotonic() - self._began)

    def _register(self) -> Waiter:
        myself = identity_of(os.getpid(), self._source)
        waiter = Waiter(
            waiter_id=os.urandom(6).hex(),
            task=self._task,
            heavy=self._engine.tasks[self._task].heavy,
            since=self._since,
            pid=os.getpid(),
            start_time=myself.start_time if myself else 0,
            until=None if self._seconds is None else self._since + self._seconds,
            boot_id=self._source.boot_id(),
            pid_namespace=self._source.pid_namespace(),
            requested_by=user_name(),
        )
        with self._writing() as ledger:
            drop_dead_waiters(ledger, self._source)
            ledger.waiters.add(waiter)
        return waiter

    def _record_cancelled(self, decision: Decision, held: WaitsFor) -> None:
        now = self._clock.now()
        waited = format_duration(self._clock.monotonic() - self._began)
        row = msgspec.structs.replace(
            request(self._engine.tasks[self._task], decision, now),
            requested_at=self._since,
            ended_at=now,
            outcome=Outcome.CANCELLED,
            reason_code=str(Reason.OPERATOR),
            reason=f"{user_name()} stopped waiting after {waited}: {held.sentence}",
            blocker=held.blocker,
        )
        with self._writing() as ledger:
            ledger.runs.insert(row)

    def _writing(self) -> Ledger:
        return Ledger(self._engine.workspace.ledger)


def living_waiters(ledger: Ledger, source: ProcessSource) -> list[Waiter]:
    """Return who waits and is proven to live, who has waited longest first. Raises ``LedgerError``."""
    return [one for one in ledger.waiters.all() if not _elsewhere(one, source) and is_alive(one.process, source)]


def drop_dead_waiters(ledger: Ledger, source: ProcessSource) -> None:
    """Remove the rows of processes that are proven gone. Raises ``LedgerError``."""
    for waiter in ledger.waiters.all():
        if not _elsewhere(waiter, source) and not is_alive(waiter.process, source):
            ledger.waiters.remove(waiter.waiter_id)


def _elsewhere(waiter: Waiter, source: ProcessSource) -> bool:
    """Return whether its pid means nothing here: it lives, or lived, in another container of this very boot."""
    return waiter.pid_namespace != source.pid_namespace() and waiter.boot_id == source.boot_id()


def _never(attempt: Attempt) -> bool:
    """Return whether no waiting can help: a task without a command gets none by itself."""
    blocking = attempt.decision.blocking
    return blocking is not None and blocking.gate is Gate.CONFIGURED
