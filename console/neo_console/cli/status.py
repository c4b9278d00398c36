"""What ``status`` prints for people: health first, then every part of the snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from neo_console.cli.output import fitted, history_text, table
from neo_console.format import age, moment, plain, plural, size
from neo_console.living import SCRIPT_TREE, how_asked, is_script, script_end
from neo_console.vocabulary import outcome_term, term
from neo_console.waiting import last_deferral, state_term, who_waits
from neo_core.health import judge
from neo_core.ledger.models import Trigger
from neo_core.snapshot import OrchestratorState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neo_core.ledger.models import Run
    from neo_core.snapshot import (
        Health,
        LeaseView,
        MemoryView,
        OrchestratorView,
        ScheduleView,
        Section,
        ServiceView,
        Snapshot,
        TaskView,
        TreeView,
    )

_RECENT = 5
_PROCESSES = 8
_LABEL = 12
_INDENT = "\n" + " " * (_LABEL + 2)
_HANG = _LABEL + 4  # cells: below the word behind the badge


def status_text(snapshot: Snapshot) -> str:
    """Return what ``status`` prints."""
    now = snapshot.at
    read_only = f"  (read-only: {plain(snapshot.read_only)})" if snapshot.read_only else ""
    head = [
        f"{'health'.ljust(_LABEL)}  {health_text(judge(snapshot))}",
        f"{'workspace'.ljust(_LABEL)}  {plain(snapshot.workspace)}{read_only}",
        _part("lease", snapshot.lease, lambda view: _lease_lines(view, snapshot, now)),
        _part("orchestrator", snapshot.orchestrator, lambda view: orchestrator_line(view, now)),
        _part("memory", snapshot.memory, _memory_line),
        *_unless_read("collisions", snapshot.collisions),
        *_unless_read("strays", snapshot.strays),
    ]
    parts = [
        fitted("\n".join(head), _HANG),
        "",
        _part("tasks", snapshot.schedule, lambda view: _tasks(view, now), block=True),
        *_service_parts(snapshot.services, now),
        "",
        _part("outcomes", snapshot.outcomes, lambda runs: _recent(runs, now), block=True),
    ]
    return "\n".join(parts)


def health_text(health: Health) -> str:
    """Return the verdict, and each cause with its mend on a line of its own."""
    lines = [str(term(health.status)).upper()]
    for cause in health.causes:
        mend = f" → {cause.mend}" if cause.mend else ""
        said = f"[{cause.code}] {cause.subject}: {cause.sentence}{mend}"
        lines.append(plain(f"{term(cause.status).badge} {said}"))
    return _INDENT.join(lines)


def orchestrator_line(view: OrchestratorView, now: float) -> str:
    """Return the orchestrator on one line."""
    parts = [str(term(view.state)).upper()]
    if view.pid is not None and view.ended_at is None:
        parts.append(f"pid {view.pid}")
    if view.started_at is not None and view.state in (OrchestratorState.RUNNING, OrchestratorState.SILENT):
        parts.append(f"for {age(now - view.started_at)}")
    if view.beat_at is not None:
        parts.append(f"polled {age(now - view.beat_at)} ago")
    parts.append(view.sentence)
    line = " · ".join(parts)
    return plain(f"{line} → {view.mend}" if view.mend else line)


def services_text(views: Sequence[ServiceView], now: float) -> str:
    """Return the services as a table."""
    if not views:
        return "No services are configured: add a section [services.NAME] to neo-console.toml."
    head = ("SERVICE", "STATE", "SINCE", "PID", "ENDPOINT", "RESTARTS", "WHY")
    return table(head, (_service_row(view, now) for view in views), below=True)


def _service_row(view: ServiceView, now: float) -> tuple[str, ...]:
    at = f"; next start at {moment(view.next_start_at, now, seconds=True)}" if view.next_start_at is not None else ""
    return (
        view.name,
        str(term(view.state)),
        moment(view.since, now, seconds=True) if view.since else "never",
        str(view.pid or ""),
        view.endpoint,
        str(view.restarts or ""),
        f"{view.sentence}{at}",
    )


def _service_parts(section: Section[tuple[ServiceView, ...]], now: float) -> list[str]:
    """A workspace without services needs no line that says so."""
    if not section.error and section.value == ():
        return []
    return ["", _part("services", section, lambda views: services_text(views, now), block=True)]


def _unless_read(name: str, section: Section[Any]) -> list[str]:
    """The sentences stand among the causes; here only what could not be read, which is no "none"."""
    return [] if section.value is not None else [_part(name, section, str)]


def _part(name: str, section: Section[Any], show: Any, *, block: bool = False) -> str:  # noqa: ANN401 - any section
    if section.error:
        return f"{name.ljust(_LABEL)}  ✗ unreadable: {plain(section.error)}"
    if section.value is None:
        return f"{name.ljust(_LABEL)}  ? unknown"
    return str(show(section.value)) if block else f"{name.ljust(_LABEL)}  {show(section.value)}"


def _asked(view: LeaseView, runs: Sequence[Run]) -> str:
    """Return how the holder was asked for, and of a run of ours by whom."""
    run = next((run for run in runs if run.run_id == view.run_id), None) if view.run_id else None
    by = run.requested_by if run is not None and run.trigger is Trigger.MANUAL else ""
    return how_asked(view, run) + (f", asked for by {by}" if by else "")


def _lease_lines(view: LeaseView, snapshot: Snapshot, now: float) -> str:
    runs = snapshot.outcomes.value or ()
    parts = [str(term(view.light)).upper()]
    if view.owner:
        parts += [view.owner, f"pid {view.pid or 'unknown'}", _asked(view, runs)]
    if view.acquired_at is not None:
        parts.append(f"for {age(now - view.acquired_at)}")
    lines = [plain(" · ".join(part for part in parts if part))]
    if view.owner or view.mend:
        lines.append(plain(view.sentence))
    lines += [f"pid {one.pid} {plain(one.command)} (by {one.by})" for one in view.carriers]
    if view.mend:
        lines.append(f"mend: {view.mend}")
    if is_script(view):
        lines += [_script_tree(tree) for tree in snapshot.processes.value or () if tree.kind == SCRIPT_TREE]
        lines.append(script_end(view))
    return _INDENT.join(lines)


def _script_tree(tree: TreeView) -> str:
    """Return what works for a living script, whoever is its parent now, and what memory it has."""
    shown = ", ".join(f"pid {one.pid} {plain(one.name)}" for one in tree.processes[:_PROCESSES])
    more = f", and {len(tree.processes) - _PROCESSES} more" if len(tree.processes) > _PROCESSES else ""
    return f"{plural(len(tree.processes), 'process', 'processes')} with {size(tree.memory)}: {shown}{more}"


def _memory_line(view: MemoryView) -> str:
    known = view.available is not None and view.total
    share = f"{round(100 * (view.available or 0) / (view.total or 1))}%" if known else "?"
    pressure = "pressure unknown" if view.pressure is None else f"PSI {view.pressure:.1f}"
    parts = [
        f"{size(view.available)} of {size(view.total)} available ({share})",
        f"swap {size(view.swap_used)}",
        pressure,
        str(term(view.phase)) + (f" ({view.signal} {view.value}, limit {view.limit})" if view.signal else ""),
    ]
    return " · ".join(parts + ([f"incident {view.incident}"] if view.incident else []))


def _tasks(view: ScheduleView, now: float) -> str:
    rows = []
    for task in view.tasks:
        why = f"set {task.missing_key}" if not task.configured else _why_not(task, now)
        last = outcome_term(task.last_outcome) if task.last_at is not None else ""
        rows.append(
            (
                task.name,
                "heavy" if task.heavy else "light",
                str(state_term(task)),
                f"{last} {moment(task.last_at, now)}" if last else "never",
                f"{task.streak}×" if task.streak else "",
                why,
            )
        )
    text = table(("TASK", "CLASS", "STATE", "LAST", "DEFERRED", "WHY NOT NOW"), rows, below=True)
    if view.pause is not None:
        because = f": {plain(view.pause.because)}" if view.pause.because else ""
        until = f" until {moment(view.pause.until, now)}" if view.pause.until is not None else ""
        ends = "(no task starts; neo-console unpause ends it)"
        said = f"PAUSED{until} by {view.pause.requested_by}{because} {ends}"
        text = f"{fitted(said, 2)}\n{text}"
    if view.heavy_deferral is not None:
        held = view.heavy_deferral
        because = f": {plain(held.because)}" if held.because else ""
        until = f" until {moment(held.until, now)}" if held.until is not None else ""
        ends = "(neo-console relief resume-heavy ends it)"
        said = f"HEAVY DEFERRED{until} by {held.requested_by}{because} {ends}"
        text = f"{fitted(said, 2)}\n{text}"
    return text


def _why_not(task: TaskView, now: float) -> str:
    """Return what blocks the task now, who tries again by himself, and how its last start was put off."""
    blocking = task.decision.blocking
    waits = who_waits(task, now) if task.waiters else ""
    parts = (blocking.sentence if blocking else "", f"waiting: {waits}" if waits else "", last_deferral(task, now))
    return "; ".join(part for part in parts if part)


def _recent(runs: Sequence[Run], now: float) -> str:
    return history_text(runs[:_RECENT], now)
