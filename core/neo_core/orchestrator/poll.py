"""One poll: see what is due, start what may, and write down why the rest does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from neo_core.admission import compose_scene
from neo_core.collisions import find_collisions, may_collide
from neo_core.errors import LeaseError, LedgerError
from neo_core.lease.store import LeaseStore
from neo_core.lease.words import HolderState, RecordStatus
from neo_core.ledger.models import ControlKind, LeaseEvent, Run, Trigger
from neo_core.orchestrator.planning import Due, Plan, passed_over, plan
from neo_core.orchestrator.reload import in_force
from neo_core.orchestrator.telling import tell_collisions, tell_ended, tell_paced, tell_prevented, tell_starved
from neo_core.requests import prevented, request
from neo_core.runs.spawn import SpawnError
from neo_core.starting import Starter

if TYPE_CHECKING:
    from neo_core.clock import Clock
    from neo_core.lease.inspect import Inspection
    from neo_core.ledger.store import Ledger
    from neo_core.orchestrator.log import ChangeLog, Say
    from neo_core.orchestrator.reading import Reading
    from neo_core.orchestrator.reload import Settings
    from neo_core.processes.source import ProcessSource
    from neo_core.schedule.memory_gates import MemoryFacts
    from neo_core.workspace import Workspace


class Poller:
    """Polls one workspace. Every method may raise ``NeoError``; what was begun stays recorded."""

    def __init__(
        self,
        workspace: Workspace,
        ledger: Ledger,
        reading: Reading,
        *,
        clock: Clock,
        source: ProcessSource,
        say: Say,
        changes: ChangeLog,
    ) -> None:
        self._workspace, self._ledger, self._reading = workspace, ledger, reading
        self._clock, self._source, self._say, self._changes = clock, source, say, changes
        self._alive: dict[str, Run] = {}
        self._lease = self._store(allow_network=False)
        self._starter = Starter(workspace, self._lease, clock=clock)

    def configure(self, settings: Settings) -> None:
        """Work by these settings from the next poll on."""
        self._lease = self._store(allow_network=settings.config.lease.allow_network_filesystem)
        self._starter.use(self._lease, in_force(self._workspace))

    def use_ledger(self, ledger: Ledger, reading: Reading) -> None:
        """Go on with another ledger, that knows nothing of the runs which are alive."""
        self._ledger, self._reading = ledger, reading
        self._alive = {}

    def child_ended(self, pid: int, exit_code: int) -> bool:
        """Take note of a runner that was collected; false when the child was none."""
        return self._starter.child_ended(pid, exit_code)

    def poll(self, settings: Settings, light_at_once: int | None = None) -> bool:
        """Do all of it once; true when more than ``light_at_once`` light tasks were due, whose rest goes on next."""
        self._reading.refresh()
        self._reading.see(settings.tasks, self._clock.now())
        live, lost = self._reading.live()
        self._follow(live, lost)
        seen = self._reclaimed(self._lease.inspect())
        self._look_for_collisions(live, seen)
        planned = self._plan(settings, live, seen)
        rest = 0 if light_at_once is None else max(0, len(planned.light) - light_at_once)
        tell_paced(self._changes, len(planned.light), rest)
        if planned.all:
            self._carry_out(msgspec.structs.replace(planned, light=planned.light[: len(planned.light) - rest]))
        else:
            tell_prevented(self._changes, [], set())
            tell_starved(self._changes, [])
        return rest > 0

    def _look_for_collisions(self, live: tuple[Run, ...], seen: Inspection) -> None:
        """Say what the lease could not prevent; where no heavy command of ours runs, nothing collides with it."""
        found = find_collisions(live, self._reading.lost(), seen, self._source) if may_collide(live) else ()
        tell_collisions(self._changes, found)

    def _plan(self, settings: Settings, live: tuple[Run, ...], seen: Inspection) -> Plan:
        scene = compose_scene(
            seen,
            trigger=Trigger.SCHEDULED,
            now=self._clock.now(),
            token="",
            live=live,
            snoozes=self._reading.controls(ControlKind.SNOOZE),
            pauses=self._reading.holds(),
            memory=self._memory(settings),
        )
        services = self._reading.services(settings.tasks)
        return plan(
            self._reading.known(settings.tasks),
            scene,
            starved_after=settings.config.orchestrator.starved_after,
            dependencies=lambda task: self._reading.dependencies(task, services),
        )

    def _memory(self, settings: Settings) -> MemoryFacts:
        """Return what the memory gates judge by; a record of it that cannot be read stops nothing but itself."""
        try:
            facts = self._reading.memory(settings)
        except (LedgerError, OSError, ValueError) as error:
            told = f"The memory's record cannot be read, going by one look: {error}"
            self._changes.tell("memory", "", str(error), "ERROR", told)
            return self._reading.memory_now(settings)
        self._changes.over("memory", "", "The memory's record can be read again")
        return facts

    def _carry_out(self, planned: Plan) -> None:
        started: dict[str, Run] = {}
        waiting = list(planned.prevented)
        turn: Run | None = None
        for one in planned.heavy:
            if turn is not None:
                waiting.append(passed_over(one, turn))
                continue
            turn = self._start(one)
            if turn is not None:
                started[one.task.name] = turn
        for one in planned.light:
            run = self._start(one)
            if run is not None:
                started[one.task.name] = run
        self._record(waiting)
        tell_prevented(self._changes, waiting, set(started))
        tell_starved(self._changes, waiting)

    def _start(self, one: Due) -> Run | None:
        """Start one task; ``None`` when that failed, which is recorded as a failed start."""
        self._reading.forget(one.task.name)
        try:
            attempt = self._starter.start(one.task, one.decision, self._ledger)
        except SpawnError as error:
            self._say("ERROR", f"{one.task.name} could not be started: {error}")
            return None
        why = next((result.value for result in one.decision.results if result.gate == "due"), "due")
        self._say("INFO", f"Starting {one.task.name} (run {attempt.run_id}): {why}")
        if attempt.run is not None:
            self._alive[attempt.run_id] = attempt.run
        return attempt.run

    def _record(self, waiting: list[Due]) -> None:
        """Write down every start that did not happen, in one commit."""
        if not waiting:
            return
        now = self._clock.now()
        with self._ledger.database.transaction():
            for one in waiting:
                row = prevented(request(one.task, one.decision, now), one.decision)
                self._ledger.runs.record_prevented(row)
        for one in waiting:
            self._reading.forget(one.task.name)

    def _follow(self, live: tuple[Run, ...], lost: list[Run]) -> None:
        """Say how the runs ended that were alive at the last poll, and which are new without our doing."""
        now_alive = {run.run_id: run for run in live}
        for run_id, run in self._alive.items():
            if run_id not in now_alive:
                ended = next((row for row in self._ledger.runs.find(run_id) if row.run_id == run_id), run)
                tell_ended(self._changes, ended, "WARN" if run in lost else "")
        for run in live:
            if run.run_id not in self._alive:
                who = f"by {run.requested_by}" if run.requested_by else "by somebody"
                self._say("INFO", f"Run {run.run_id} of {run.task} is alive, started {run.trigger} {who}")
        self._alive = now_alive

    def _reclaimed(self, seen: Inspection) -> Inspection:
        """Remove the record of a holder that is proven dead and left nothing behind; return the lease as it is then."""
        if seen.status is not RecordStatus.STALE or seen.holder is not HolderState.DEAD:
            return seen
        try:
            before = self._lease.reclaim()
        except LeaseError as error:
            self._changes.tell("reclaim", "", str(error), "ERROR", f"A dead holder's lease stays: {error}")
            return seen
        self._changes.over("reclaim", "")
        lease = before.lease
        if not before.takeable or lease is None:
            return before
        self._say("INFO", f"Reclaimed the lease of {lease.owner} (pid {lease.pid}), which is gone")
        run_id = lease.metadata.get("runId")
        self._ledger.lease_events.add(
            LeaseEvent(
                at=self._clock.now(),
                event="reclaimed",
                owner=lease.owner,
                token_prefix=lease.token[:8],
                generation=lease.holder.generation if lease.holder else 0,
                run_id=run_id if isinstance(run_id, str) else "",
                pid=lease.pid or 0,
                detail="by the orchestrator: its holder is gone",
            )
        )
        return self._lease.inspect()

    def _store(self, *, allow_network: bool) -> LeaseStore:
        return LeaseStore(self._workspace.lease, source=self._source, clock=self._clock, allow_network=allow_network)
