"""When a service is asked, and the one question that is under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_core.services.probe import ProbeResult, begin_probe

if TYPE_CHECKING:
    from pathlib import Path

    from neo_core.services.catalogue import Service
    from neo_core.services.probe import Probe

_FIRST = 0.1
_LONGEST_WHILE_STARTING = 1.0
_ALIVE_FOR = 1.0
_CONNECTING = 0.02  # a loop waits for descriptors to be readable, which a connection that was accepted is not


class Prober:
    """Asks one instance of a service, often while it starts, every ``probe_every`` once it runs.

    Services of the same interval are asked in the same wake-up of the loop. All times are monotonic seconds.
    """

    def __init__(self, service: Service, instance: str, log: Path, now: float) -> None:
        self._service, self._instance, self._log = service, instance, log
        self._probe: Probe | None = None
        self._began = now
        self._pause = _FIRST
        self._next = now + (_ALIVE_FOR if service.probe == "none" else _FIRST)

    def fileno(self) -> int | None:
        """Return the descriptor of the question under way."""
        return self._probe.fileno() if self._probe is not None else None

    def next_at(self, now: float) -> float:
        """Return when to poll."""
        if self._probe is None:
            return self._next
        wakes = self._probe.wakes_at()
        return (
            min(wakes, now + _CONNECTING) if self._probe.fileno() is not None and self._probe.wants_write() else wakes
        )

    def poll(self, now: float, *, starting: bool) -> ProbeResult | None:
        """Ask if it is time; return an answer that has come."""
        if self._probe is None:
            if now < self._next:
                return None
            self._probe = begin_probe(self._service, now, marker=self._instance, log=self._log)
        result = ProbeResult(True, "it is alive") if self._probe is None else self._probe.advance(now)
        if result is not None:
            self._schedule(now, starting=starting and not result.ok)
        return result

    def ended(self, pid: int, code: int) -> bool:
        """Hand the end of a child to the question it belongs to; false when it is none of ours."""
        if self._probe is None or self._probe.child() != pid:
            return False
        self._probe.ended(code)
        return True

    def cancel(self) -> None:
        """Drop the question under way."""
        if self._probe is not None:
            self._probe.cancel()
            self._probe = None

    def _schedule(self, now: float, *, starting: bool) -> None:
        self.cancel()
        every = self._service.probe_every
        if starting:
            self._next = now + min(self._pause, every)
            self._pause = min(_LONGEST_WHILE_STARTING, self._pause * 1.5)
        else:
            self._next = (now // every + 1.0) * every
