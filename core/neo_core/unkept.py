"""Stopping a service that no orchestrator looks after, as its keeper would, with the orchestrator's lock in hand."""

from __future__ import annotations

import random
import signal
from typing import TYPE_CHECKING

import msgspec

from neo_core.errors import NeoError
from neo_core.incumbent import no_orchestrator, read_incumbent
from neo_core.ledger.models import SERVICE_CONTROLS, Control, ControlKind
from neo_core.processes.source import is_alive
from neo_core.services import policy
from neo_core.services.environment import marker_of, probe_instance
from neo_core.services.kept import KeptService
from neo_core.services.launch import World, what_lives
from neo_core.services.standing import ALIVE, After, Standing
from neo_core.services.tree import ServiceTree

if TYPE_CHECKING:
    from neo_core.clock import Clock
    from neo_core.ledger.store import Ledger
    from neo_core.processes.source import ProcessSource
    from neo_core.services.catalogue import Service
    from neo_core.workspace import Workspace

_END_MARGIN = 7.0
_PAUSE = 0.02


def keeper_lives(workspace: Workspace, ledger: Ledger, source: ProcessSource) -> bool:
    """Return whether an orchestrator would obey: the one of the lock file, or one whose lock file is gone.

    Raises ``NeoError`` when the lock file cannot be read.
    """
    incumbent = read_incumbent(workspace, source)
    if incumbent is not None and incumbent.alive:
        return True
    latest = ledger.orchestrators.latest() if ledger.database.exists else None
    return latest is not None and latest.ended_at is None and is_alive(latest.process, source)


def stop_unkept(
    service: Service,
    workspace: Workspace,
    ledger: Ledger,
    *,
    source: ProcessSource,
    clock: Clock,
    because: str,
    who: str,
) -> Control:
    """End what lives of the service and leave it stopped, also for the next orchestrator; waits for its grace.

    The row of the command is written before, and how it went after; it is returned acknowledged. Raises ``NeoError``
    when an orchestrator lives after all or is just starting, when the ledger cannot be written (nothing is done then),
    and when something of the service is left.
    """
    with no_orchestrator(workspace):
        if keeper_lives(workspace, ledger, source):
            raise NeoError(f"service {service.name}", "has an orchestrator by now, which looks after it", "Repeat it.")
        now = clock.now()
        earlier = [one for one in ledger.controls.pending(*SERVICE_CONTROLS) if one.target == service.name]
        with ledger.database.transaction():
            for one in earlier:  # or the next orchestrator would still obey a start
                ledger.controls.acknowledge(one.control_id, now)
            kind = ControlKind.SERVICE_STOP
            control = ledger.controls.add(kind, service.name, at=now, because=because, requested_by=who)
        said = _Said()
        world = World(workspace, ledger, clock=clock, source=source, say=said.take, random=random.random)
        went = _stop(service, world, f"stopped by {who}{f' ({because})' if because else ''}", said)
        told = "; ".join(part for part in (because, "no orchestrator was running") if part)
        at, because = clock.now(), f"{told} → {went}"
        ledger.controls.conclude(control.control_id, at, because)
    if said.trouble:
        raise NeoError(f"service {service.name}", went, "Look at it: neo-console services, neo-console strays.")
    return msgspec.structs.replace(control, acknowledged_at=at, because=because)


class _Said:
    """What a keeper would write into the orchestrator's log: what is worth a word, and what is left undone."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.trouble: list[str] = []

    def take(self, level: str, line: str) -> None:
        text = line.rstrip(".").partition(": ")[2]
        if level in ("WARN", "ERROR"):
            (self.trouble if level == "ERROR" else self.words).append(text)


def _stop(service: Service, world: World, reason: str, said: _Said) -> str:
    """Stop it as the keeper does, and return how that went."""
    now, source = world.moment(), world.source
    record = world.ledger.services.all().get(service.name) or policy.fresh(service.name, now).record
    if record.instance:
        ServiceTree(None, marker_of(probe_instance(record.instance)), source).signal(signal.SIGKILL)
    found = what_lives(service, record, world)
    if found.refused and record.process is not None and is_alive(record.process, source):
        said.trouble.append(f"{found.refused}, and was left alone")
    unwanted = Standing(record=msgspec.structs.replace(record, wanted=False), entered=now.monotonic)
    kept = KeptService(service, unwanted, world)
    members = {*found.members, *([found.main] if found.main else [])}
    if members:
        kept.end_leftovers(After.STOP, reason, found.main)
    else:
        kept.become(policy.told_to_stop(service, unwanted, reason, now))
    deadline = now.monotonic + service.stop_grace + _END_MARGIN
    while kept.state in ALIVE and world.clock.monotonic() < deadline:
        kept.tick()
        world.clock.sleep(_PAUSE if kept.state in ALIVE else 0.0)
    kept.detach()
    if kept.state in ALIVE:
        said.trouble.append("processes of it are still there")
    if said.trouble:
        return "; ".join(said.trouble)
    count = f"{len(members)} processes" if len(members) > 1 else "1 process"
    ended = f"{count} ended" if members else "nothing of it was running"
    return "; ".join([ended, *said.words])
