"""The part of the engine that commands services: a row for the orchestrator, or without one a stop from here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_core.archive import Archive
from neo_core.incumbent import require_keeper
from neo_core.ledger.models import Control, ControlKind
from neo_core.ledger.store import Ledger
from neo_core.requests import user_name
from neo_core.services.catalogue import unconfigured
from neo_core.workspace import ensure_state

if TYPE_CHECKING:
    from neo_core.services.catalogue import Service


class ServiceDesk(Archive):
    """Commands services. Every method may raise ``NeoError``."""

    def service_start(self, name: str, because: str = "") -> Control:
        """Ask the orchestrator to start a service and keep it. Raises ``NeoError`` when there is none to ask."""
        return self._ask_keeper(ControlKind.SERVICE_START, name, because)

    def service_stop(self, name: str, because: str = "") -> Control:
        """Stop a service and leave it stopped: asked of the orchestrator; where none lives, done here.

        That waits for the service's grace, and its command is returned acknowledged. Raises ``NeoError`` when an
        orchestrator is just starting, and when something is left.
        """
        from neo_core.unkept import keeper_lives, stop_unkept

        service = self._stoppable(name)
        with self._writing() as ledger:
            if keeper_lives(self.workspace, ledger, self._source):
                return self._ask(ledger, ControlKind.SERVICE_STOP, self._service(name), because)
            return stop_unkept(
                service,
                self.workspace,
                ledger,
                source=self._source,
                clock=self._clock,
                because=because,
                who=user_name(),
            )

    def service_restart(self, name: str, because: str = "") -> Control:
        """Ask the orchestrator to stop a service and start it again. Raises ``NeoError`` when there is none to ask."""
        return self._ask_keeper(ControlKind.SERVICE_RESTART, name, because)

    def acknowledged(self, control: Control) -> bool:
        """Return whether the addressee of a command has acted on it."""
        with self._reading() as ledger:
            return all(one.control_id != control.control_id for one in ledger.controls.pending(control.kind))

    def _stoppable(self, name: str) -> Service:
        """Return a service to be stopped: one that is configured, or that an orchestrator left running."""
        if name not in self.services:
            with self._reading() as ledger:
                if name in ledger.services.all():
                    return unconfigured(name)
        return self.services[self._service(name)]

    def _ask_keeper(self, kind: ControlKind, name: str, because: str) -> Control:
        service = self._service(name)
        require_keeper(self.workspace, service, self._source)
        with self._writing() as ledger:
            return self._ask(ledger, kind, service, because)

    def _ask(self, ledger: Ledger, kind: ControlKind, service: str, because: str) -> Control:
        return ledger.controls.add(kind, service, at=self._clock.now(), because=because, requested_by=user_name())

    def _writing(self) -> Ledger:
        ensure_state(self.workspace)
        return Ledger(self.workspace.ledger)
