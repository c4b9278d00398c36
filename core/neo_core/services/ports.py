"""Whether the port of a service is free before its start, and if not, whose it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_core.processes.listening import Listener, listeners_on
from neo_core.services.environment import marker_of
from neo_core.services.probe_net import addresses_of
from neo_core.services.tree import carries

if TYPE_CHECKING:
    from collections.abc import Callable

    from neo_core.processes.source import ProcessSource
    from neo_core.services.catalogue import Service

_ANY = frozenset({"0.0.0.0", "::"})  # noqa: S104 - read from the kernel's tables, not bound to


def taken_by(service: Service, *, look: Callable[[int], list[Listener]] = listeners_on) -> list[Listener]:
    """Return who listens where ``service`` would; nobody when the system does not tell (its start will)."""
    if service.port is None:
        return []
    try:
        found = look(service.port)
        wanted = {address for _, address in addresses_of(service.host, service.port)}
    except OSError:
        return []
    return [one for one in found if one.address in wanted | _ANY or wanted & _ANY]


def is_ours(listener: Listener, instance: str, source: ProcessSource) -> bool:
    """Return whether the listener carries the marker of ``instance``."""
    if listener.pid is None or not instance:
        return False
    return carries(listener.pid, marker_of(instance).encode(), source) is True


def describe_taken(service: Service, listener: Listener) -> str:
    """Return the sentence that names the one who has the port."""
    if listener.pid is None:
        return f"port {service.port} is taken by an unknown process, which is not ours"
    return f"port {service.port} is taken by {listener.name or 'a process'} (pid {listener.pid}), which is not ours"
