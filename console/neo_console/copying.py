"""What can be copied of a selection, the most wanted first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from neo_console.cli.projection import lease_object
from neo_console.logfeed import LogKind
from neo_console.rows.outcomes import reason_of
from neo_console.subjects import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from neo_console.context import Context
    from neo_console.logfeed import LogOf
    from neo_console.picture import Picture
    from neo_console.subjects import Subject

LEASE = "lease as JSON"


class Copyable(NamedTuple):
    """One thing to copy: what it is called, and the text exactly as it is."""

    label: str
    text: str


def copyables(context: Context, now: float) -> list[Copyable]:
    """Return everything that is known of the selection, and the lease, each text once; empty when nothing is there."""
    if context.subject is None:
        return []
    found: dict[str, Copyable] = {}
    for label, text in (*_of_selection(context), *_of_lease(context, now)):
        if text:
            found.setdefault(text, Copyable(label, text))
    return list(found.values())


def log_copyables(of: LogOf, in_view: str) -> list[Copyable]:
    """Return what can be copied of a log: the lines in view, whose it is, and the command that prints all of it."""
    name = of.name or "orchestrator"
    told = (
        ("lines in view", in_view),
        ("run id" if of.kind is LogKind.RUN else "name", name),
        ("command", f"neo-console logs {name}"),
    )
    return [Copyable(label, text) for label, text in told if text]


def _of_selection(context: Context) -> Iterator[tuple[str, str]]:
    subject = context.subject
    if subject is None:
        return
    match subject.kind:
        case Kind.PROCESS | Kind.TREE:
            yield from _of_processes(context.picture, subject)
        case Kind.TASK:
            yield "task", subject.task
        case Kind.SERVICE:
            yield from _of_service(context)
    yield from _of_run(context, context.logged_run_id)
    if subject.kind is Kind.TASK and context.task is not None:
        gate = context.task.decision.blocking
        yield "reason", gate.sentence if gate is not None else context.task.last_reason or context.task.last_reason_code
    yield "task", subject.task


def _of_processes(picture: Picture, subject: Subject) -> Iterator[tuple[str, str]]:
    if subject.pid is not None:
        found = picture.process(subject.pid, subject.start_time or 0)
        yield "pid", str(subject.pid)
        yield "command", found[1].command if found else ""
        return
    tree = picture.tree(subject)
    if tree is not None and tree.processes:
        yield "pid", str(tree.processes[0].pid)
        yield "all pids", " ".join(str(one.pid) for one in tree.processes)
        yield "command", tree.processes[0].command
    yield "owner", tree.owner if tree is not None else ""


def _of_service(context: Context) -> Iterator[tuple[str, str]]:
    service = context.service
    if service is None:
        return
    yield "service", service.name
    yield "pid", "" if service.pid is None else str(service.pid)
    yield "reason", service.sentence
    yield "command", service.command
    yield "address", service.endpoint


def _of_run(context: Context, run_id: str) -> Iterator[tuple[str, str]]:
    run = context.picture.run(run_id)
    yield "run id", run_id
    if run is None or context.subject is None or context.subject.kind not in (Kind.TASK, Kind.RUN):
        return
    if run.live:
        yield "pid", "" if run.child_pid is None else str(run.child_pid)
        yield "runner pid", "" if run.runner_pid is None else str(run.runner_pid)
    yield "reason", reason_of(run)
    yield "command", run.command


def _of_lease(context: Context, now: float) -> Iterator[tuple[str, str]]:
    lease = context.picture.lease(now).value
    if lease is not None:
        yield LEASE, json.dumps(lease_object(lease, now), indent=2, ensure_ascii=False)
