"""A command under a lease that this process holds, in its own terminal: what ``neo-lease run`` guards.

Free of slow imports: a wrapper must not take longer to start than what it guards.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

from neo_core.errors import LeaseError, describe_os_error
from neo_core.lease.carriers import find_carriers
from neo_core.lease.words import GENERATION, INHERITED_TOKEN, RENEW_EVERY, RenewStatus
from neo_core.runs.signals import Reaper, SignalWaiter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from neo_core.lease.store import HeldLease, LeaseStore

_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
_RESET = (signal.SIGPIPE, signal.SIGXFSZ)
_LOOK_EVERY = 0.1
_KEEP_EVERY = 2.0  # seconds between two looks whether the record is still there


def replace_by(command: Sequence[str]) -> None:
    """Become ``command``, which borrows by the variable that is already there. Raises ``OSError``."""
    for number in _RESET:
        signal.signal(number, signal.SIG_DFL)
    os.execvp(command[0], list(command))  # noqa: S606 - no shell is the point


def run_guarded(command: Sequence[str], hold: HeldLease, store: LeaseStore) -> int:
    """Run ``command`` while holding, renew, pass signals on, and return its exit code (128 + signal when killed).

    Returns when the last process that carries the lease is gone; the caller releases. Raises ``OSError`` when the
    command cannot be started.
    """
    # What the caller ignores (nohup, a background job) stays ignored, for the command too.
    waiter = SignalWaiter(tuple(number for number in _FORWARDED if signal.getsignal(number) is not signal.SIG_IGN))
    child = _spawn(command, hold)
    reaper = Reaper(child)
    renewed = store.clock.monotonic()
    while reaper.exit_code is None:
        if waiter.stop_signal is not None:
            _forward(waiter, child, hold.lease.token, store)
        if store.clock.monotonic() - renewed >= RENEW_EVERY:
            renewed = store.clock.monotonic()
            _renew(hold)
        else:
            _keep(hold)
        waiter.wait(min(_KEEP_EVERY, RENEW_EVERY))
        reaper.collect()
    _wait_for_the_rest(hold, store, waiter)
    return reaper.exit_code if reaper.exit_code >= 0 else 128 - reaper.exit_code


def _spawn(command: Sequence[str], hold: HeldLease) -> int:
    environment = {**os.environ, INHERITED_TOKEN: hold.lease.token, GENERATION: str(hold.generation)}
    os.set_inheritable(hold.descriptor, True)
    try:
        return os.posix_spawnp(command[0], list(command), environment, setsigdef=_RESET)
    finally:
        os.set_inheritable(hold.descriptor, False)


def _forward(waiter: SignalWaiter, child: int, token: str, store: LeaseStore) -> None:
    """Pass a signal on, unless the terminal has given it to the command itself; SIGTERM to all that works for it."""
    number, waiter.stop_signal = waiter.stop_signal, None
    if number is None or (number in (signal.SIGINT, signal.SIGQUIT) and _in_foreground()):
        return
    if number == signal.SIGTERM:
        _end_tree(child, token, store)
    else:
        _send(child, number)


def _end_tree(child: int, token: str, store: LeaseStore) -> None:
    """Ask the command to end, and then everything that works for it, as a run's stop does."""
    from neo_core.runs.tree import RunTree, signal_exactly

    try:
        # Looked for before the command ends: what that leaves behind has another parent then.
        tree = RunTree(os.getpid(), None, f"{INHERITED_TOKEN}={token}", store.source).identities()
    except OSError as error:
        _say(f"what the command started cannot be looked for: {describe_os_error(error)}")
        tree = []
    _send(child, signal.SIGTERM)
    for one in tree:
        if one.pid != child:
            signal_exactly(one, signal.SIGTERM, store.source)


def _send(child: int, number: int) -> None:
    try:
        os.kill(child, number)
    except ProcessLookupError:
        return
    except PermissionError:  # a command that became another user, like sudo
        _say(f"{signal.Signals(number).name} could not be passed on: the command (pid {child}) belongs to another user")


def _in_foreground() -> bool:
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError, AttributeError):
        return False


def _keep(hold: HeldLease) -> None:
    """Take the lease again when its record was removed; what else is wrong, the next renewal says."""
    if not os.path.lexists(hold.path):
        _renew(hold)


def _renew(hold: HeldLease) -> None:
    try:
        status = hold.renew()
    except LeaseError as error:
        _say(f"the lease could not be renewed, trying again: {error}")
        return
    if status is RenewStatus.RETAKEN:
        _say("the lease record was removed; it was taken again")
    elif status is RenewStatus.NOT_OWNER:
        _say(f"COLLISION: the lease record is no longer ours ({status}); another script may be working")


def _wait_for_the_rest(hold: HeldLease, store: LeaseStore, waiter: SignalWaiter) -> None:
    """Wait for what the command left behind: the lease is free only when the last of its processes is gone."""
    said = False
    renewed = store.clock.monotonic()
    holder = hold.lease.holder
    while True:
        try:
            scan = find_carriers(store.source, hold.lease.token, holder.hold if holder else None, besides={os.getpid()})
        except OSError as error:
            _say(f"what the command left behind cannot be looked for: {describe_os_error(error)}")
            return
        if not scan.carriers:
            return
        if waiter.stop_signal is not None:
            for carrier in scan.carriers:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(carrier.pid, waiter.stop_signal)
            waiter.stop_signal = None
        if not said:
            said = True
            pids = ", ".join(str(carrier.pid) for carrier in scan.carriers)
            _say(f"the command ended; waiting for what it left behind (pid {pids}); to end that: kill {os.getpid()}")
        if store.clock.monotonic() - renewed >= RENEW_EVERY:
            renewed = store.clock.monotonic()
            _renew(hold)
        else:
            _keep(hold)
        waiter.wait(_LOOK_EVERY)


def _say(text: str) -> None:
    with suppress(OSError):  # a full disk or a reader that left must not end the watch
        sys.stderr.write(f"neo-lease: {text}\n")
