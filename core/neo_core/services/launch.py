"""Starting the process of a service, after everything that speaks against it was looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from neo_core.processes.source import identity_of
from neo_core.runs.spawn import spawn_command
from neo_core.services.adopt import Found, find_instance
from neo_core.services.environment import environment_for
from neo_core.services.logs import ensure_folder, service_log
from neo_core.services.ports import describe_taken, taken_by
from neo_core.services.standing import Moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from neo_core.clock import Clock
    from neo_core.ledger.models import ServiceRecord
    from neo_core.ledger.store import Ledger
    from neo_core.processes.source import ProcessIdentity, ProcessSource
    from neo_core.services.catalogue import Service
    from neo_core.workspace import Workspace


class World:
    """What every kept service shares; ``say`` takes a level and a line for the orchestrator's log.

    The ``ledger`` may become another one, where somebody moved away the one that was open.
    """

    def __init__(
        self,
        workspace: Workspace,
        ledger: Ledger,
        *,
        clock: Clock,
        source: ProcessSource,
        say: Callable[[str, str], None],
        random: Callable[[], float],
    ) -> None:
        self.workspace, self.ledger = workspace, ledger
        self.clock, self.source = clock, source
        self.say, self.random = say, random

    def moment(self) -> Moment:
        """Return now by both clocks."""
        return Moment(self.clock.now(), self.clock.monotonic())


class Launched(NamedTuple):
    """A started process; ``identity`` is ``None`` when it has ended already."""

    pid: int
    identity: ProcessIdentity | None


def launch(service: Service, instance: str, world: World) -> Launched:
    """Start the service's process under the marker ``instance``. Raises ``NeoError`` saying what is missing."""
    ensure_folder(world.workspace)
    process = spawn_command(
        service.command,
        key=f"services.{service.name}",
        cwd=service.cwd,
        environment=environment_for(service, instance, world.workspace.state_text),
        log=service_log(world.workspace, service.name),
    )
    process.returncode = 0  # the loop collects it, not this object
    return Launched(process.pid, identity_of(process.pid, world.source))


def who_has_the_port(service: Service) -> str:
    """Return the sentence that names a stranger on the service's port; empty when the port is free."""
    taken = taken_by(service)
    known = [one for one in taken if one.pid is not None]
    return describe_taken(service, (known or taken)[0]) if taken else ""


def what_lives(service: Service, record: ServiceRecord, world: World) -> Found:
    """Return what lives of the instance that was started last; who listens for it counts as its main process.

    A look-alike that was refused is said once here.
    """
    found = find_instance(record, world.source)
    if found.refused:
        world.say("WARN", f"Service {service.name}: {found.refused}.")
    if found.main is not None or record.pid is not None or not found.members:
        return found
    pids = {one.pid: one for one in found.members}
    listening = [pids[one.pid] for one in taken_by(service) if one.pid in pids]
    return found._replace(main=listening[0]) if listening else found
