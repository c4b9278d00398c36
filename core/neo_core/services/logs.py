"""The logs of services and runs: rotated under the feet of who writes them, and removed when they are old."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from neo_core.errors import NeoError, describe_os_error

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from io import RawIOBase
    from pathlib import Path

    from neo_core.services.catalogue import Service
    from neo_core.workspace import Workspace

_BLOCK = 262_144
_MOST_COPIED = 64 * 1024 * 1024
_MOST_REMOVED = 300
_ENDINGS = (".outcome.json", ".log")


def service_log(workspace: Workspace, name: str) -> Path:
    """Return the log of one service."""
    return workspace.service_logs / f"{name}.log"


def probe_log(workspace: Workspace, name: str) -> Path:
    """Return where the output of the latest exec probe of a service stands."""
    return workspace.service_logs / f"{name}.probe.log"


def ensure_folder(workspace: Workspace) -> None:
    """Create the folder of service logs, private to its user. Raises ``NeoError``."""
    folder = workspace.service_logs
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        cause = f"cannot be created: {describe_os_error(error)}"
        raise NeoError(f"folder {folder}", cause, "Make its parent writable for you.") from error


def rotate_if_large(workspace: Workspace, service: Service) -> bool:
    """Rotate the service's log when it is larger than its limit. Raises ``NeoError``."""
    log = service_log(workspace, service.name)
    try:
        if log.stat().st_size <= service.log_max:
            return False
        rotate(log, service.log_keep)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise NeoError(f"log {log}", f"cannot be rotated: {describe_os_error(error)}", "Make room for it.") from error
    return True


def rotate(log: Path, keep: int) -> None:
    """Copy ``log`` to ``log.1`` (after ``log.1`` became ``log.2``, and so on), then empty it. Raises ``OSError``.

    The writer has the file open for appending and goes on in it. Every line is kept but those written between the end
    of the copy and the truncation a moment later; of a log beyond 64 MiB only the end is copied.
    """
    if keep <= 0:
        os.truncate(log, 0)
        return
    fresh = log.with_name(f"{log.name}.new")
    try:
        _copy_and_empty(log, fresh, keep)
    except OSError:
        with suppress(OSError):
            fresh.unlink()
        raise


def prune_run_logs(folder: Path, keep_seconds: float, now: float, live: AbstractSet[str]) -> int:
    """Remove logs and set-aside outcomes of ended runs, ``keep_seconds`` after their last line; return how many.

    ``now`` is in seconds since the epoch, ``live`` are the ids of runs whose files stay. At most 300 a call.
    """
    removed = 0
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            run_id = _run_of(entry.name)
            if not run_id or run_id in live or not _is_old(entry, now - keep_seconds):
                continue
            with suppress(OSError):
                os.unlink(entry.path)  # noqa: PTH108 - one call per entry of a scan
                removed += 1
            if removed >= _MOST_REMOVED:
                break
    return removed


def _copy_and_empty(log: Path, fresh: Path, keep: int) -> None:
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb", buffering=0) as copy, log.open("r+b", buffering=0) as source:  # noqa: PTH123
        size = source.seek(0, os.SEEK_END)
        source.seek(max(0, size - _MOST_COPIED))
        _copy(source, copy)
        _shift(log, keep)
        _copy(source, copy)
        source.truncate(0)
    fresh.replace(log.with_name(f"{log.name}.1"))
    for number in _numbers_beyond(log, keep):
        with suppress(OSError):
            log.with_name(f"{log.name}.{number}").unlink()


def _copy(source: RawIOBase, copy: RawIOBase) -> None:
    while block := source.read(_BLOCK):
        left = memoryview(block)
        while left:
            left = left[copy.write(left) or 0 :]


def _shift(log: Path, keep: int) -> None:
    for number in range(keep - 1, 0, -1):
        with suppress(FileNotFoundError):
            log.with_name(f"{log.name}.{number}").replace(log.with_name(f"{log.name}.{number + 1}"))


def _numbers_beyond(log: Path, keep: int) -> list[int]:
    """Return the numbers of copies that a larger ``log_keep`` once allowed."""
    prefix = f"{log.name}."
    endings = (name.removeprefix(prefix) for name in os.listdir(log.parent) if name.startswith(prefix))  # noqa: PTH208
    return [int(ending) for ending in endings if ending.isdecimal() and int(ending) > keep]


def _run_of(name: str) -> str:
    for ending in _ENDINGS:
        if name.endswith(ending):
            return name.removesuffix(ending)
    return ""


def _is_old(entry: os.DirEntry[str], before: float) -> bool:
    try:
        return entry.is_file(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_mtime < before
    except OSError:
        return False
