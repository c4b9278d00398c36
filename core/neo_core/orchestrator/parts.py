"""The parts of an orchestrator that a single poll does without: the keeper of services and the recorder of memory."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from neo_core.lease.store import LeaseStore
from neo_core.memory.reading import system_memory
from neo_core.recorder.recorder import Recorder

if TYPE_CHECKING:
    from neo_core.clock import Clock
    from neo_core.config import MemoryConfig
    from neo_core.ledger.store import Ledger
    from neo_core.orchestrator.log import Say
    from neo_core.processes.source import ProcessSource
    from neo_core.services.catalogue import Service
    from neo_core.services.keeper import ServiceKeeper
    from neo_core.workspace import Workspace


def make_keeper(
    workspace: Workspace,
    ledger: Ledger,
    services: dict[str, Service],
    *,
    clock: Clock,
    source: ProcessSource,
    say: Say,
) -> ServiceKeeper:
    """Return a keeper of ``services`` that has not begun."""
    from neo_core.services.keeper import ServiceKeeper

    return ServiceKeeper(workspace, ledger, services, clock=clock, source=source, say=say, random=random.random)


def make_recorder(workspace: Workspace, config: MemoryConfig, *, source: ProcessSource, clock: Clock) -> Recorder:
    """Return a recorder of this machine's memory."""
    lease = LeaseStore(workspace.lease, source=source, clock=clock)
    return Recorder(workspace, config, memory=system_memory(), source=source, clock=clock, lease=lease)
