"""Amounts of memory and disk as an operator writes them."""

from __future__ import annotations

import re

_UNITS = {"B": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3, "TiB": 1024**4}
_WRITTEN = re.compile(r"(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB|TiB)", re.ASCII)


class Size(int):
    """Bytes; written like ``512KiB``, ``10MiB`` or ``1.5GiB``."""

    __slots__ = ()


def parse_size(text: str) -> Size:
    """Return the bytes that ``text`` means. Raises ``ValueError``."""
    match = _WRITTEN.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not a size; write it like 512KiB, 10MiB or 1.5GiB")
    size = float(match[1]) * _UNITS[match[2]]
    if size > 2**60:
        raise ValueError(f"{text!r} is more than any machine has")
    return Size(size)


def in_mib(amount: int | None) -> str:
    """Return an amount of memory as a gate or a report tells it."""
    return "unknown" if amount is None else f"{amount / _UNITS['MiB']:.0f} MiB"
