"""The doctor's look at what should run: the programs of tasks and services, the services' ports, the orchestrator."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from neo_core.clock import SystemClock
from neo_core.errors import NeoError
from neo_core.findings import Finding, fail, from_error, ok, warn
from neo_core.incumbent import read_incumbent
from neo_core.lease.store import LeaseStore
from neo_core.ledger.store import Ledger
from neo_core.looking import Looker
from neo_core.neo_checkout import PACKAGE
from neo_core.overseen import orchestrator_view
from neo_core.processes.source import is_alive, system_source
from neo_core.services.ports import describe_taken, is_ours, taken_by
from neo_core.snapshot import OrchestratorState
from neo_core.snapshot_strays import StrayKind
from neo_core.strays.marks import marks_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neo_core.catalogue import Catalogue
    from neo_core.config import Config
    from neo_core.ledger.models import OrchestratorRecord, ServiceRecord
    from neo_core.profiles import Task
    from neo_core.services.catalogue import Service
    from neo_core.workspace import Workspace


def program_findings(catalogue: Catalogue) -> Iterator[Finding]:
    """Yield whether the program of every task is there."""
    for task in catalogue.tasks.values():
        if task.configured:
            yield _program(f"task {task.name}", f"tasks.{task.name}", task)
        else:
            missing = f": {PACKAGE} has no script {task.missing_script!r}" if task.missing_script else ""
            yield ok(f"task {task.name}", f"is not configured{missing}", f"Set {task.missing_key} to use it.")
    if shutil.which("git") is None:
        yield warn("git", "was not found", "Install it: primary-dev-sync needs it, kbSync uses its ignore rules.")


def service_findings(workspace: Workspace, catalogue: Catalogue) -> Iterator[Finding]:
    """Yield whether every service has its program, and its port to itself."""
    records, _ = _written(workspace)
    state = workspace.state_text
    for service in catalogue.services.values():
        found = _program(f"service {service.name}", f"services.{service.name}", service)
        yield found
        yield from _port(service, records.get(service.name), state)


def stray_findings(workspace: Workspace, catalogue: Catalogue) -> Iterator[Finding]:
    """Yield every process that belongs to nothing that lives; strangers on ports are the services' findings, and what
    keeps the lease is the lease's.
    """
    source = system_source()
    looker = Looker(workspace, catalogue, LeaseStore(workspace.lease), clock=SystemClock(), source=source)
    section = looker.strays()
    view = section.value
    if view is None:
        yield warn("strays", section.error or "cannot be looked for", "Mend that first.")
        return
    for stray in view.found:
        if stray.kind not in (StrayKind.LISTENER, StrayKind.LEASE):
            blocks = f"; it blocks {stray.blocks}" if stray.blocks else ""
            yield warn(f"process {stray.pid}", f"{stray.name} {stray.sentence}{blocks}", f"Run: {stray.mend}")
    if view.orphaned:
        return  # the lease's finding tells what it is and its mend
    for unknown in view.unknown:
        yield warn("strays", unknown, "Look at it as that user.")
    if not view.found and not view.unknown:
        yield ok("strays", "none: every process with our markers belongs to a live run or service")


def orchestrator_findings(workspace: Workspace, config: Config, now: float) -> Iterator[Finding]:
    """Yield how the orchestrator is; that none runs is well, and a lock file of a dead one too."""
    source = system_source()
    _, latest = _written(workspace)
    try:
        incumbent = read_incumbent(workspace, source)
    except NeoError as error:
        yield from_error(error)
        return
    alive = latest is not None and is_alive(latest.process, source)
    poll_every = config.orchestrator.poll_every
    view = orchestrator_view(incumbent, latest, alive=alive, poll_every=poll_every, now=now)
    calm = view.state in (OrchestratorState.RUNNING, OrchestratorState.STOPPED)
    mend = f"Run: {view.mend}" if view.mend else ""
    yield (ok if calm else warn)("orchestrator", view.sentence, mend)
    if view.config_error and view.state is OrchestratorState.RUNNING:
        says = f"goes on with its older configuration: {view.config_error}"
        yield warn("orchestrator", says.rstrip("."), "Mend the configuration; it is read again at once.")


def _program(thing: str, key: str, told: Task | Service) -> Finding:
    program = told.command[0]
    if not os.path.isdir(told.cwd):  # noqa: PTH112 - a plain string from the configuration
        return fail(thing, f"its folder {told.cwd} does not exist", f"Mend {key}.cwd.")
    path = os.environ.get("PATH", os.defpath)
    # A program with a slash in its name is taken from the folder that it starts in, as it is when it starts.
    place = os.path.join(told.cwd, program) if os.sep in program else program  # noqa: PTH118
    if shutil.which(place, path=told.env.get("PATH", path)) is None:
        return fail(thing, f"its program {program!r} was not found", f"Install it, or mend {key}.command.")
    return ok(thing, f"starts {program}")


def _port(service: Service, record: ServiceRecord | None, state: str) -> Iterator[Finding]:
    """Yield whose the port is; one of a start of ours that is over is a stray, and told as that."""
    if service.port is None:
        return
    thing = f"port {service.port}"
    instance = record.instance if record else ""
    source = system_source()
    found = taken_by(service)
    strangers = [one for one in found if not is_ours(one, instance, source)]
    if strangers and all(marks_of(one.pid, source).is_of_service(service.name, state) for one in strangers):
        return
    if strangers:
        mend = f"End it, or set services.{service.name}.port; nobody ends it for you."
        yield fail(thing, describe_taken(service, strangers[0]).removeprefix(f"{thing} "), mend)
    else:
        yield ok(thing, f"is {service.name}'s already" if found else f"is free for {service.name}")


def _written(workspace: Workspace) -> tuple[dict[str, ServiceRecord], OrchestratorRecord | None]:
    """Return what the orchestrator wrote down; nothing from a ledger that another finding is about."""
    try:
        with Ledger(workspace.ledger, writable=False) as ledger:
            return ledger.services.all(), ledger.orchestrators.latest()
    except NeoError:
        return {}, None
