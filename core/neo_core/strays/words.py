"""What a stray is, what it blocks and what mends it, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_core.ledger.models import Outcome
from neo_core.snapshot_strays import StrayKind

if TYPE_CHECKING:
    from neo_core.strays.judge import Suspect


def sentence_of(suspect: Suspect, port: int | None) -> str:
    """Return why it is a stray."""
    match suspect.kind:
        case StrayKind.RUN:
            run = suspect.run
            ended = "was lost" if run is None or run.outcome in (None, Outcome.LOST) else f"ended ({run.outcome})"
            return f"works on for run {run.run_id if run else '?'} of {suspect.owner}, which {ended}"
        case StrayKind.SERVICE:
            return f"is left of service {suspect.owner}, whose main process is gone"
        case StrayKind.SECOND:
            return f"is of an earlier start of service {suspect.owner}, which runs without it"
        case StrayKind.LEASE:
            pid = suspect.left.pid if suspect.left else None
            return f"works on under the lease of {suspect.owner}, which is gone (pid {pid or 'unknown'})"
        case StrayKind.LISTENER:
            return f"listens on port {port or '?'} of service {suspect.owner} and carries no marker of ours"


def blocks_of(suspect: Suspect, port: int | None, *, alive: bool) -> str:
    """Return what it stands in the way of; empty for nothing known. ``alive`` says that the service of ``port`` is."""
    said: list[str] = []
    if suspect.keeps_lease:
        said.append("the lease, which is not let go before it ends")
    if suspect.port:
        how = "shares the port of" if alive else "keeps the port from"
        said.append(f"{how} service {suspect.port}{f' ({port})' if port else ''}")
    if suspect.kind is StrayKind.RUN and suspect.run is not None and suspect.run.heavy and not suspect.keeps_lease:
        said.append("nothing, but works beside the one heavy run that is allowed")
    if suspect.kind is StrayKind.SERVICE and not suspect.port:
        said.append(f"the next start of service {suspect.owner}, which has to end it first")
    return "; ".join(said)


def mend_of(suspect: Suspect) -> str:
    """Return the command that ends it."""
    foreign = " --foreign" if suspect.foreign else ""
    return f"neo-console strays stop {suspect.root.pid}{foreign}"
