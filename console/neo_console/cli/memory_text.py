"""One moment of the memory as ``memory`` prints it: plain text for people, JSON for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neo_console.cli.output import table
from neo_console.cli.records import iso
from neo_console.format import age, exactly, plain, plural, size, took
from neo_console.thens import Told, amounts, apart, company, left_out, looked
from neo_console.vocabulary import term
from neo_core.clock import to_iso

if TYPE_CHECKING:
    from neo_core.ledger.models import Run
    from neo_core.memory.attribution import TreeCost
    from neo_core.memory.reading import Reading
    from neo_core.recorder.past import Past, Then
    from neo_core.snapshot import LeaseView, Snapshot

_INDENT = "\n           "


def moment_text(
    then: Then, now: float, most: int, *, asked: float | None = None, snapshot: Snapshot | None = None
) -> str:
    """Return what is known of a moment; ``snapshot`` is given for the present one, ``asked`` for one of the past."""
    told = _when(then, now, asked)
    if then.sample is not None:
        told += amounts(then.sample.reading)
    told += company(then, now, _lease_now(snapshot, now) if snapshot else "")
    lines = [f"{one.label:<9}  {_INDENT.join(one.lines)}" for one in told]
    if then.sample is not None:
        lines += ["", f"{looked(then, now)}:", *_trees(then, most), *([] if snapshot else left_out(then))]
    return "\n".join(lines)


def not_recorded(past: Past, at: float, now: float) -> str:
    """Return that nothing was recorded near ``at``, what is the nearest to it, and what to ask for instead."""
    asked = exactly(at, now)
    if past.oldest is None or past.newest is None:
        return (
            f"memory at {asked}: no sample was recorded yet. The orchestrator, or an open console, takes one every"
            " few seconds: neo-console orchestrator start."
        )
    before, after = past.around(at)
    kept = f"The record goes from {exactly(past.oldest, now)} to {exactly(past.newest, now)}."
    told = [f"the last one before it is of {exactly(before, now)}, {took(at - before)} earlier"] if before else []
    told += [f"the first one after it is of {exactly(after, now)}, {took(after - at)} later"] if after else []
    if before is None:
        told.append("older ones were overwritten or never taken")
    near = min((one for one in (before, after) if one is not None), key=lambda one: abs(one - at))
    mend = f'Ask for the nearest: neo-console memory --at "{to_iso(near)}".'
    return f"memory at {asked}: no sample is near; {', '.join(told)}. {kept} {mend}"


def moment_json(
    then: Then, most: int, *, asked: float | None = None, past: Past | None = None, snapshot: Snapshot | None = None
) -> dict[str, Any]:
    """Return ``memory --json``: bytes, percentages and seconds as numbers, ``None`` for what is not known."""
    reading = then.sample.reading if then.sample else None
    shown = then.trees[: most or None]
    before, after = past.around(asked) if past is not None and asked is not None else (None, None)
    phase = snapshot.memory.value.phase if snapshot is not None and snapshot.memory.value else None
    return {
        "askedFor": iso(asked),
        "at": iso(reading.at if reading else None),
        "distanceSeconds": round(reading.at - asked, 3) if reading and asked is not None else None,
        "phase": str(phase) if phase else None,
        "memory": _reading_json(reading) if reading else None,
        "lease": _lease_json(then, snapshot),
        "runs": [_run_json(run) for run in then.runs],
        "waiting": [
            {
                "task": one.task,
                "since": iso(one.since),
                "reasonCode": one.row.reason_code if one.row else None,
                "reason": one.row.reason if one.row else None,
                "blocker": (one.row.blocker or None) if one.row else None,
            }
            for one in then.waiting
        ],
        "incidents": [one.incident_id for one in then.incidents],
        "treesAt": iso(then.looked_at),
        "trees": [_tree_json(tree) for tree in shown],
        "treesNotShown": len(then.trees) - len(shown),
        "onlyDearestKept": then.cut and snapshot is None,
        "record": None
        if past is None
        else {
            "oldestAt": iso(past.oldest),
            "newestAt": iso(past.newest),
            "lastBeforeAt": iso(before),
            "firstAfterAt": iso(after),
        },
    }


def _when(then: Then, now: float, asked: float | None) -> list[Told]:
    if asked is None:
        return [Told("now", (exactly(then.at, now),))]
    first = Told("asked for", (f"{exactly(asked, now)}, {age(now - asked)} ago",))
    if then.sample is None:
        return [first, Told("sample", ("none is near: what follows is what the ledger knows of that time",))]
    return [first, Told("sample", (f"{exactly(then.at, now)}, {apart(then.at - asked)}",))]


def _lease_now(snapshot: Snapshot, now: float) -> str:
    view: LeaseView | None = snapshot.lease.value
    if view is None:
        return f"✗ unreadable: {plain(snapshot.lease.error)}"
    parts = [str(term(view.light)).upper()]
    if view.owner:
        parts += [view.owner, f"pid {view.pid or 'unknown'}"]
    if view.owner and view.acquired_at is not None:
        parts.append(f"for {age(now - view.acquired_at)}")
    return plain(" · ".join(parts))


def _trees(then: Then, most: int) -> list[str]:
    shown = then.trees[: most or None]
    rows = (
        (
            tree.owner,
            f"{tree.kind} {tree.run_id}".strip(),
            str(tree.pid),
            str(tree.processes),
            size(tree.cost),
            size(tree.rss),
        )
        for tree in shown
    )
    lines = [table(("TREE", "KIND", "PID", "PROCESSES", "MEMORY", "RSS"), rows)]
    if hidden := len(then.trees) - len(shown):
        lines.append(f"{plural(hidden, 'cheaper tree')} more: -n 0 shows all.")
    if any(tree.kind == "other" for tree in shown):
        lines.append("Of what is not ours, other, TREE and PID are the biggest process of a session.")
    return lines


def _reading_json(reading: Reading) -> dict[str, Any]:
    return {
        "totalBytes": reading.total,
        "availableBytes": reading.available,
        "swapTotalBytes": reading.swap_total,
        "swapUsedBytes": reading.swap_used,
        "somePercent": reading.some.avg10 if reading.some else None,
        "fullPercent": reading.full.avg10 if reading.full else None,
        "level": reading.level,
        "limitBytes": reading.limit.max if reading.limit else None,
        "limitUsedBytes": reading.limit.current if reading.limit else None,
    }


def _lease_json(then: Then, snapshot: Snapshot | None) -> dict[str, Any]:
    """``toldBy`` says how the owner is known: by the lease's record, a run of ours, or a start that waited for it."""
    if snapshot is not None:
        view = snapshot.lease.value
        owner, run = (view.owner, view.run_id) if view else ("", "")
        told = "record" if view else None
    else:
        owner, run = then.holder, then.holder_run
        told = "run" if run else "waiting" if owner else None
    return {"owner": owner or None, "runId": run or None, "toldBy": told}


def _run_json(run: Run) -> dict[str, Any]:
    return {
        "runId": run.run_id,
        "task": run.task,
        "leaseRole": str(run.lease_role),
        "startedAt": iso(run.started_at),
        "endedAt": iso(run.ended_at),
        "outcome": str(run.outcome) if run.outcome else None,
    }


def _tree_json(tree: TreeCost) -> dict[str, Any]:
    return {
        "owner": tree.owner,
        "kind": tree.kind,
        "runId": tree.run_id or None,
        "pid": tree.pid,
        "processes": tree.processes,
        "memoryBytes": tree.cost,
        "rssBytes": tree.rss,
    }
