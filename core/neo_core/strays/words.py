"""What a stray is, what it blocks and what mends it, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_core.ledger.models import Outcome
from neo_core.snapshot_strays import StrayKind

if TYPE_CHECKING:
    from neo_core.ledger.models import Run
    from neo_core.strays.judge import Suspect


def sentence_of(suspect: Suspect, port: int | None) -> str:
    """Return why it is a stray."""
    match suspect.kind:
        case StrayKind.RUN:
            return f"works on for run {suspect.run_id} of {suspect.owner}, {_run_is_over(suspect.run)}"
        case StrayKind.SERVICE:
            left = f"is left of service {suspect.owner}, whose main process is gone"
            lost = f"is of a start of service {suspect.owner} whose records were removed"
            return lost if suspect.unrecorded else left
        case StrayKind.SECOND:
            return f"is of an earlier start of service {suspect.owner}, which runs without it"
        case StrayKind.LEASE:
            pid = suspect.left.pid if suspect.left else None
            gone = "which is gone" if pid else "whose records were removed or name nobody"
            return f"works on under the lease of {suspect.owner}, {gone} (pid {pid or 'unknown'})"
        case StrayKind.LISTENER:
            return f"listens on port {port or '?'} of service {suspect.owner} and carries no marker of ours"


def _run_is_over(run: Run | None) -> str:
    if run is None:
        return "whose records were removed"
    return "which was lost" if run.outcome in (None, Outcome.LOST) else f"which ended ({run.outcome})"


def blocks_of(suspect: Suspect, port: int | None, *, alive: bool) -> str:
    """Return what it stands in the way of; empty for nothing known. ``alive`` says that the service of ``port`` is."""
    said: list[str] = []
    if suspect.keeps_lease:
        said.append("the lease, which is not let go before it ends")
    if suspect.port:
        said.append(f"service {suspect.port}, whose port {port or '?'} it {'shares' if alive else 'keeps'}")
    if suspect.kind is StrayKind.RUN and suspect.run is not None and suspect.run.heavy and not suspect.keeps_lease:
        said.append("nothing, but works beside the one heavy run that is allowed")
    if suspect.kind is StrayKind.SERVICE and not suspect.port:
        said.append(f"the next start of service {suspect.owner}, which has to end it first")
    return "; ".join(said)


def mend_of(suspect: Suspect) -> str:
    """Return the command that ends it."""
    foreign = " --foreign" if suspect.foreign else ""
    return f"neo-console strays stop {suspect.root.pid}{foreign}"
