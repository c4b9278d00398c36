"""One service as its keeper holds it: the standing, the row, the question under way, the tree on its way out."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from neo_core.errors import LedgerError, NeoError
from neo_core.ledger.models import ServiceState
from neo_core.processes.source import is_alive
from neo_core.services import policy
from neo_core.services.adopt import open_watch
from neo_core.services.environment import marker_of, new_instance, probe_instance, started_as
from neo_core.services.launch import launch, what_lives, who_has_the_port
from neo_core.services.logs import probe_log
from neo_core.services.prober import Prober
from neo_core.services.rounds import Rounds
from neo_core.services.row import Row
from neo_core.services.standing import ALIVE, Action, After, Moment, Standing
from neo_core.services.stop import Stopping
from neo_core.services.tree import ServiceTree

if TYPE_CHECKING:
    from neo_core.processes.source import ProcessIdentity
    from neo_core.services.catalogue import Service
    from neo_core.services.launch import World

_UNWRITTEN_PAUSE = 1.0


class KeptService:
    """Drives one service from standing to standing; nothing here waits."""

    def __init__(self, service: Service, standing: Standing, world: World) -> None:
        self.service = service
        self.standing = standing
        self._world = world
        self._row = Row(world)
        self._root: ProcessIdentity | None = None
        self._main_ended = False
        self._watch: int | None = None
        self._prober: Prober | None = None
        self._stopping: Stopping | None = None
        self._rounds = Rounds(world)

    @property
    def state(self) -> ServiceState:
        """The service's state."""
        return self.standing.state

    @property
    def forgotten(self) -> bool:
        """Whether it is no longer configured and nothing of it lives."""
        return self.standing.after is After.FORGET and self.state not in ALIVE

    @property
    def children(self) -> list[int]:
        """The pids that may be children of ours."""
        return [] if self.standing.record.pid is None else [self.standing.record.pid]

    def tick(self) -> None:
        """Do everything that is due."""
        now = self._world.moment()
        self._row.retry(now)
        self._notice_end(now)
        self._ask(now)
        self._inspect(now)
        standing, action = policy.advance(self.service, self.standing, now)
        if action is Action.START:
            self._start(now)
        else:
            self.become(standing)
        self._look(now)

    def next_at(self) -> float | None:
        """Return the monotonic time of the next thing to do; ``None`` for none."""
        now = self._world.clock.monotonic()
        times = [policy.wakes_at(self.service, self.standing), self._row.retry_at]
        if self._asks():
            times.append(self._prober.next_at(now) if self._prober is not None else now)
            times.append(self._rounds.next_at(self.service))
        if self.state is ServiceState.STOPPING:
            times.append(now if self._stopping is None else self._stopping.next_look)
        return min((one for one in times if one is not None), default=None)

    def filenos(self) -> list[int]:
        """Return the descriptors to wait for."""
        asking = self._prober.fileno() if self._prober is not None else None
        return [one for one in (asking, self._watch) if one is not None]

    def child_ended(self, pid: int, code: int) -> bool:
        """Take note of the end of a child; false when it is none of this service."""
        if self._prober is not None and self._prober.ended(pid, code):
            return True
        if pid != self.standing.record.pid or self.state not in ALIVE or self._main_ended:
            return False
        self._exited(code, self._world.moment())
        return True

    def become(self, standing: Standing) -> None:
        """Take a new standing and write it down if it differs."""
        left = self.state in ALIVE and standing.state not in ALIVE
        self.standing = standing
        if not self._asks() and self._prober is not None:
            self._prober.cancel()
            self._prober = None
        if left:
            self._root, self._main_ended, self._stopping = None, False, None
            self._close_watch()
        self._row.write(self.service, standing.record, refused=standing.refusals > 0)

    def reconfigure(self, service: Service) -> None:
        """Go on by another configuration; whether that needs a restart is the keeper's to say."""
        self.service = service
        if self._prober is not None:
            self._prober.cancel()
            self._prober = None

    def write_again(self) -> None:
        """Write everything down for a ledger that knows nothing of it."""
        self._row.forget()
        self.become(self.standing)

    def hurry(self) -> None:
        """End it by force: KILL without waiting for its grace."""
        now = self._world.moment()
        self._look(now)
        if self._stopping is not None:
            self._stopping.hurry(now.monotonic)
            self._look(now)

    def adopt(self, identity: ProcessIdentity) -> None:
        """Go on with a process that an earlier keeper started."""
        now = self._world.moment()
        self._root, self._main_ended = identity, False
        self._close_watch()
        self._watch = open_watch(identity.pid)
        self.become(policy.adopted(self.service, self.standing.record, identity, now))
        if not started_as(self.service, self.standing.record.instance):
            because = "its configuration changed while nobody looked after it"
            self.become(policy.told_to_restart(self.service, self.standing, because, now))

    def end_leftovers(self, after: After, because: str, main: ProcessIdentity | None = None) -> None:
        """End what still carries our marker, before anything else."""
        now = self._world.moment()
        self._root, self._main_ended = main, main is None
        self.become(policy.ending(self.service, self.standing, after, because, now))

    def detach(self) -> None:
        """Let go of descriptors and questions; the processes live on."""
        if self._prober is not None:
            self._prober.cancel()
            self._prober = None
        self._close_watch()
        self._row.retry(Moment(self._world.clock.now(), float("inf")))

    def _asks(self) -> bool:
        return self.state in (ServiceState.STARTING, ServiceState.RUNNING)

    def _notice_end(self, now: Moment) -> None:
        """See the end of a process that is no child of ours, or whose end the loop did not tell."""
        record = self.standing.record
        if self.state not in ALIVE or self._main_ended or record.pid is None:
            return
        if record.process is not None and is_alive(record.process, self._world.source):
            return
        code: int | None = None
        with suppress(ChildProcessError):
            pid, status = os.waitpid(record.pid, os.WNOHANG)
            if pid == 0:
                return  # hidden from us, but our child
            code = os.waitstatus_to_exitcode(status)
        self._exited(code, now)

    def _exited(self, code: int | None, now: Moment) -> None:
        self._main_ended = True
        self._close_watch()
        stopping = self.state is ServiceState.STOPPING
        self.standing = policy.exited(self.service, self.standing, code, now)
        if not stopping:
            self._stopping = self._begin_stopping(now)
        if self._stopping is not None:
            self._stopping.next_look = now.monotonic
        self._look(now)
        self.become(self.standing)

    def _ask(self, now: Moment) -> None:
        if not self._asks():
            return
        if self._prober is None:
            instance = probe_instance(self.standing.record.instance)
            log = probe_log(self._world.workspace, self.service.name)
            self._prober = Prober(self.service, instance, log, now.monotonic)
        result = self._prober.poll(now.monotonic, starting=self.state is ServiceState.STARTING)
        if result is not None:
            self.become(policy.probed(self.service, self.standing, result, now))

    def _inspect(self, now: Moment) -> None:
        if not self._asks():
            return
        complaint = self._rounds.look(self.service, self._tree(), now.monotonic)
        if complaint:
            self.become(policy.ending(self.service, self.standing, After.FAULT, complaint, now))

    def _start(self, now: Moment) -> None:
        if self._still_there():
            return
        stranger = who_has_the_port(self.service)
        if stranger:
            self.become(policy.refused(self.service, self.standing, stranger, now, self._world.random))
            return
        before = self.standing
        self.standing = policy.begun(
            self.service, before, new_instance(self.service), self._world.source.boot_id(), now
        )
        if not self._row.write(self.service, self.standing.record):
            # Without the row nobody could recognise the process after us.
            self.standing = msgspec.structs.replace(before, until=now.monotonic + _UNWRITTEN_PAUSE)
            self._row.drop()
            return
        try:
            started = launch(self.service, self.standing.record.instance, self._world)
        except NeoError as error:
            because = str(error).rstrip(".")
            self.become(policy.fault(self.service, self.standing, because, now, self._world.random))
            return
        self._root, self._main_ended = started.identity, False
        self.become(policy.spawned(self.standing, started.pid, started.identity))

    def _still_there(self) -> bool:
        """Take care of what lives of the instance before, if anything does; never two copies of a service."""
        found = what_lives(self.service, self.standing.record, self._world)
        if found.main is not None:
            self.adopt(found.main)
        elif found.members:
            self.end_leftovers(After.START, f"ending {len(found.members)} processes that an earlier start left behind")
        return bool(found.members)

    def _look(self, now: Moment) -> None:
        if self.state is not ServiceState.STOPPING:
            return
        if self._stopping is None:
            self._stopping = self._begin_stopping(now)
        stopping = self._stopping
        was_killed, was_stuck = stopping.killed, stopping.stuck
        if stopping.look(now.monotonic):
            self.become(policy.gone(self.service, self.standing, now, self._world.random))
            return
        if stopping.killed and not was_killed:
            self._world.say(
                "WARN", f"Service {self.service.name}: did not end on {self.service.stop_signal}, killing it."
            )
        if stopping.stuck and not was_stuck:
            self._world.say("ERROR", f"Service {self.service.name}: processes survive SIGKILL (stuck in the kernel).")

    def _begin_stopping(self, now: Moment) -> Stopping:
        until = self.standing.until
        deadline = now.monotonic + self.service.stop_grace if until is None else until
        number = signal.Signals[f"SIG{self.service.stop_signal}"]
        return Stopping(self._tree(), number, deadline, now.monotonic)

    def _tree(self) -> ServiceTree:
        return ServiceTree(self._root, marker_of(self.standing.record.instance), self._world.source)

    def _close_watch(self) -> None:
        if self._watch is not None:
            os.close(self._watch)
            self._watch = None


def forget_row(kept: KeptService, world: World) -> bool:
    """Remove the row of a service that is no longer configured; false when the ledger cannot be written now."""
    try:
        world.ledger.services.forget(kept.service.name)
    except LedgerError:
        return False
    return True
