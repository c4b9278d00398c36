"""macOS: the kernel's own pressure level and its swap, by ``sysctl``; amounts by psutil."""

from __future__ import annotations

import ctypes
import struct
import sys
from typing import TYPE_CHECKING

from neo_core.memory.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Callable

_LEVEL = "kern.memorystatus_vm_pressure_level"
_SWAP = "vm.swapusage"
_LEVELS = (1, 2, 4)


class MacMemory:
    """Asks ``sysctl(name) -> bytes | None``, and ``amounts() -> (total, available) | None``; tests give their own."""

    def __init__(
        self,
        sysctl: Callable[[str], bytes | None] | None = None,
        amounts: Callable[[], tuple[int, int] | None] | None = None,
    ) -> None:
        self._sysctl = sysctl or _sysctl
        self._amounts = amounts or _amounts

    def read(self, at: float) -> Reading:
        """Return one look; what the system does not tell is unknown."""
        total, available = self._amounts() or (None, None)
        swap_total, swap_used = self._swap()
        return Reading(
            at=at, total=total, available=available, swap_total=swap_total, swap_used=swap_used, level=self._level()
        )

    def _level(self) -> int | None:
        raw = self._sysctl(_LEVEL)
        if raw is None or len(raw) != 4:
            return None
        level = int.from_bytes(raw, sys.byteorder)
        return level if level in _LEVELS else None

    def _swap(self) -> tuple[int | None, int | None]:
        """Return total and used of ``struct xsw_usage``, which begins with three 64-bit amounts: total, free, used."""
        raw = self._sysctl(_SWAP)
        if raw is None or len(raw) < 24:
            return None, None
        total, _, used = struct.unpack_from("=QQQ", raw)
        return total, used


def _amounts() -> tuple[int, int] | None:
    import psutil

    try:
        memory = psutil.virtual_memory()
    except OSError:
        return None
    return memory.total, memory.available


def _sysctl(name: str) -> bytes | None:
    """Return what the kernel says under that name; ``None`` where it says nothing."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
        size = ctypes.c_size_t(0)
        encoded = name.encode()
        if library.sysctlbyname(encoded, None, ctypes.byref(size), None, 0) != 0:
            return None
        buffer = ctypes.create_string_buffer(size.value)
        if library.sysctlbyname(encoded, buffer, ctypes.byref(size), None, 0) != 0:
            return None
    except (OSError, AttributeError):
        return None
    return buffer.raw[: size.value]
