"""A probe that is a program of the operator's: well when it exits with 0 in time."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from neo_core.processes.source import identity_of, system_source
from neo_core.runs.spawn import SpawnError, spawn_command
from neo_core.services.environment import environment_for, marker_of
from neo_core.services.exits import describe_exit
from neo_core.services.probe import ProbeResult
from neo_core.services.tree import ServiceTree

if TYPE_CHECKING:
    from neo_core.services.catalogue import Service

_TAIL = 4096
_LONGEST = 200
_KILL_ROUNDS = 3


class ExecProbe:
    """One run of ``probe_command``; its whole tree is killed when the time is up.

    Whoever collects children hands the program's exit code to ``ended``.
    """

    def __init__(self, service: Service, deadline: float, *, marker: str, log: Path) -> None:
        self._service, self._deadline, self._log = service, deadline, log
        self._instance = marker or f"{os.urandom(8).hex()}-probe"
        self._pid: int | None = None
        self._code: int | None = None
        self._began = False
        self._tree: ServiceTree | None = None

    def fileno(self) -> int | None:
        """Return ``None``: the end of a child tells itself."""
        return None

    def wants_write(self) -> bool:
        """Return false: there is no descriptor."""
        return False

    def wakes_at(self) -> float:
        """Return when patience ends; at once when the program has."""
        return self._deadline if self._code is None else 0.0

    def child(self) -> int | None:
        """Return the program's pid until its exit code is known."""
        return self._pid if self._code is None else None

    def ended(self, code: int) -> None:
        """Take note of the exit code."""
        self._code = code

    def advance(self, now: float) -> ProbeResult | None:
        """Start the program, or judge how it ended."""
        if not self._began:
            self._began = True
            return self._start()
        if self._code is not None:
            return ProbeResult(self._code == 0, self._sentence())
        if now < self._deadline:
            return None
        self.cancel()
        return ProbeResult(False, f"{self._name()} did not end in time")

    def cancel(self) -> None:
        """Kill what is left of it."""
        if self._tree is None or self._code is not None:
            return
        for _ in range(_KILL_ROUNDS):
            if not self._tree.signal(signal.SIGKILL):
                break
        self._tree = None

    def _name(self) -> str:
        return os.path.basename(self._service.probe_command[0])  # noqa: PTH119 - a plain string

    def _start(self) -> ProbeResult | None:
        try:
            process = spawn_command(
                self._service.probe_command,
                key=f"services.{self._service.name}.probe",
                cwd=self._service.cwd,
                environment=environment_for(self._service, self._instance),
                log=self._emptied_log(),
            )
        except SpawnError as error:
            return ProbeResult(False, str(error))
        process.returncode = 0  # collected by the loop
        source = system_source()
        self._pid = process.pid
        self._tree = ServiceTree(identity_of(process.pid, source), marker_of(self._instance), source)
        return None

    def _emptied_log(self) -> Path:
        """Return where the output goes: nowhere when its file cannot be written, which is no fault of the service."""
        try:
            os.close(os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))
        except OSError:
            self._log = Path(os.devnull)
        return self._log

    def _sentence(self) -> str:
        told = "" if self._code == 0 else self._last_line()
        return f"{self._name()} {describe_exit(self._code)}{f': {told}' if told else ''}"

    def _last_line(self) -> str:
        try:
            with self._log.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
                lines = file.read(_TAIL).decode("utf-8", "replace").split("\n")
        except OSError:
            return ""
        return next((line.strip()[:_LONGEST] for line in reversed(lines) if line.strip()), "")
