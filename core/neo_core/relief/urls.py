"""The parts of a model server's URL that sentences and kernel tables name."""

from __future__ import annotations

from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}


def port_of(url: str) -> int:
    """Return the port of a URL, its scheme's where it names none."""
    parts = urlsplit(url)
    return parts.port or _PORTS[parts.scheme]


def address_of(url: str) -> str:
    """Return ``host:port`` of a URL as a sentence names it."""
    host = urlsplit(url).hostname or ""
    return f"{f'[{host}]' if ':' in host else host}:{port_of(url)}"
