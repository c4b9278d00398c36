"""Asking a service whether it is well, without ever waiting for it: HTTP, TCP, a program of its own, or just life.

A probe is advanced when its descriptor is ready or its ``wakes_at`` has come, until it has a result. ``ping`` is the
same, waited for, for those who only observe.
"""

from __future__ import annotations

import os
import select
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from neo_core.services.catalogue import Service


class ProbeResult(NamedTuple):
    """The answer, and what it was in words."""

    ok: bool
    sentence: str


class Probe(Protocol):
    """One question under way. Times are monotonic seconds."""

    def fileno(self) -> int | None:
        """Return the descriptor to wait for, ``None`` when there is none."""
        ...

    def wants_write(self) -> bool:
        """Return whether the descriptor is waited for to become writable instead of readable."""
        ...

    def wakes_at(self) -> float:
        """Return when to advance it although its descriptor is not ready."""
        ...

    def advance(self, now: float) -> ProbeResult | None:
        """Do what can be done at once; ``None`` while there is no answer."""
        ...

    def child(self) -> int | None:
        """Return the pid of the program that answers, for the one who collects children."""
        ...

    def ended(self, code: int) -> None:
        """Take note that the program ended with ``code``."""
        ...

    def cancel(self) -> None:
        """Let go of everything; idempotent."""
        ...


def begin_probe(service: Service, now: float, *, marker: str = "", log: Path | None = None) -> Probe | None:
    """Ask ``service`` now; ``None`` for one whose life is all there is to ask for.

    ``marker`` finds the processes of an exec probe again, ``log`` takes their output.
    """
    deadline = now + service.probe_timeout
    if service.probe == "exec":
        from neo_core.services.probe_exec import ExecProbe

        return ExecProbe(service, deadline, marker=marker, log=log or Path(os.devnull))
    if service.probe == "none" or service.port is None:
        return None
    from neo_core.services.probe_net import NetProbe

    path = service.probe_path if service.probe == "http" else None
    return NetProbe(service.host, service.port, path, deadline)


def ping(service: Service, timeout: float | None = None) -> ProbeResult:
    """Ask ``service`` and wait for the answer, at most ``timeout`` seconds (default: its own probe's)."""
    began = time.monotonic()
    probe = begin_probe(service, began)
    if probe is None:
        return ProbeResult(False, "it has no probe that could be asked")
    deadline = began + (service.probe_timeout if timeout is None else timeout)
    try:
        while True:
            now = time.monotonic()
            result = probe.advance(now)
            if result is not None:
                return result
            if now >= deadline:
                return ProbeResult(False, "no answer in time")
            _wait(probe, min(probe.wakes_at(), deadline) - now)
    finally:
        probe.cancel()
        _collect(probe)


def _wait(probe: Probe, seconds: float) -> None:
    child, descriptor = probe.child(), probe.fileno()
    if child is not None:
        _collect(probe)
        seconds = min(seconds, 0.02)
    ready = [] if descriptor is None else [descriptor]
    if probe.wants_write():
        select.select([], ready, [], max(0.0, seconds))
    else:
        select.select(ready, [], [], max(0.0, seconds))


def _collect(probe: Probe) -> None:
    child = probe.child()
    if child is None:
        return
    with suppress(ChildProcessError):
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            probe.ended(os.waitstatus_to_exitcode(status))
