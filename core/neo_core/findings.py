"""One thing that the doctor looked at, and how bad it is."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from neo_core.errors import NeoError


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing looked at: what it is, how it is, and the mend when it is not well."""

    level: Level
    thing: str
    says: str
    mend: str = ""


def ok(thing: str, says: str, mend: str = "") -> Finding:
    """Return that something is well; ``mend`` is what could be done all the same."""
    return Finding(level=Level.OK, thing=thing, says=says, mend=mend)


def warn(thing: str, says: str, mend: str) -> Finding:
    """Return what an operator should know."""
    return Finding(level=Level.WARN, thing=thing, says=says, mend=mend)


def fail(thing: str, says: str, mend: str) -> Finding:
    """Return what must be mended."""
    return Finding(level=Level.FAIL, thing=thing, says=says, mend=mend)


def from_error(error: NeoError) -> Finding:
    """Return an error as what must be mended."""
    return fail(error.thing, error.cause, error.mend)
