"""Start a task: ask the gates freshly, confirm, start, report; a service is started by its keeper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.availability import blocked_start, final_blocks, may_go_by, may_trigger, overridable_blocks
from neo_console.dialogs.confirm import Confirm, Proposal
from neo_console.drawing import Fact, gate_lines
from neo_console.flows.services import start_service
from neo_console.format import plain
from neo_console.vocabulary import Tone, outcome_term, term
from neo_core.errors import NeoError
from neo_core.schedule.decision import Verdict

if TYPE_CHECKING:
    from neo_console.app import NeoConsole
    from neo_core.schedule.decision import Decision, GateResult
    from neo_core.snapshot import TaskView

OVERRIDE = "override"


def trigger(app: NeoConsole) -> None:
    """Preview a start of the selected task, or of the service, and ask for it."""
    context = app.context()
    if context.service is not None:
        start_service(app, context.service)
        return
    task = context.task
    if task is None:
        return
    try:
        engine = app.engine()
        refused = may_go_by(engine.reconfigure_if_changed())
        decision = engine.preview(task.name)
    except NeoError as error:
        app.report(f"{task.name} was not started. {error}", Tone.FAIL)
        return
    blocked = refused or blocked_start(context, decision)
    if blocked is not None:
        app.telling.refuse(blocked, may_trigger, context)
        return
    override = bool(overridable_blocks(decision))
    app.push_screen(
        Confirm(_proposal(app, task, decision)),
        lambda yes: _start(app, task.name, override=override) if yes else None,
    )


def _proposal(app: NeoConsole, task: TaskView, decision: Decision) -> Proposal:
    takes = "takes the heavy lease, so that nothing else heavy starts" if task.heavy else "runs beside everything else"
    title = f" ({task.title})" if task.title else ""
    shut = overridable_blocks(decision)
    gates = (
        [_shut(gate) for gate in shut]
        if shut
        else [Fact("gates", f"{term(Verdict.PASS).badge} all {len(decision.results)} let it start", Tone.OK)]
    )
    return Proposal(
        title=f"Start {plain(task.name)}{' in spite of the memory' if shut else ''}?",
        facts=(
            Fact("target", f"{task.name}{title}"),
            *gates,
            Fact("effect", f"starts one run now; it {takes}; it outlives this console"),
            *([Fact("override", f"type {OVERRIDE} to start all the same; it is kept with the run")] if shut else []),
        ),
        body=gate_lines(decision, app.colours),
        confirm=f"Start {plain(task.name)}",
        as_of=decision.at,
        changed=lambda: _changed(app, task, override=bool(shut)),
        typed=OVERRIDE if shut else "",
        undone="nothing was started",
        seen=lambda: _moved(app, task),
    )


def _shut(gate: GateResult) -> Fact:
    """Return a memory gate with both its numbers: what it saw, and against what."""
    shown = term(gate.verdict)
    return Fact("memory", f"{shown.badge} {term(gate.gate).word}: {gate.value}; limit: {gate.limit}", shown.tone)


def _moved(app: NeoConsole, captured: TaskView) -> str:
    """Return what the latest picture shows to be different since the keypress; empty when nothing is."""
    name = captured.name
    task = app.picture.task(name)
    if task is None:
        return f"{name} is no longer in the schedule."
    if task.running_run_id != captured.running_run_id:
        return f"{name} was started meanwhile (run {task.running_run_id[:8]})."
    return ""


def _changed(app: NeoConsole, captured: TaskView, *, override: bool) -> str:
    """Return what is different since the keypress; empty when nothing is. Memory is no news to an override."""
    if moved := _moved(app, captured):
        return moved
    name = captured.name
    try:
        engine = app.engine()
        refused = may_go_by(engine.reconfigure_if_changed())
        decision = engine.preview(name)
    except NeoError as error:
        return str(error)
    if refused:
        return f"{refused}."
    gate = next(iter(final_blocks(decision)), None) if override else decision.blocking
    return f"Since the preview: {plain(gate.sentence)}." if gate else ""


def _start(app: NeoConsole, name: str, *, override: bool) -> None:
    try:
        attempt = app.engine().trigger(name, override_memory=override)
    except NeoError as error:
        app.report(f"{name} was not started. {error}", Tone.FAIL)
        return
    finally:
        app.nudge()
    gate = attempt.decision.blocking
    if attempt.started or gate is None:
        app.picture.begin(name, attempt.run_id)
        app.telling.follow(attempt.run_id)
        app.report(f"{name} started as run {attempt.run_id[:8]}; {app.keymap.key('log')} shows its log", Tone.RUN)
        return
    shown = outcome_term(gate.outcome)
    app.report(f"{name} {shown.word}: {gate.sentence} — {app.keymap.key('why')} on its row says why", Tone.CALM)
