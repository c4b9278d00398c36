"""Whether an action can act on what is selected, and if not: the reason and the way out. Pure functions."""

from __future__ import annotations

from collections.abc import Callable

from neo_console.context import ORCHESTRATOR_TREE, Blocked, Context
from neo_console.living import SCRIPT_TREE, is_script, script_end
from neo_console.subjects import Kind
from neo_console.vocabulary import outcome_term
from neo_core.ledger.models import ServiceState
from neo_core.schedule.decision import Decision, Gate, GateResult, Reason, Verdict
from neo_core.snapshot import OrchestratorState, ServiceView, TaskState, TaskView

OVERRIDABLE = (Gate.MEMORY_PRESSURE, Gate.MEMORY_FORECAST)
_NOT_CONFIGURED = "{} is not configured"
Predicate = Callable[[Context], Blocked | None]


def always(_context: Context) -> Blocked | None:
    """Nothing blocks it."""
    return None


def writable(context: Context) -> Blocked | None:
    """Block what changes something where nothing may be changed."""
    if not context.read_only:
        return None
    return Blocked(f"this console is read-only: {context.read_only}", context.write_again or "see the banner")


def selected(context: Context) -> Blocked | None:
    """Block when nothing is selected, or what was selected is gone."""
    if context.subject is not None and context.subject.kind is Kind.MORE:
        return Blocked("this row only loads what is older", f"press {context.key('detail')} to load it")
    return something(context)


def something(context: Context) -> Blocked | None:
    """Block when no row is selected, or when what is shown is the past."""
    if context.past:
        return Blocked(f"this is the memory as it was at {context.past}", f"press {context.key('present')} for now")
    if context.subject is not None:
        return None
    if context.gone is not None and context.gone.kind is Kind.MORE:
        return Blocked("nothing is selected here", "move to select something")
    if context.gone is not None and context.picture.holds(context.gone):
        return Blocked(f"{context.gone.label} is not in this table any more", "move to select something else")
    if context.gone is not None:
        return Blocked(f"{context.gone.label} is gone", "move to select something else")
    return Blocked("nothing is selected here", f"press {context.key('panel-1')} for the schedule and select a task")


def may_look_closer(context: Context) -> Blocked | None:
    """Block when there is nothing to tell more of; the memory can be looked at, as it is or was."""
    return None if context.past or context.whole else something(context)


def there(context: Context) -> Blocked | None:
    """Block acting on what is still shown, in frozen tables for one, but is not there any more."""
    missing, subject = selected(context), context.subject
    if missing or subject is None or context.picture.holds(subject):
        return missing
    return Blocked(f"{subject.label} is gone", "what is shown is older than what is known; select something else")


def may_trigger(context: Context) -> Blocked | None:
    """Block a start that the gates would refuse, as far as the last picture knows."""
    if context.service is not None:
        return there(context) or _no_keeper(context)
    missing = _a_task(context)
    task = context.task
    if missing or task is None:
        return missing
    refused = may_go_by(context.picture.config_error)
    if refused:
        return refused
    blocking = next((gate for gate in final_blocks(task.decision) if gate.gate is not Gate.DUE), None)
    return explain_block(context, task, blocking) if blocking else None


def may_go_by(config_error: str) -> Blocked | None:
    """Block a start by a configuration that is not in force: it would go by another one than the file says."""
    if not config_error:
        return None
    return Blocked(config_error.rstrip("."), "until then nothing is started by hand; what runs can be stopped")


def may_defer(context: Context) -> Blocked | None:
    """Block snoozing what never starts."""
    missing = _a_task(context)
    task = context.task
    if missing or task is None:
        return missing
    if not task.configured:
        return Blocked(_NOT_CONFIGURED.format(task.name), _configure(task))
    return None


def may_ask_why(context: Context) -> Blocked | None:
    """Block when no decision belongs to the selection."""
    missing = selected(context)
    subject = context.subject
    if missing or subject is None:
        return missing
    if subject.kind is Kind.RUN or subject.run_id or context.task is not None or context.service is not None:
        return None
    return Blocked(f"no gate was asked about {subject.label}", f"press {context.key('detail')} for what is known")


def may_stop(context: Context) -> Blocked | None:
    """Block when the selection is no live run of ours."""
    missing = there(context)
    subject = context.subject
    if missing or subject is None or context.live_run_id or context.stray is not None:
        return missing
    if subject.stray is not None:
        return Blocked(f"{subject.label} is no stray any more", f"press {context.key('refresh')} to look again")
    if context.service is not None:
        return _may_stop_service(context, context.service)
    if subject.kind is Kind.RUN:
        run = context.picture.run(subject.run_id)
        how = outcome_term(run.outcome).word if run else "gone"
        return Blocked(f"this run is over ({how})", f"press {context.key('log')} for its log")
    if subject.kind is Kind.TASK:
        return Blocked(f"{subject.label} is not running", f"press {context.key('trigger')} to start it")
    return _stopped_elsewhere(context, subject.label)


def _stopped_elsewhere(context: Context, label: str) -> Blocked:
    if context.tree_kind == ORCHESTRATOR_TREE:
        return Blocked("the orchestrator has a key of its own", f"press {context.key('orchestrator')} to stop it")
    lease = context.picture.lease_known()
    if context.tree_kind == SCRIPT_TREE and lease is not None and is_script(lease):
        what = f"{lease.owner} (pid {lease.pid}) is a script that holds the lease, no run of ours"
        return Blocked(what, script_end(lease))
    return Blocked(f"{label} is no run of this workspace", "stop it where it was started")


def may_kill(context: Context) -> Blocked | None:
    """Block force where it is not needed: stopping a service escalates by itself."""
    if context.stray is not None:
        stopping = f"stopping {context.stray.label} goes from asking to a kill by itself"
        return Blocked(stopping, f"press {context.key('stop')} to stop it")
    if context.service is None or context.live_run_id:
        return may_stop(context)
    missing = _may_stop_service(context, context.service)
    return missing or Blocked(
        f"stopping {context.service.name} goes from its stop signal to a kill by itself",
        f"press {context.key('stop')} to stop it",
    )


def may_read_log(context: Context) -> Blocked | None:
    """Block when no run belongs to the selection."""
    missing = selected(context)
    subject = context.subject
    if missing or subject is None or context.log.known:
        return missing
    if subject.task:
        return Blocked(f"{subject.task} has not run yet", f"press {context.key('trigger')} to start it")
    return Blocked(f"{subject.label} writes no log here", f"press {context.key('detail')} for what is known")


def explain_block(context: Context, task: TaskView, gate: GateResult) -> Blocked:
    """Return the gate's sentence and the way out of it."""
    key = context.key
    pause = f"press {key('pause')} to end the pause"
    if gate.reason == Reason.HEAVY_DEFERRED:
        pause = f"press {key('relief')} to let heavy tasks start again"
    ways = {
        Gate.CONFIGURED: _configure(task),
        Gate.PAUSE: pause,
        Gate.SNOOZE: f"press {key('defer')} to resume it",
        Gate.RUNNING: f"press {key('log')} for its log, {key('stop')} to stop it",
    }
    way_out = ways.get(gate.gate, f"press {key('why')} for why, {key('defer')} to defer")
    reason = _NOT_CONFIGURED.format(task.name) if gate.gate is Gate.CONFIGURED else gate.sentence
    return Blocked(reason or f"{gate.gate} blocks", way_out)


def blocked_start(context: Context, decision: Decision) -> Blocked | None:
    """Return what blocks a start according to a fresh decision, whatever an operator may override."""
    gate, task = next(iter(final_blocks(decision)), None), context.picture.task(decision.task)
    if gate is None:
        return None
    return explain_block(context, task, gate) if task else Blocked(gate.sentence, f"press {context.key('why')} for why")


def snoozed(task: TaskView | None) -> bool:
    """Return whether the task waits for its snooze to end, so that deferring means resuming."""
    return task is not None and (task.state is TaskState.SNOOZED or task.snoozed_until is not None)


def keeper_runs(context: Context) -> bool:
    """Return whether an orchestrator lives, as far as the last picture knows."""
    keeper = context.picture.keeper()
    return keeper is not None and keeper.state in (OrchestratorState.RUNNING, OrchestratorState.SILENT)


def may_change_orchestrator(context: Context) -> Blocked | None:
    """Block starting or stopping what is not known to be stopped or running."""
    keeper = context.picture.keeper()
    if keeper is not None and keeper.state is not OrchestratorState.UNKNOWN:
        return None
    return Blocked("whether an orchestrator runs is not known", f"press {context.key('refresh')} to look again")


def start_word(context: Context) -> str:
    """Return what starting the selected service is called: it may run already."""
    service = context.service
    return "restart" if service is not None and service.pid is not None else "start"


def _no_keeper(context: Context) -> Blocked | None:
    """Block commanding a service that nobody looks after."""
    if keeper_runs(context):
        return None
    return Blocked("the orchestrator is not running", f"press {context.key('orchestrator')} to start it")


def _may_stop_service(context: Context, service: ServiceView) -> Blocked | None:
    if service.state is ServiceState.STOPPED and not service.wanted:
        return Blocked(f"{service.name} is stopped already", f"press {context.key('trigger')} to start it")
    return may_change_orchestrator(context)  # without one it is stopped from here


def _a_task(context: Context) -> Blocked | None:
    missing = there(context)
    if missing or context.task is not None:
        return missing
    label = context.subject.label if context.subject else "this"
    return Blocked(f"{label} is not a task", f"press {context.key('panel-1')} and select one")


def _blocks(decision: Decision) -> tuple[GateResult, ...]:
    return tuple(gate for gate in decision.results if gate.verdict is Verdict.BLOCK)


def final_blocks(decision: Decision) -> tuple[GateResult, ...]:
    """Return the gates that block and that nobody can override."""
    return tuple(gate for gate in _blocks(decision) if gate.gate not in OVERRIDABLE)


def overridable_blocks(decision: Decision) -> tuple[GateResult, ...]:
    """Return the gates that block and that an operator may override."""
    return tuple(gate for gate in _blocks(decision) if gate.gate in OVERRIDABLE)


def _configure(task: TaskView) -> str:
    return f"set {task.missing_key or f'tasks.{task.name}.command'} in neo-console.toml"
