"""Everything known about one thing, as labelled facts for the detail screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_console.drawing import Fact, Heading
from neo_console.facts_lease import keeping
from neo_console.facts_service import service_facts
from neo_console.format import age, ago, countdown, every, moment, percent, plural, size, took
from neo_console.rows.outcomes import reason_of
from neo_console.rows.processes import RUN, tree_memory, tree_note
from neo_console.rows.schedule import next_cell
from neo_console.rows.strays import stray_facts
from neo_console.subjects import Kind, Subject
from neo_console.vocabulary import RETRY, STARVED, Tone, outcome_term, reason_text, term
from neo_console.waiting import last_deferral, state_term, who_waits
from neo_core.schedule.decision import Gate, Verdict

if TYPE_CHECKING:
    from neo_console.picture import Picture
    from neo_core.ledger.models import Run
    from neo_core.snapshot import ProcessView, TaskView, TreeView

Facts = list[Heading | Fact]


def facts_of(subject: Subject, picture: Picture, now: float, stop_key: str = "") -> Facts:
    """Return what is known about the subject; empty when it is gone. A fact that does not apply is left out.

    ``stop_key`` is the key that stops what a row stands for, to be named where that ends something.
    """
    facts = _known(subject, picture, now, stop_key)
    return [fact for fact in facts if isinstance(fact, Heading) or fact.value]


def _known(subject: Subject, picture: Picture, now: float, stop_key: str) -> Facts:
    match subject.kind:
        case Kind.TASK:
            task = picture.task(subject.task)
            return _task(task, picture, now) if task else []
        case Kind.SERVICE:
            service = picture.service(subject.service)
            return service_facts(service, now) if service else []
        case Kind.RUN:
            run = picture.run(subject.run_id)
            return _run(run, picture, now) if run else []
        case Kind.TREE:
            tree = picture.tree(subject)
            return (
                [*_stray(subject, picture), *_tree(tree), *keeping(tree, picture, now, stop_key), *_commands(tree)]
                if tree
                else []
            )
        case Kind.PROCESS:
            found = picture.process(subject.pid or 0, subject.start_time or 0)
            return (
                [*_process(*found), *_stray(subject, picture), *keeping(found[0], picture, now, stop_key)]
                if found
                else []
            )
        case Kind.INCIDENT | Kind.RELIEF | Kind.MORE:  # their pages tell the first two, and the last is no thing
            return []


def needs_of(task: TaskView) -> str:
    """Return which services the task needs, as its dependency gate says; empty when none."""
    gate = next((one for one in task.decision.results if one.gate is Gate.DEPENDENCY), None)
    if gate is None or gate.verdict is Verdict.NOT_APPLICABLE:
        return ""
    return (gate.limit or gate.value).replace(",", "").removesuffix(" up")


def _command_of(task: TaskView) -> str:
    """Return the task's command line, as its first gate says."""
    gate = next((one for one in task.decision.results if one.gate is Gate.CONFIGURED), None)
    return gate.value if gate is not None and task.configured else ""


def _task(task: TaskView, picture: Picture, now: float) -> Facts:
    state, following = state_term(task), next_cell(task, picture, now)
    facts: Facts = [
        Heading(f"Task {task.name}"),
        Fact("what", task.title),
        Fact("state", str(state), state.tone),
        *_running(task, picture, now),
        Fact("next", "" if task.running_run_id else following.full or following.text, following.tone),
        Fact("class", "heavy: one at a time on this machine" if task.heavy else "light"),
        Fact("cron", task.cron),
        Fact("every", "" if task.cron else every(task.every)),
        Fact("needs", needs_of(task)),
        Fact("prompted by", task.prompted_by),
        Fact(
            "due", moment(task.due_at, now, seconds=True) if task.due_at else "at once" if task.due_at == 0 else "never"
        ),
    ]
    if task.waiting_since is not None:
        waited = f"for {age(now - task.waiting_since)}, since {moment(task.waiting_since, now, seconds=True)}"
        facts += [Fact("waiting", waited, state.tone), Fact("who waits", who_waits(task, now), state.tone)]
    if task.streak:
        facts.append(Fact("streak", f"{plural(task.streak, 'scheduled start')} deferred since it last ran", Tone.CALM))
    facts.append(Fact("put off", last_deferral(task, now), Tone.CALM))
    if task.starved:
        facts.append(Fact(STARVED.word, "it waits longer than orchestrator.starved_after allows", STARVED.tone))
    if task.failures:
        facts.append(Fact("failures", f"{plural(task.failures, 'failed run')} in a row", Tone.FAIL))
    if task.retry_at is not None:
        facts.append(Fact(RETRY.word, f"{task.tries}: {countdown(task.retry_at, now)}", RETRY.tone))
    if task.snoozed_until is not None:
        facts.append(Fact("snoozed", f"until {moment(task.snoozed_until, now)}: {task.snoozed_because}", Tone.CALM))
    if not task.configured:
        facts.append(Fact("to configure", f"set {task.missing_key} in neo-console.toml"))
    return [*facts, *_past(task, now), Heading("Command"), Fact("command line", _command_of(task))]


def _running(task: TaskView, picture: Picture, now: float) -> Facts:
    """Return what is known of the run that goes on: which it is, since when, by whom, with how much memory."""
    if not task.running_run_id:
        return []
    run = picture.run(task.running_run_id)
    if run is None:
        return [Fact("run", task.running_run_id)]
    pids = [f"runner pid {run.runner_pid}"] if run.runner_pid else []
    pids += [f"command pid {run.child_pid}"] if run.child_pid else []
    asked = f"{run.requested_by or 'unknown'}, {term(run.trigger).word}"
    since = (
        "" if run.started_at is None else f"{moment(run.started_at, now, seconds=True)}, {age(now - run.started_at)}"
    )
    return [
        Fact("run", " · ".join((run.run_id, *pids)), Tone.RUN),
        Fact("since", since or f"not started yet, asked for {ago(run.requested_at, now)}"),
        Fact("started by", f"{asked}, for run {run.parent_run_id}" if run.parent_run_id else asked),
        Fact("memory", _memory_of(run, picture)),
    ]


def _memory_of(run: Run, picture: Picture) -> str:
    tree = next((one for one in picture.trees() if one.kind == RUN and one.run_id == run.run_id), None)
    told = [f"{tree_memory(tree)} now in {plural(len(tree.processes), 'process', 'processes')}"] if tree else []
    told += [f"{size(run.peak_memory)} at its peak"] if run.peak_memory else []
    return " · ".join(told)


def _past(task: TaskView, now: float) -> Facts:
    last = outcome_term(task.last_outcome) if task.last_outcome else None
    if last is None:
        none = "none: it never ended before" if task.running_run_id else "none: it never started"
        return [Heading("Last outcome"), Fact("outcome", none, Tone.DIM)]
    return [
        Heading("Last outcome"),
        Fact("outcome", str(last), last.tone),
        Fact("reason", reason_text(task.last_reason_code) if task.last_reason_code else task.last_reason),
        Fact("when", ago(task.last_at, now)),
        Fact("took", took(task.last_took)),
        Fact("last success", ago(task.last_success_at, now)),
    ]


def _peak(run: Run, picture: Picture) -> str:
    """Return the peak and how it is measured, which is not as the processes panel does.

    Of a run that was not sampled yet the memory that it has now; a dash for one that never was.
    """
    if run.peak_memory:
        return f"{size(run.peak_memory)}, sampled: its runner and its processes, a shared page once for each"
    if not run.live:
        return size(run.peak_memory)
    now = _memory_of(run, picture)
    return f"not sampled yet; {now}" if now else "not sampled yet"


def _run(run: Run, picture: Picture, now: float) -> Facts:
    shown = outcome_term(run.outcome)
    repeated = run.count > 1
    times = f"{run.count} attempts over {age(run.last_at - run.requested_at)}" if repeated else ""
    return [
        Heading(f"Run {run.run_id} of {run.task}"),
        Fact("outcome", str(shown), shown.tone),
        Fact("reason", reason_of(run)),
        Fact("reason code", run.reason_code),
        Fact("blocked by", f"{run.blocker}, pid {run.blocker_pid or 'unknown'}" if run.blocker else ""),
        Fact("repeated", times),
        Heading("Start and end"),
        Fact(
            "asked for", f"{ago(run.requested_at, now)}, {term(run.trigger).word}, by {run.requested_by or 'unknown'}"
        ),
        Fact("parent run", run.parent_run_id),
        Fact("started", ago(run.started_at, now) if run.started_at is not None else "never"),
        Fact("ended", ago(run.ended_at, now) if run.ended_at is not None else "not yet" if run.live else "unknown"),
        Fact("took", age(now - run.started_at) if run.live and run.started_at is not None else took(run.took)),
        Fact("exit code", str(run.exit_code) if run.exit_code is not None else ""),
        Heading("Processes"),
        Fact("runner", f"pid {run.runner_pid}" if run.runner_pid else ""),
        Fact("command", f"pid {run.child_pid}" if run.child_pid else ""),
        Fact("peak memory", _peak(run, picture)),
        Fact("lease", f"{term(run.lease_role).word}{f', generation {run.generation}' if run.generation else ''}"),
        Fact("command line", run.command),
    ]


def _stray(subject: Subject, picture: Picture) -> Facts:
    stray = picture.stray(*subject.stray) if subject.stray is not None else None
    return stray_facts(stray) if stray else []


def _tree(tree: TreeView) -> Facts:
    how = "PSS: shared pages are counted once" if tree.exact else "RSS: shared pages are counted more than once"
    return [
        Heading(f"Processes of {tree.owner}"),
        Fact("owner", tree_note(tree) or tree.kind),
        Fact("run", tree.run_id),
        Fact("memory", f"{tree_memory(tree)} ({how})"),
        Fact("processes", str(len(tree.processes))),
    ]


def _commands(tree: TreeView) -> Facts:
    return [Heading("Command lines"), *(Fact(str(process.pid), process.command) for process in tree.processes)]


def _process(tree: TreeView, process: ProcessView) -> Facts:
    return [
        Heading(f"Process {process.pid}: {process.name}"),
        Fact("command line", process.command),
        Fact("belongs to", f"{tree.owner} {tree_note(tree)}"),
        Fact("run", tree.run_id),
        Fact("PSS", size(process.pss)),
        Fact("RSS", size(process.rss)),
        Fact("CPU", percent(process.cpu)),
        Fact("age", age(process.age)),
        Fact("start time", f"{process.start_time} (with the pid, what makes it this process and no later one)"),
    ]
