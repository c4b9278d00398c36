"""One incident as a whole: what coincided with it, as a struct for screens and as JSON or Markdown for a bug report.

It never says what caused what: two things happened at the same time, and one of them grew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from neo_core.clock import to_iso
from neo_core.durations import format_duration
from neo_core.ledger.memory import Incident, Sample
from neo_core.ledger.models import Control, Run
from neo_core.ledger.reliefs import Relief
from neo_core.sizes import in_mib

if TYPE_CHECKING:
    from neo_core.ledger.store import Ledger
    from neo_core.memory.attribution import Growth

MEMORY_REASONS = ("memory-pressure", "memory-forecast", "heavy-deferred")
_MARGIN = 60.0
_RELIEFS = ("time", "what", "target", "expected to free", "freed", "available memory", "how it went")


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """An incident with the samples from a minute before it to a minute after, and who did what during it.

    ``rows`` tell of every start that was made or held back, and of the last one of each task before.
    """

    incident: Incident
    until: float
    samples: tuple[Sample, ...]
    runs: tuple[Run, ...]
    deferred: tuple[Run, ...]
    acts: tuple[Control, ...]
    rows: tuple[Run, ...] = ()
    reliefs: tuple[Relief, ...] = ()


def report_on(ledger: Ledger, incident: Incident, now: float, *, most: int = 0) -> Report:
    """Gather what coincided with an incident, up to ``now`` while it is open. Raises ``LedgerError``.

    With ``most`` the samples of a long one are thinned to about so many.
    """
    until = now if incident.ended_at is None else incident.ended_at
    begin = incident.began_at
    step = (until - begin + 2 * _MARGIN) / most if most else 0.0
    return Report(
        incident=incident,
        until=until,
        samples=tuple(ledger.memory.samples(begin - _MARGIN, until + _MARGIN, step=step)),
        runs=tuple(ledger.memory.runs_during(begin, until)),
        deferred=tuple(ledger.memory.deferred_during(begin, until, MEMORY_REASONS)),
        acts=tuple(ledger.memory.acts_during(begin, until)),
        rows=tuple(ledger.memory.rows_during(begin - _MARGIN, until + _MARGIN)),
        reliefs=tuple(ledger.reliefs.during(begin, until)),
    )


def as_json(report: Report) -> dict[str, Any]:
    """Return the report as plain data: camelCase names, ISO times, bytes and percentages as numbers."""
    incident = report.incident
    return {
        **incident_json(incident),
        "coincidedWith": {
            "leaseOwners": list(incident.lease_owners),
            "runs": [_run(run) for run in report.runs],
            "borrowed": list(incident.borrowed),
            "collisions": list(incident.collisions),
            "deferred": [_deferred(run) for run in report.deferred],
            "acts": [_act(control) for control in report.acts],
            "reliefs": [relief_json(relief) for relief in report.reliefs],
        },
        "samples": [_sample(sample) for sample in report.samples],
    }


def incident_json(incident: Incident) -> dict[str, Any]:
    """Return the incident without its surroundings: camelCase names, ISO times, bytes and percentages as numbers."""
    return {
        "incident": incident.incident_id,
        "beganAt": to_iso(incident.began_at),
        "endedAt": None if incident.ended_at is None else to_iso(incident.ended_at),
        "phase": str(incident.phase),
        "signal": {
            "name": incident.worst.signal,
            "value": incident.worst.value,
            "limit": incident.worst.limit,
        },
        "leastAvailableBytes": incident.least_available,
        "mostSomePercent": incident.most_some,
        "mostFullPercent": incident.most_full,
        "grownSince": to_iso(incident.since),
        "grew": [_grown(one) for one in incident.trees],
    }


def as_markdown(report: Report) -> str:
    """Return the report as a page that can be put into a bug report."""
    incident = report.incident
    ended = "still going on" if incident.ended_at is None else to_iso(incident.ended_at)
    lines = [
        f"# Memory incident {incident.incident_id}: {incident.phase}",
        "",
        f"- from {to_iso(incident.began_at)} to {ended} ({format_duration(report.until - incident.began_at)})",
        f"- worst: {incident.worst.signal} {incident.worst.value} (limit {incident.worst.limit})",
        f"- least available memory: {in_mib(incident.least_available)}",
        "",
        f"## It coincided with the growth of (since {to_iso(incident.since)})",
        "",
        *_table(("tree", "kind", "grew by", "cost then"), [_growth_row(one) for one in incident.trees]),
        "## It coincided with these runs",
        "",
        *_table(("task", "run", "role", "from", "outcome"), [_run_row(run) for run in report.runs]),
        "## Starts that were held back",
        "",
        *_table(("task", "since", "times", "reason"), [_deferred_row(run) for run in report.deferred]),
        "## What operators did meanwhile",
        "",
        *_table(("time", "what", "target", "because"), [_act_row(control) for control in report.acts]),
        "## What they did to free memory, and what was measured after it",
        "",
        *_table(_RELIEFS, [_relief_row(relief) for relief in report.reliefs]),
    ]
    return "\n".join(lines) + "\n"


def _grown(one: Growth) -> dict[str, Any]:
    return {
        "owner": one.tree.owner,
        "kind": one.tree.kind,
        "runId": one.tree.run_id,
        "grownBytes": one.grown,
        "costBytes": one.tree.cost,
    }


def _run(run: Run) -> dict[str, Any]:
    return {
        "runId": run.run_id,
        "task": run.task,
        "role": str(run.lease_role),
        "startedAt": None if run.started_at is None else to_iso(run.started_at),
        "endedAt": None if run.ended_at is None else to_iso(run.ended_at),
        "outcome": None if run.outcome is None else str(run.outcome),
        "peakMemory": run.peak_memory,
    }


def _deferred(run: Run) -> dict[str, Any]:
    return {
        "task": run.task,
        "since": to_iso(run.requested_at),
        "until": to_iso(run.last_at),
        "count": run.count,
        "reasonCode": run.reason_code,
        "reason": run.reason,
    }


def _act(control: Control) -> dict[str, Any]:
    return {
        "at": to_iso(control.created_at),
        "what": str(control.kind),
        "target": control.target,
        "because": control.because,
        "by": control.requested_by,
    }


def relief_json(relief: Relief) -> dict[str, Any]:
    """Return a relief as plain data; what is not known, or was not measured, is ``None`` and never 0."""
    return {
        "relief": relief.relief_id,
        "kind": str(relief.kind),
        "target": relief.target or None,
        "at": to_iso(relief.asked_at),
        "by": relief.requested_by,
        "because": relief.because,
        "incident": relief.incident_id,
        "expectedBytes": relief.expected,
        "basis": relief.basis,
        "result": None if relief.result is None else str(relief.result),
        "sentence": relief.sentence,
        "measuredAt": None if relief.settled_at is None or not relief.measured else to_iso(relief.settled_at),
        "freedBytes": relief.freed,
        "treeBeforeBytes": relief.tree_before,
        "treeAfterBytes": relief.tree_after,
        "availableBeforeBytes": relief.available_before,
        "availableAfterBytes": relief.available_after,
        "note": relief.note,
    }


def _sample(sample: Sample) -> dict[str, Any]:
    reading = sample.reading
    return {
        "at": to_iso(reading.at),
        "available": reading.available,
        "swapUsed": reading.swap_used,
        "some": reading.some.avg10 if reading.some else None,
        "full": reading.full.avg10 if reading.full else None,
        "level": reading.level,
        "trees": [{"owner": tree.owner, "kind": tree.kind, "cost": tree.cost} for tree in sample.trees],
    }


def _growth_row(one: Growth) -> tuple[str, ...]:
    return one.tree.owner, one.tree.kind, in_mib(one.grown), in_mib(one.tree.cost)


def _run_row(run: Run) -> tuple[str, ...]:
    began = "" if run.started_at is None else to_iso(run.started_at)
    return run.task, run.run_id, str(run.lease_role), began, str(run.outcome or "running")


def _deferred_row(run: Run) -> tuple[str, ...]:
    return run.task, to_iso(run.requested_at), str(run.count), run.reason


def _act_row(control: Control) -> tuple[str, ...]:
    return to_iso(control.created_at), str(control.kind), control.target, control.because


def _relief_row(relief: Relief) -> tuple[str, ...]:
    expected = "unknown" if relief.expected is None else in_mib(relief.expected)
    return (
        to_iso(relief.asked_at),
        str(relief.kind),
        relief.target,
        f"{expected} ({relief.basis})",
        "not measured" if relief.freed is None else in_mib(relief.freed),
        "not measured" if relief.gained is None else f"{'+' if relief.gained > 0 else ''}{in_mib(relief.gained)}",
        " · ".join(part for part in (str(relief.result or "not known yet"), relief.sentence, relief.note) if part),
    )


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> list[str]:
    """Return a Markdown table; text from elsewhere cannot break out of its cell."""
    if not rows:
        return ["nothing", ""]
    lines = [head, tuple("---" for _ in head), *rows]
    return [f"| {' | '.join(_cell(text) for text in line)} |" for line in lines] + [""]


def _cell(text: str) -> str:
    printable = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return printable.replace("\\", "\\\\").replace("|", "\\|")
