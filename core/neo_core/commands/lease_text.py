"""What ``neo-lease inspect`` prints, for people and as JSON."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from neo_core.lease.carriers import NOBODY, CarrierScan, find_carriers
from neo_core.lease.explain import MALFORMED_SENTENCE, RECLAIM, UNREADABLE_MEND, explain_held, way_out
from neo_core.lease.words import HolderState, RecordStatus

if TYPE_CHECKING:
    from neo_core.lease.inspect import Inspection
    from neo_core.processes.source import ProcessSource


def working_under(seen: Inspection, source: ProcessSource) -> CarrierScan:
    """Return who works under the lease of a living holder besides that; nobody where that cannot be listed."""
    lease = seen.lease
    if lease is None or lease.pid is None or seen.holder is not HolderState.ALIVE:
        return NOBODY
    hold = lease.holder.hold if lease.holder else None
    try:
        return find_carriers(source, lease.token, hold, besides={lease.pid, os.getpid()})
    except OSError:
        return NOBODY


def as_text(seen: Inspection, path: str, working: CarrierScan = NOBODY) -> str:
    """Return what ``neo-lease inspect`` prints for people; ``path`` is the record's, ``working`` who works under it."""
    lines = [f"status   {seen.status}{' (busy)' if seen.busy else ''}{' (overdue)' if seen.expired else ''}"]
    if seen.lease is not None:
        lease = seen.lease
        lines += [
            f"holder   {seen.holder}",
            f"owner    {lease.owner}",
            f"reason   {lease.reason}",
            f"pid      {lease.pid or 'unknown'}",
            f"since    {lease.acquired_text}",
        ]
    lines += [f"carrier  pid {one.pid} by {one.by}: {one.command}" for one in seen.scan.carriers]
    lines += [f"working  pid {one.pid} by {one.by}: {one.command}" for one in working.carriers]
    if seen.scan.unreadable:
        lines.append(f"unknown  {seen.scan.unreadable} of your processes would not show their environment")
    if told := _explain(seen):
        lines.append(f"why      {told}")
    if mend := way_out(seen) or _end_of_living(seen):
        lines.append(f"to end   {mend}")
    if seen.status is RecordStatus.UNREADABLE:
        lines.append(f"mend     {UNREADABLE_MEND}")
    elif seen.takeable and seen.status is not RecordStatus.MISSING:
        lines.append(f"mend     {RECLAIM}")
    lines.append(f"file     {path}")
    return "\n".join(lines) + "\n"


def as_json(seen: Inspection, path: str) -> str:
    """Return what ``neo-lease inspect --json`` prints; of the token only its first part."""
    lease = dict(seen.lease.fields) if seen.lease else None
    if lease is not None and isinstance(lease.get("token"), str):
        lease["token"] = lease["token"][:8]
    told = {
        "status": str(seen.status),
        "takeable": seen.takeable,
        "holder": str(seen.holder) if seen.holder else None,
        "expired": seen.expired,
        "busy": seen.busy,
        "lease": lease,
        "carriers": [one._asdict() for one in seen.scan.carriers],
        "unreadableEnvironments": seen.scan.unreadable,
        "error": seen.error,
        "path": path,
    }
    text = json.dumps(told, indent=2, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode() + "\n"


def _end_of_living(seen: Inspection) -> str:
    """Return what ends a living holder; empty where nobody is known to live."""
    lease = seen.lease
    if lease is None or lease.pid is None or seen.holder is not HolderState.ALIVE:
        return ""
    run_id = lease.metadata.get("runId")
    return f"neo-console stop {run_id}" if isinstance(run_id, str) and run_id.isalnum() else f"kill {lease.pid}"


def _explain(seen: Inspection) -> str:
    """Return what the record means for who wants the lease; empty where there is none."""
    if seen.status is RecordStatus.MISSING:
        return ""
    if not seen.takeable:
        return explain_held(seen)
    if seen.status is RecordStatus.MALFORMED:
        return MALFORMED_SENTENCE
    gone = "gone" if seen.holder is HolderState.DEAD else "past its declared deadline"
    return f"its holder is {gone}; the next start takes the lease over"
