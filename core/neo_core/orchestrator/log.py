"""The orchestrator's log: one line per change, rotated by renaming, in the shape of upstream's logs."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from neo_core.clock import to_iso

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from neo_core.clock import Clock

    Say = Callable[[str, str], None]


class OrchestratorLog:
    """Appends lines to the file at ``path``, whichever is there; a disk that is full loses only the line.

    Before it grows beyond ``max_bytes`` the file is renamed to ``.1``, an older ``.1`` to ``.2``, up to ``keep`` of
    them. With ``echo`` each line is also shown on stderr.
    """

    def __init__(self, path: Path, clock: Clock, *, max_bytes: int, keep: int, echo: bool = False) -> None:
        self.path, self._clock, self._echo = path, clock, echo
        self._max, self._keep = max_bytes, keep
        self._descriptor: int | None = None

    def limit(self, max_bytes: int, keep: int) -> None:
        """Change when the file is rotated and how many are kept."""
        self._max, self._keep = max_bytes, keep

    def say(self, level: str, message: str) -> None:
        """Write one line; whatever is in ``message``, it stays one."""
        line = "".join(char if char.isprintable() else " " for char in message)
        self._write(f"[{to_iso(self._clock.now())}] [PID:{os.getpid()}] [{level}] {line}\n")

    def say_lines(self, level: str, message: str, lines: str) -> None:
        """Write one line and, below it, what explains it."""
        self.say(level, message)
        self._write(lines if lines.endswith("\n") else f"{lines}\n")

    def close(self) -> None:
        """Close the file; idempotent."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _write(self, text: str) -> None:
        raw = text.encode("utf-8", "backslashreplace")
        if self._echo:
            with suppress(OSError):
                sys.stderr.write(text)
                sys.stderr.flush()
        with suppress(OSError):
            self._follow()
            size = os.fstat(self._opened()).st_size
            if size and size + len(raw) > self._max:
                self._rotate()
        with suppress(OSError):
            os.write(self._opened(), raw)

    def _opened(self) -> int:
        if self._descriptor is None:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
            self._descriptor = os.open(self.path, flags, 0o600)
        return self._descriptor

    def _follow(self) -> None:
        """Begin a new file when somebody moved ours away: what is written to it is seen by nobody."""
        if self._descriptor is None:
            return
        ours = os.fstat(self._descriptor)
        with suppress(FileNotFoundError):
            there = self.path.lstat()
            if (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino):
                return
        self.close()
        self._redirect((ours.st_dev, ours.st_ino))

    def _rotate(self) -> None:
        old = os.fstat(self._opened())
        self.close()
        for number in range(self._keep, 0, -1):
            with suppress(FileNotFoundError):
                self._numbered(number - 1).rename(self._numbered(number))
        if self._keep == 0:
            self.path.unlink(missing_ok=True)
        self._redirect((old.st_dev, old.st_ino))

    def _redirect(self, old: tuple[int, int]) -> None:
        """Let what Python itself would print (we were started with our output in this file) follow into the new one."""
        for number in (1, 2):
            status = os.fstat(number)
            if (status.st_dev, status.st_ino) == old:
                os.dup2(self._opened(), number)

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}") if number else self.path


class ChangeLog:
    """Says what a poll found only when it differs from what was said before about the same subject."""

    def __init__(self, say: Say) -> None:
        self._say = say
        self._told: dict[tuple[str, str], str] = {}

    def tell(self, kind: str, name: str, state: str, level: str, message: str) -> None:
        """Say ``message`` unless ``state`` is what the subject was in before."""
        if self._told.get((kind, name)) != state:
            self._told[(kind, name)] = state
            self._say(level, message)

    def over(self, kind: str, name: str, message: str = "") -> None:
        """Say ``message`` if there is something to end, and be ready to tell the subject anew."""
        if self._told.pop((kind, name), None) is not None and message:
            self._say("INFO", message)

    def over_but(self, kind: str, names: Collection[str], message: Callable[[str], str]) -> None:
        """Do so for every subject of one kind that is not among ``names``."""
        for told_kind, name in [key for key in self._told if key[0] == kind and key[1] not in names]:
            self.over(told_kind, name, message(name))
