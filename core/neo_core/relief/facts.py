"""Reading what the options rest on: what is due, who serves models, what works, and what their trees cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_core.admission import newest
from neo_core.config_checks import is_loopback
from neo_core.ledger.models import ControlKind
from neo_core.ledger.reliefs import Member, ReliefKind
from neo_core.processes.forest import Forest
from neo_core.processes.listening import listeners_on
from neo_core.processes.source import is_alive
from neo_core.relief.options import Astray, Coming, Server, Situation, Working
from neo_core.relief.trees import tree_of
from neo_core.relief.urls import address_of, port_of
from neo_core.runs.lost import is_lost
from neo_core.schedule.due import next_due
from neo_core.schedule.prompts import past_of

if TYPE_CHECKING:
    from neo_core.catalogue import Catalogue
    from neo_core.config import UnloadConfig
    from neo_core.ledger.models import ServiceRecord
    from neo_core.ledger.store import Ledger
    from neo_core.processes.source import ProcessSource
    from neo_core.snapshot_strays import StraysView

_ANY = ("0.0.0.0", "::")  # noqa: S104 - read from the kernel's tables, not bound to


def situation_of(
    ledger: Ledger, catalogue: Catalogue, strays: StraysView, *, source: ProcessSource, now: float
) -> Situation:
    """Return everything that the options rest on. Raises ``LedgerError``."""
    forest = Forest(source.scan())
    return Situation(
        now=now,
        deferral=newest(ControlKind.DEFER_HEAVY, ledger.controls.holds(now)),
        coming=_coming(ledger, catalogue, now),
        servers=_servers(ledger, catalogue, forest, source),
        working=_working(ledger, forest, source, now),
        strays=_astray(strays, forest, source),
        orphaned=strays.orphaned,
        orphaned_mend=strays.orphaned_mend,
    )


def _astray(view: StraysView, forest: Forest, source: ProcessSource) -> tuple[Astray, ...]:
    """Return what was started here and belongs to nothing; what is not ours, only who knows it by name ends."""
    ours = [(one, tree_of(one.members, forest, source)) for one in view.found if not one.foreign]
    return tuple(Astray(stray=one, tree=tree) for one, tree in ours if tree.members)


def _coming(ledger: Ledger, catalogue: Catalogue, now: float) -> tuple[Coming, ...]:
    first_seen = ledger.task_marks.first_seen()
    running = {run.task for run in ledger.runs.live()}
    found: list[Coming] = []
    for task in catalogue.tasks.values():
        if not (task.heavy and task.configured) or task.name in running:
            continue
        due_at = next_due(task, past_of(task, ledger.runs.record_of(task.name), first_seen.get(task.name)), now)
        if due_at is not None:
            found.append(Coming(task=task.name, due_at=due_at))
    return tuple(found)


def _working(ledger: Ledger, forest: Forest, source: ProcessSource, now: float) -> tuple[Working, ...]:
    found: list[Working] = []
    for run in ledger.runs.live():
        if is_lost(run, source, now):
            continue
        runner = run.runner
        tree = tree_of([(runner.pid, runner.start_time)], forest, source) if runner else None
        found.append(Working(run=run, tree=tree if tree is not None and tree.members else None))
    return tuple(found)


def _servers(ledger: Ledger, catalogue: Catalogue, forest: Forest, source: ProcessSource) -> tuple[Server, ...]:
    services = ledger.services.all()
    found: list[Server] = []
    for name, told in catalogue.config.unload.items():
        roots, why, absent = _roots(told, services, forest, source)
        tree = tree_of(roots, forest, source) if roots else None
        found.append(
            Server(
                name=name,
                address=address_of(told.url),
                tree=tree if tree is not None and tree.members else None,
                why=why,
                absent=absent,
                freed=tuple(ledger.reliefs.freed_by(ReliefKind.UNLOAD, name)),
            )
        )
    return tuple(found)


def _roots(
    told: UnloadConfig, services: dict[str, ServiceRecord], forest: Forest, source: ProcessSource
) -> tuple[list[Member], str, bool]:
    """Return the tops of a server's trees; else why they are not known, and whether nobody is there."""
    if told.service is not None:
        record = services.get(told.service)
        process = record.process if record else None
        if process is None or not is_alive(process, source):
            return [], f"the service {told.service} is not running", True
        return [(process.pid, process.start_time)], "", False
    port = port_of(told.url)
    try:
        found = [one for one in listeners_on(port) if one.address in _ANY or is_loopback(one.address)]
    except OSError:
        return [], f"the system does not tell who listens on port {port}", False
    if not found:
        return [], f"nobody listens on port {port}", True
    pids = {one.pid for one in found if one.pid in forest.processes}
    members = [(pid, forest.processes[pid].start_time) for pid in sorted(pid for pid in pids if pid is not None)]
    return members, "" if members else f"the process on port {port} is another user's", False
