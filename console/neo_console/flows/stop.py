"""Stop a run, softly or by force: the run that was selected at the keypress and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.dialogs.confirm import Confirm, Proposal
from neo_console.drawing import Fact
from neo_console.flows.services import stop_service
from neo_console.flows.strays import stop_stray
from neo_console.format import age, plain, plural
from neo_console.rows.processes import tree_memory
from neo_console.vocabulary import Tone, outcome_term
from neo_core.errors import NeoError

if TYPE_CHECKING:
    from neo_console.app import NeoConsole
    from neo_core.ledger.models import Run

_SOFT = (
    "its processes are asked to end; what is left after {} is killed; then the outcome is recorded and the lease let go"
)
_SOME_GRACE = "its grace"
_ORPHANS_SOFT = "its runner was killed; what is left of it is asked to end, and the lease is free when the last has"
_ORPHANS_FORCE = "its runner was killed; what is left of it is killed at once, and the lease is free then"
_FORCE = "its whole process tree is killed at once; what it was writing may stay half-written"


def stop(app: NeoConsole, *, force: bool) -> None:
    """Confirm stopping the selected run, the service or the stray."""
    context = app.context()
    if context.stray is not None:
        stop_stray(app, context.stray)
        return
    if context.service is not None and not context.live_run_id:
        stop_service(app, context.service)
        return
    run = _selected(app)
    if run is None:
        return
    app.push_screen(
        Confirm(_proposal(app, run, force=force)), lambda yes: _stop(app, run, force=force) if yes else None
    )


def _selected(app: NeoConsole) -> Run | None:
    run_id = app.context().live_run_id
    try:
        return app.picture.run(run_id) or app.engine().run(run_id)
    except NeoError as error:
        app.report(str(error), Tone.FAIL)
        return None


def _proposal(app: NeoConsole, run: Run, *, force: bool) -> Proposal:
    name = plain(run.task)
    how = "Force stop" if force else "Stop"
    facts, as_of = _told(app, run, force=force)
    return Proposal(
        title=f"{how} {name}?",
        facts=facts,
        confirm=f"{how} {name}",
        as_of=as_of,
        changed=lambda: _changed(app, run),
        typed=run.task if force else "",
        undone="nothing was stopped",
        told=lambda: _told(app, app.picture.run(run.run_id) or run, force=force),
    )


def _told(app: NeoConsole, run: Run, *, force: bool) -> tuple[tuple[Fact, ...], float]:
    """Return what would be stopped and how, and since when that is known."""
    now = app.now()
    running = f", running {age(now - run.started_at)}" if run.started_at is not None else ""
    pid = f", runner pid {run.runner_pid}{'' if run.live else ' (gone)'}" if run.runner_pid else ""
    as_of = app.picture.outcomes(now).at
    facts = [
        Fact("target", f"run {run.run_id} of {run.task}{running}{pid}"),
        Fact("command", run.command, cut=True),
        Fact("memory", _memory(app, run)),
        Fact("effect", _effect(app, run, force=force)),
    ]
    return tuple(fact for fact in facts if fact.value), now if as_of is None else as_of


def _memory(app: NeoConsole, run: Run) -> str:
    """Return how much the run's processes have, and how many they are; empty when that is not known."""
    trees = [one for one in app.picture.trees() if one.run_id == run.run_id]
    runner = " now, its runner among them" if run.live else ""
    return ", ".join(
        f"{tree_memory(one)} in {plural(len(one.processes), 'process', 'processes')}{runner}" for one in trees
    )


def _effect(app: NeoConsole, run: Run, *, force: bool) -> str:
    if not run.live:
        return _ORPHANS_FORCE if force else _ORPHANS_SOFT
    task = app.picture.task(run.task)
    return _FORCE if force else _SOFT.format(age(task.grace) if task else _SOME_GRACE)


def _changed(app: NeoConsole, captured: Run) -> str:
    """Return what is different since the keypress; empty when nothing is."""
    try:
        run = app.engine().run(captured.run_id)
    except NeoError as error:
        return str(error)
    if not run.live and not app.picture.orphaned_run(run_id=run.run_id):
        return f"Run {run.run_id[:8]} of {run.task} has ended meanwhile ({outcome_term(run.outcome).word})."
    if captured.runner is not None and run.runner != captured.runner:
        return f"Run {run.run_id[:8]} of {run.task} has another runner now."
    return ""


def _stop(app: NeoConsole, run: Run, *, force: bool) -> None:
    try:
        app.engine().stop(run.run_id, force=force, because="asked for in the console")
    except NeoError as error:
        app.report(f"{run.task} was not stopped. {error}", Tone.FAIL)
        return
    finally:
        app.nudge()
    how = "to end at once" if force else "to end"
    if not run.live:
        left = f"what is left of {run.task} (run {run.run_id[:8]}) was asked {how}"
        app.report(f"{left}; the row of that run says who asked", Tone.RUN)
        return
    app.report(f"{run.task} (run {run.run_id[:8]}) was asked {how}; its outcome will be a row", Tone.RUN)
