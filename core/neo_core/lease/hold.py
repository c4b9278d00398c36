"""``hold_lease``: the lease for scripts, as a context manager and decorator."""

from __future__ import annotations

import functools
import os
import signal
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar

from neo_core.clock import Clock, SystemClock
from neo_core.errors import LeaseError, NeoError
from neo_core.lease.explain import deferral_lines
from neo_core.lease.inherit import inherited_lease
from neo_core.lease.store import Acquisition, HeldLease, LeaseStore
from neo_core.lease.waiting import acquire_waiting
from neo_core.lease.words import DEFAULT_TTL, GENERATION, INHERITED_TOKEN, RENEW_EVERY, AcquireStatus, RenewStatus
from neo_core.workspace import ensure_state, resolve_workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType, TracebackType

    from neo_core.lease.record import Lease

P = ParamSpec("P")
T = TypeVar("T")


class LeaseHeldError(NeoError):
    """Somebody else works; ``str(error)`` is upstream's two lines, ``attempt`` the whole answer.

    A script that wants upstream's manners prints it and exits 0.
    """

    def __init__(self, attempt: Acquisition) -> None:
        super().__init__("heavy-maintenance lease", attempt.detail, "Try again later, or pass wait=SECONDS.")
        self.attempt = attempt
        self.args = (deferral_lines(attempt.before),)


class Held(NamedTuple):
    """What the ``with`` statement gives: how the lease was come by, and the record."""

    status: AcquireStatus
    lease: Lease
    generation: int


class hold_lease:  # noqa: N801 - reads as the verb it is, like contextlib.suppress
    """Hold the heavy-maintenance lease during a block or a function.

    ``owner`` names you in every status; ``wait`` is how many seconds to wait for a holder (0: not at all);
    ``workspace`` is found as by the commands when not given; ``ttl`` and ``renew_every`` are in seconds.

    Raises ``LeaseHeldError`` when somebody else works, ``LeaseError`` when the lease cannot be read or written. A
    process started inside the block inherits the lease; a start inside a run that already holds it borrows. SIGTERM
    ends the block like SIGINT does, so that the lease is released.
    """

    def __init__(
        self,
        owner: str,
        reason: str = "manual-cli",
        *,
        wait: float = 0.0,
        workspace: str | os.PathLike[str] | None = None,
        ttl: float = DEFAULT_TTL,
        renew_every: float = RENEW_EVERY,
        allow_network: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self._owner = owner
        self._reason = reason
        self._wait = wait
        self._workspace = workspace
        self._ttl = ttl
        self._renew_every = renew_every
        self._allow_network = allow_network
        self._clock = clock or SystemClock()
        self._hold: HeldLease | None = None
        self._stop = threading.Event()
        self._restore: list[tuple[str, str | None]] = []
        self._old_handler: Any = None

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        """Hold the lease during each call of ``function``."""

        @functools.wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
            with self._again():
                return function(*args, **kwargs)

        return guarded

    def __enter__(self) -> Held:
        workspace = resolve_workspace(self._workspace)
        ensure_state(workspace)
        store = LeaseStore(workspace.lease, clock=self._clock, allow_network=self._allow_network)
        borrowed = inherited_lease(store)
        if borrowed is not None:
            generation = borrowed.holder.generation if borrowed.holder else 0
            return Held(AcquireStatus.INHERITED, borrowed, generation)
        attempt = acquire_waiting(store, self._owner, self._reason, wait=self._wait, ttl=self._ttl, source="hold_lease")
        if attempt.hold is None:
            raise LeaseHeldError(attempt)
        self._hold = attempt.hold
        try:
            self._export(attempt.hold)
            self._catch_sigterm()
            threading.Thread(target=self._keep_renewing, name="lease-renewal", daemon=True).start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return Held(attempt.status, attempt.hold.lease, attempt.hold.generation)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        hold, self._hold = self._hold, None
        if hold is None or not hold.mine:
            return
        self._stop.set()
        self._undo()
        try:
            hold.release()
        except LeaseError as failed:
            warnings.warn(f"the lease was not released cleanly: {failed}", RuntimeWarning, stacklevel=2)

    def _again(self) -> hold_lease:
        return hold_lease(
            self._owner,
            self._reason,
            wait=self._wait,
            workspace=self._workspace,
            ttl=self._ttl,
            renew_every=self._renew_every,
            allow_network=self._allow_network,
            clock=self._clock,
        )

    def _export(self, hold: HeldLease) -> None:
        """Let processes started inside the block inherit."""
        for name, value in ((INHERITED_TOKEN, hold.lease.token), (GENERATION, str(hold.generation))):
            self._restore.append((name, os.environ.get(name)))
            os.environ[name] = value

    def _catch_sigterm(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            self._old_handler = signal.signal(signal.SIGTERM, _leave)

    def _undo(self) -> None:
        for name, value in self._restore:
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._restore.clear()
        if self._old_handler is not None:
            signal.signal(signal.SIGTERM, self._old_handler)
            self._old_handler = None

    def _keep_renewing(self) -> None:
        while not self._stop.wait(self._renew_every):
            hold = self._hold
            if hold is None:
                return
            try:
                status = hold.renew()
            except LeaseError as error:
                _say(f"the lease could not be renewed, trying again: {error}")
                continue
            if status is not RenewStatus.RENEWED and self._hold is not None:
                _say(f"COLLISION: the lease record is no longer ours ({status}); another script may be working")
                return


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _say(text: str) -> None:
    sys.stderr.write(f"neo-lease: {text}\n")
