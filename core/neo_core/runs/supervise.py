"""Watching over one running command: renewal, samples, limits, an operator's stop, and the end of its whole tree."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from neo_core.durations import format_duration
from neo_core.errors import LeaseError, LedgerError
from neo_core.lease.words import RenewStatus
from neo_core.ledger.models import Outcome
from neo_core.runs.outcome import Ending
from neo_core.schedule.decision import Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from neo_core.clock import Clock
    from neo_core.ledger.store import Ledger
    from neo_core.profiles import Task
    from neo_core.runs.grant import Grant
    from neo_core.runs.signals import Reaper, SignalWaiter
    from neo_core.runs.tree import RunTree

_TICK = 0.5
_FIRST_SAMPLES = (0.05, 0.15, 0.35, 0.75)
_SAMPLE_EVERY = 1.0
_WOKE_AFTER = 30.0


class Supervisor:
    """The loop from the command's start to the end of its last process.

    ``say`` writes a line to the run's log, ``keep_records`` looks whether the ledger is still there, ``retaken`` writes
    down that the lease was taken again. Its findings: ``peak_memory`` in bytes, and ``ending`` when the run was
    ended from outside.
    """

    def __init__(
        self,
        *,
        run_id: str,
        task: Task,
        grant: Grant,
        ledger: Ledger,
        tree: RunTree,
        reaper: Reaper,
        waiter: SignalWaiter,
        clock: Clock,
        renew_every: float,
        say: Callable[[str, str], None],
        keep_records: Callable[[], None],
        retaken: Callable[[], None],
    ) -> None:
        self.peak_memory: int | None = None
        self.ending: Ending | None = None
        self._run_id, self._task, self._grant, self._ledger = run_id, task, grant, ledger
        self._tree, self._reaper, self._waiter, self._clock = tree, reaper, waiter, clock
        self._renew_every, self._say = renew_every, say
        self._keep_records, self._retaken = keep_records, retaken
        self._began = clock.monotonic()
        self._samples = 0
        self._renewed, self._renewed_wall = self._began, clock.now()
        self._stopping_since: float | None = None
        self._waiting_said = False
        self._collided = False
        self._complaint = ""

    def watch(self) -> int:
        """Return the command's exit code once the last process of its tree is gone; negative for a signal."""
        while not self._finished():
            self._keep_records()
            self._renew_if_due()
            self._sample_if_due()
            self._look_for_stops()
            self._enforce_limit()
            self._enforce_grace()
            self._waiter.wait(self._pause())
        return self._reaper.exit_code if self._reaper.exit_code is not None else 0

    def _finished(self) -> bool:
        self._reaper.collect()
        if self._reaper.exit_code is None:
            return False
        left = self._tree.members(thorough=True)
        if left and not self._waiting_said:
            self._waiting_said = True
            pids = ", ".join(str(pid) for pid in sorted(left)[:8])
            self._say("INFO", f"The command ended; waiting for {len(left)} processes it left behind (pid {pids}).")
        return not left

    def _pause(self) -> float:
        if self._samples < len(_FIRST_SAMPLES):
            return min(_TICK, max(0.0, _FIRST_SAMPLES[self._samples] - self._elapsed()))
        return _TICK

    def _elapsed(self) -> float:
        return self._clock.monotonic() - self._began

    def _renew_if_due(self) -> None:
        if not self._grant.holds or self._collided:
            return
        passed = self._clock.monotonic() - self._renewed
        slept = (self._clock.now() - self._renewed_wall) - passed > _WOKE_AFTER
        due = passed >= self._renew_every or slept
        if due:
            self._renewed, self._renewed_wall = self._clock.monotonic(), self._clock.now()
        try:
            status = self._grant.renew(due=due)
        except LeaseError as error:
            self._complain(f"The lease could not be renewed, trying again: {error}")
            return
        if status is RenewStatus.RENEWED:
            self._complaint = ""
        elif status is RenewStatus.MISSING:
            self._complain("The lease record is gone and could not be written again yet, trying again.")
        elif status is RenewStatus.RETAKEN:
            self._complaint = ""
            self._retaken()
        else:
            self._collided = True
            self._note(f"collision: the lease record is no longer ours ({status}); another script may be working")

    def _complain(self, told: str) -> None:
        """Say what is asked about twice a second once, until it is over."""
        if told != self._complaint:
            self._complaint = told
            self._say("WARN", told)

    def _note(self, warning: str) -> None:
        self._say("ERROR", warning)
        try:
            self._ledger.runs.warn(self._run_id, warning)
        except LedgerError as error:
            self._say("WARN", f"The warning could not be recorded: {error}")

    def _sample_if_due(self) -> None:
        count = len(_FIRST_SAMPLES)
        late = self._samples - count
        due = _FIRST_SAMPLES[self._samples] if late < 0 else _FIRST_SAMPLES[-1] + (late + 1) * _SAMPLE_EVERY
        if self._elapsed() < due:
            return
        self._samples += 1
        self._sample()

    def _sample(self) -> None:
        memory = self._tree.memory()
        if memory:
            self.peak_memory = max(self.peak_memory or 0, memory)

    def _look_for_stops(self) -> None:
        if self._waiter.stop_signal is not None:
            name = signal.Signals(self._waiter.stop_signal).name
            self._waiter.stop_signal = None
            self._stop(Outcome.CANCELLED, Reason.SIGNAL, f"the runner was asked to end ({name})")
        try:
            for control in self._ledger.controls.pending_stops(self._run_id):
                who = control.requested_by or "an operator"
                because = f": {control.because}" if control.because else ""
                how = "by force " if control.force else ""
                self._stop(Outcome.CANCELLED, Reason.OPERATOR, f"stopped {how}by {who}{because}", force=control.force)
                self._ledger.controls.acknowledge(control.control_id, self._clock.now())
        except LedgerError as error:
            self._say("WARN", f"The ledger could not be asked for stops, trying again: {error}")

    def _enforce_limit(self) -> None:
        if self._stopping_since is None and self._elapsed() > self._task.time_limit:
            limit = format_duration(self._task.time_limit)
            self._stop(Outcome.TIMED_OUT, Reason.TIME_LIMIT, f"still running at its time limit of {limit}")

    def _enforce_grace(self) -> None:
        if self._stopping_since is None:
            return
        if self._clock.monotonic() - self._stopping_since >= self._task.grace:
            self._kill()

    def _stop(self, outcome: Outcome, code: Reason, reason: str, *, force: bool = False) -> None:
        if self.ending is None:
            self.ending = Ending(outcome=outcome, reason_code=code, reason=reason)
            self._say("INFO", f"Ending the run: {reason}.")
            self._sample()  # what was shown to who stops it may be younger than the last sample
        if force:
            self._stopping_since = self._stopping_since or self._clock.monotonic()
            self._kill()
        elif self._stopping_since is None:
            self._stopping_since = self._clock.monotonic()
            self._tree.signal(signal.SIGTERM)

    def _kill(self) -> None:
        self._say("INFO", "Killing what is left of the run.")
        if not self._tree.kill(self._clock, self._reaper.collect):
            self._say("ERROR", "Processes of the run survive SIGKILL (stuck in the kernel); the lease stays held.")
