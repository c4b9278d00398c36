"""The machine's memory in one look; a signal that cannot be read is unknown, never calm."""

from __future__ import annotations

from typing import NamedTuple

import psutil


class MachineMemory(NamedTuple):
    """Bytes, and PSI "some" over 10 s in percent (``None``: not to be had here)."""

    total: int
    available: int
    swap_used: int
    pressure: float | None


def read_memory(pressure_file: str = "/proc/pressure/memory") -> MachineMemory:
    """Return the machine's memory now. Raises ``OSError`` when the system does not tell."""
    memory = psutil.virtual_memory()
    return MachineMemory(memory.total, memory.available, psutil.swap_memory().used, _pressure(pressure_file))


def _pressure(path: str) -> float | None:
    try:
        with open(path, encoding="ascii") as file:
            for line in file:
                if line.startswith("some "):
                    return float(line.split("avg10=")[1].split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return None
