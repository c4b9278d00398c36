"""``hold_lease``: the lease for scripts, as a context manager and decorator."""

from __future__ import annotations

import functools
import os
import signal
import sys
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar

from neo_core.clock import Clock, SystemClock
from neo_core.errors import NeoError
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

_LOOK_EVERY = 2.0
_DEFERRED = 0x20 | 0x80 | 0x200  # CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR; importing inspect costs 10 ms


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
        self._entered: list[HeldLease | None] = []  # one per ``with``; None: that one borrows
        self._stop = threading.Event()
        self._restore: list[tuple[str, str | None]] = []
        self._old_handler: Any = None

    def __call__(self, function: Callable[P, T]) -> Callable[P, T]:
        """Hold the lease during each call of ``function``; one that only begins when called is refused."""
        if getattr(getattr(function, "__code__", None), "co_flags", 0) & _DEFERRED:
            raise TypeError(f"{function!r} does its work after it was called: use 'with hold_lease(...)' inside it")

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
            self._entered.append(None)
            generation = borrowed.holder.generation if borrowed.holder else 0
            return Held(AcquireStatus.INHERITED, borrowed, generation)
        attempt = acquire_waiting(store, self._owner, self._reason, wait=self._wait, ttl=self._ttl, source="hold_lease")
        if attempt.hold is None:
            raise LeaseHeldError(attempt)
        self._entered.append(attempt.hold)
        self._stop = threading.Event()
        try:
            self._export(attempt.hold)
            self._catch_sigterm()
            work = (attempt.hold, self._stop)
            threading.Thread(target=self._keep_renewing, args=work, name="lease-renewal", daemon=True).start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return Held(attempt.status, attempt.hold.lease, attempt.hold.generation)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        hold = self._entered.pop() if self._entered else None
        if hold is None or not hold.mine:
            return
        self._stop.set()
        try:
            self._undo()
        finally:
            self._release(hold)

    def _release(self, hold: HeldLease) -> None:
        try:
            hold.release()
        except (NeoError, OSError) as failed:
            _say(f"the lease was not released cleanly: {failed}")

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
        old, self._old_handler = self._old_handler, None
        if old is not None and signal.getsignal(signal.SIGTERM) is _leave:
            with suppress(ValueError):  # left in another thread than entered
                signal.signal(signal.SIGTERM, old)

    def _keep_renewing(self, hold: HeldLease, stop: threading.Event) -> None:
        """Renew by the wall clock, which goes on while the machine sleeps; ``Event.wait`` may not."""
        renewed = self._clock.now()
        while not stop.wait(min(self._renew_every, _LOOK_EVERY)):
            now = self._clock.now()
            if 0 <= now - renewed < self._renew_every * 0.9 and os.path.lexists(hold.path):
                continue
            renewed = now
            try:
                status = hold.renew()
            except (NeoError, OSError, ValueError) as error:
                _say(f"the lease could not be renewed, trying again: {error}")
                continue
            if status is RenewStatus.RETAKEN:
                _say("the lease record was removed; it was taken again")
            elif status is RenewStatus.NOT_OWNER and not stop.is_set():
                _say(f"COLLISION: the lease record is no longer ours ({status}); another script may be working")
                return


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _say(text: str) -> None:
    with suppress(OSError, ValueError, AttributeError):  # no stderr, a closed one, a full disk
        sys.stderr.write(f"neo-lease: {text}\n")
