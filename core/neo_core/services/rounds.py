"""What is looked at now and then while a service lives: the size of its log, the memory of its tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_core.errors import NeoError
from neo_core.services.logs import rotate_if_large

if TYPE_CHECKING:
    from neo_core.services.catalogue import Service
    from neo_core.services.launch import World
    from neo_core.services.tree import ServiceTree

_LOG_EVERY = 5.0
_MEMORY_EVERY = 10.0
_MEBIBYTE = 1024 * 1024


class Rounds:
    """The rounds of one service; times are monotonic seconds."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._log_at = self._memory_at = world.clock.monotonic()
        self._complained = False

    def next_at(self, service: Service) -> float | None:
        """Return when a look must not be missed; logs are looked at whenever something else wakes us."""
        return self._memory_at if service.memory_limit else None

    def look(self, service: Service, tree: ServiceTree, now: float) -> str:
        """Return why the service cannot stay as it is; empty when it can."""
        if now >= self._log_at:
            self._log_at = now + _LOG_EVERY
            self._rotate(service)
        if not service.memory_limit or now < self._memory_at:
            return ""
        self._memory_at = (now // _MEMORY_EVERY + 1.0) * _MEMORY_EVERY
        used = tree.memory()
        if used <= service.memory_limit:
            return ""
        limit = service.memory_limit
        return f"it uses {used / _MEBIBYTE:.0f} MiB, above its limit of {limit / _MEBIBYTE:.0f} MiB"

    def _rotate(self, service: Service) -> None:
        try:
            rotate_if_large(self._world.workspace, service)
        except NeoError as error:
            if not self._complained:
                self._world.say("WARN", f"Service {service.name}: {error}")
            self._complained = True
        else:
            self._complained = False
