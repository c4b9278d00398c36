"""The read-only observer: whether a service is up. It reads and pings, and never starts or kills a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_core.ledger.models import ServiceRecord, ServiceState
from neo_core.processes.source import is_alive
from neo_core.schedule.gates import DependencyFacts
from neo_core.services.probe import ProbeResult, ping

if TYPE_CHECKING:
    from neo_core.processes.source import ProcessSource
    from neo_core.profiles import Task
    from neo_core.services.catalogue import Service


def is_up(
    service: Service,
    *,
    timeout: float | None = None,
    record: ServiceRecord | None = None,
    source: ProcessSource | None = None,
) -> ProbeResult:
    """Return whether ``service`` answers now, within ``timeout`` seconds (default: its probe's); no answer means dead.

    One without a probe is up while the process in its ``record`` lives; without these it is not known to be.
    """
    if service.probe != "none":
        return ping(service, timeout)
    if record is None or record.process is None or source is None:
        return ProbeResult(False, "it has no probe, and no process of it is known")
    alive = is_alive(record.process, source)
    return ProbeResult(alive, f"its process (pid {record.pid}) {'is alive' if alive else 'is gone'}")


def dependencies_of(
    task: Task, services: dict[str, ServiceRecord], source: ProcessSource
) -> tuple[DependencyFacts, ...]:
    """Return what is known of the services that a task needs, from what their keeper wrote down."""
    return tuple(_dependency(name, services.get(name), source) for name in task.needs)


def _dependency(name: str, record: ServiceRecord | None, source: ProcessSource) -> DependencyFacts:
    if record is None:
        return DependencyFacts(name=name, ready=False, sentence="nobody has started it yet")
    if record.state is not ServiceState.RUNNING:
        return DependencyFacts(name=name, ready=False, sentence=f"{record.state} {record.reason}".rstrip())
    if record.process is None or not is_alive(record.process, source):
        return DependencyFacts(name=name, ready=False, sentence="its process is gone")
    return DependencyFacts(name=name, ready=True)
