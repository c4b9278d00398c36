"""The keeper of all services: adopts what lives, starts what should, restarts what fails, ends what must go.

It is driven by the orchestrator's loop and waits for nothing itself, but for the end of services at its own.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from neo_core.errors import LedgerError, NeoError
from neo_core.ledger.models import Control, ControlKind, ServiceRecord, ServiceState
from neo_core.services import policy
from neo_core.services.catalogue import Service, unconfigured
from neo_core.services.environment import fingerprint, marker_of, probe_instance
from neo_core.services.kept import KeptService, forget_row
from neo_core.services.launch import World, what_lives
from neo_core.services.standing import ALIVE, After, Standing
from neo_core.services.tree import ServiceTree

if TYPE_CHECKING:
    from collections.abc import Callable

    from neo_core.clock import Clock
    from neo_core.ledger.store import Ledger
    from neo_core.processes.source import ProcessSource
    from neo_core.workspace import Workspace

_RETRY_AFTER = 1.0
_END_MARGIN = 7.0
_END_PAUSE = 0.02


class ServiceKeeper:
    """Looks after ``services``; ``say`` gets a level and a line per change, ``random`` numbers from 0 to 1.

    A trouble of one service is its own reason and never raised. Nothing is started before ``begin`` could read what an
    earlier keeper left.
    """

    def __init__(
        self,
        workspace: Workspace,
        ledger: Ledger,
        services: dict[str, Service],
        *,
        clock: Clock,
        source: ProcessSource,
        say: Callable[[str, str], None],
        random: Callable[[], float],
    ) -> None:
        self._world = World(workspace, ledger, clock=clock, source=source, say=say, random=random)
        self._services = dict(services)
        self._kept: dict[str, KeptService] = {}
        self._begun = False
        self._complained = False
        self._troubled: set[str] = set()
        self._begin_at = 0.0

    @property
    def begun(self) -> bool:
        """Whether what ran before is known, so that commands can be obeyed."""
        return self._begun

    def begin(self) -> None:
        """Adopt what an earlier keeper left and reconcile the rest; tried again by ``tick`` when it cannot be read."""
        try:
            records = self._world.ledger.services.all()
        except LedgerError as error:
            self._begin_at = self._world.clock.monotonic() + _RETRY_AFTER
            if not self._complained:
                self._world.say("ERROR", f"Services wait: what runs of them cannot be read: {error}")
            self._complained = True
            return
        self._begun = True
        for name, service in self._services.items():
            self._kept[name] = self._restore(service, records.get(name))
        for name, record in records.items():
            if name not in self._kept:
                self._kept[name] = self._restore(unconfigured(name), record)
                self._remove(self._kept[name])

    def configure(self, services: dict[str, Service]) -> None:
        """Apply a changed catalogue: start the new, restart the changed, end and forget the removed."""
        self._services = dict(services)
        if not self._begun:
            return
        now = self._world.moment()
        for name, kept in self._kept.items():
            if name not in services:
                self._remove(kept)
            else:
                self._change(kept, services[name])
        for name, service in services.items():
            if name not in self._kept:
                self._kept[name] = KeptService(service, policy.fresh(name, now), self._world)

    def use_ledger(self, ledger: Ledger) -> None:
        """Go on with another ledger, which gets to know of every service what the one before knew."""
        self._world.ledger = ledger
        for kept in self._kept.values():
            kept.write_again()

    def tick(self) -> None:
        """Do everything that is due now."""
        if not self._begun:
            if self._world.clock.monotonic() >= self._begin_at:
                self.begin()
            return
        for kept in list(self._kept.values()):
            self._tick_one(kept)
            if kept.forgotten and forget_row(kept, self._world):
                kept.detach()
                del self._kept[kept.service.name]

    def _tick_one(self, kept: KeptService) -> None:
        """Keep the trouble of one service (no descriptor left, say) from the others; it is said once."""
        name = kept.service.name
        try:
            kept.tick()
        except (OSError, NeoError) as error:
            if name not in self._troubled:
                self._troubled.add(name)
                self._world.say("ERROR", f"Service {name}: cannot be looked after, trying again: {error}")
        else:
            self._troubled.discard(name)

    def filenos(self) -> list[int]:
        """Return the descriptors whose readability calls for a ``tick``."""
        return [one for kept in self._kept.values() for one in kept.filenos()]

    def next_at(self) -> float | None:
        """Return the monotonic time at which ``tick`` is needed next; ``None`` for not before something happens."""
        if not self._begun:
            return self._begin_at
        times = (kept.next_at() for kept in self._kept.values())
        return min((one for one in times if one is not None), default=None)

    def child_ended(self, pid: int, status: int) -> None:
        """Take note that the loop collected a child; ``status`` is its exit code, negative for a signal."""
        for kept in self._kept.values():
            if kept.child_ended(pid, status):
                return

    def command(self, control: Control) -> None:
        """Do what an operator's row says; the caller acknowledges it then."""
        kept = self._kept.get(control.target)
        if kept is None or control.target not in self._services:
            self._world.say("WARN", f"Service {control.target}: there is none of that name; {control.kind} is dropped.")
            return
        now, who = self._world.moment(), control.requested_by or "an operator"
        because = f" ({control.because})" if control.because else ""
        if control.kind is ControlKind.SERVICE_START:
            kept.become(policy.told_to_start(kept.standing, now, f"started by {who}{because}"))
        elif control.kind is ControlKind.SERVICE_STOP:
            kept.become(policy.told_to_stop(kept.service, kept.standing, f"stopped by {who}{because}", now))
        elif control.kind is ControlKind.SERVICE_RESTART:
            kept.become(policy.told_to_restart(kept.service, kept.standing, f"restarted by {who}{because}", now))
        if control.force:
            kept.hurry()

    def end(self, *, stop: bool) -> None:
        """Let go of the services, or with ``stop`` end them all; waits at most the longest grace and 7 s more."""
        living = [kept for kept in self._kept.values() if kept.state in ALIVE]
        if stop and living:
            now = self._world.moment()
            for kept in living:
                kept.become(policy.ending(kept.service, kept.standing, After.LEAVE, "ended with the orchestrator", now))
            longest = max(kept.service.stop_grace for kept in living)
            self._await_ends(living, now.monotonic + longest + _END_MARGIN)
        for kept in self._kept.values():
            kept.detach()

    def _await_ends(self, living: list[KeptService], deadline: float) -> None:
        while any(kept.state in ALIVE for kept in living) and self._world.clock.monotonic() < deadline:
            for kept in living:
                self._collect(kept)
                if kept.state in ALIVE:
                    self._tick_one(kept)
            self._world.clock.sleep(_END_PAUSE)

    def _collect(self, kept: KeptService) -> None:
        for pid in kept.children:
            with suppress(ChildProcessError):
                ended, status = os.waitpid(pid, os.WNOHANG)
                if ended:
                    kept.child_ended(pid, os.waitstatus_to_exitcode(status))

    def _restore(self, service: Service, record: ServiceRecord | None) -> KeptService:
        """Return a service as an earlier keeper left it; what lives of it is adopted, or ended if it must not."""
        now, source = self._world.moment(), self._world.source
        if record is None:
            return KeptService(service, policy.fresh(service.name, now), self._world)
        if record.instance:
            ServiceTree(None, marker_of(probe_instance(record.instance)), source).signal(signal.SIGKILL)
        found = what_lives(service, record, self._world)
        kept = KeptService(service, Standing(record=record, entered=now.monotonic), self._world)
        if found.main is not None and record.wanted and record.state not in _NOT_TO_BE_ADOPTED:
            kept.adopt(found.main)
        elif found.main is not None or found.members:
            kept.end_leftovers(*_what_follows(service, record), found.main)
        else:
            rebooted = bool(record.boot_id and source.boot_id() and record.boot_id != source.boot_id())
            kept.become(policy.restored(service, record, now, rebooted=rebooted))
        return kept

    def _change(self, kept: KeptService, service: Service) -> None:
        before = kept.service
        if before != service:
            kept.reconfigure(service)
        returned = kept.standing.after is After.FORGET
        changed = fingerprint(before) != fingerprint(service)
        if not (changed or returned):
            return
        if kept.standing.record.wanted:
            because = "its configuration changed"
            kept.become(policy.told_to_restart(service, kept.standing, because, self._world.moment()))
        elif returned:
            kept.become(policy.kept_stopped(kept.standing))

    def _remove(self, kept: KeptService) -> None:
        kept.become(policy.removed(kept.service, kept.standing, self._world.moment()))


_NOT_TO_BE_ADOPTED = (ServiceState.STOPPING, ServiceState.STOPPED, ServiceState.FATAL)


def _what_follows(service: Service, record: ServiceRecord) -> tuple[After, str]:
    """Return what comes after ending the processes of a service that are not adopted, and why they are ended."""
    if not record.wanted or record.state in (ServiceState.STOPPED, ServiceState.FATAL):
        return After.STOP, record.reason or "stopped by an operator"
    if record.state is ServiceState.STOPPING:
        return After.START, record.reason
    because = "its main process is gone; ending what it left behind"
    return After.START if policy.resumes(service, record) else After.STOP, because
