"""What ``neo-lease inspect`` prints, for people and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from neo_core.lease.explain import MALFORMED_SENTENCE, RECLAIM, UNREADABLE_MEND, explain_held, way_out
from neo_core.lease.words import HolderState, RecordStatus

if TYPE_CHECKING:
    from neo_core.lease.inspect import Inspection


def as_text(seen: Inspection, path: str) -> str:
    """Return what ``neo-lease inspect`` prints for people; ``path`` is the record's."""
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
    if seen.scan.unreadable:
        lines.append(f"unknown  {seen.scan.unreadable} of your processes would not show their environment")
    if told := _explain(seen):
        lines.append(f"why      {told}")
    if mend := way_out(seen):
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
