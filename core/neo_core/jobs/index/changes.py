"""What the index knows of a file, and what can be done to that."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from neo_core.jobs.index.text import Stamp, Text


class Entry(NamedTuple):
    """What the index knows of a file: its stamp and when that was seen (ns since the epoch), its SHA-256."""

    stamp: Stamp
    seen_ns: int
    digest: bytes


class Put(NamedTuple):
    """Index this text at this path, in place of what was there."""

    path: bytes
    text: Text
    seen_ns: int


class Touch(NamedTuple):
    """The content is the same; remember the new stamp."""

    path: bytes
    entry: Entry


class Drop(NamedTuple):
    """Nothing is at this path any more."""

    path: bytes


Change = Put | Touch | Drop
