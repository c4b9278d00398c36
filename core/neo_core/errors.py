"""Errors an operator can act on: the thing, the cause, the mend."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class NeoError(Exception):
    """Something an operator can understand and mend; front ends print it and exit with ``exit_code``.

    ``thing`` names the file, key, task or program; ``cause`` says what is wrong with it; ``mend`` what to do.
    """

    exit_code = 1

    def __init__(self, thing: str, cause: str, mend: str) -> None:
        super().__init__(f"{thing}: {cause}. {mend}")
        self.thing = thing
        self.cause = cause
        self.mend = mend


class UsageError(NeoError):
    """The arguments of a command do not fit."""

    exit_code = 2


class NoSuchRunError(UsageError):
    """No run has that id, or begins with it."""


class EndedError(NeoError):
    """What was to be stopped has ended already."""


class WorkspaceError(NeoError):
    """The workspace or its state folder cannot be used."""


class ConfigError(NeoError):
    """``neo-console.toml`` says something that cannot be meant."""


class LeaseError(NeoError):
    """The lease cannot be read or changed; nothing heavy starts (fail closed)."""


class LedgerError(NeoError):
    """The ledger cannot be opened, read or written; nothing in it was changed."""


class JobError(NeoError):
    """A built-in job cannot do its work."""


def guess(name: str, known: Iterable[str]) -> str:
    """Return ``Did you mean …? `` for what looks like ``name`` in whatever case; empty when nothing does."""
    near = nearest(name, known)
    return f"Did you mean {near}? " if near else ""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return what of ``known`` looks like ``name`` in whatever case; empty when nothing does."""
    import difflib  # milliseconds that only a mistake costs

    by_case = {one.lower(): one for one in known}
    near = difflib.get_close_matches(name.lower(), by_case, n=1)
    return by_case[near[0]] if near else ""


def describe_os_error(error: OSError) -> str:
    """Return the operating system's own words for ``error``, in lower case and without the path."""
    text = error.strerror or str(error) or type(error).__name__
    return text[:1].lower() + text[1:]
