"""A machine made of numbers, on which the orchestrator's own planning decides what starts; an hour takes a moment."""

from __future__ import annotations

import random

import msgspec

from neo_core.admission import Scene
from neo_core.ledger.models import Outcome, Run, Trigger
from neo_core.orchestrator.planning import Known, passed_over, plan
from neo_core.profiles import Task
from neo_core.schedule.due import Past
from neo_core.schedule.gates import LeaseFacts

BEGIN = 1_800_000_000.0
FREE = LeaseFacts(takeable=True)


class Start(msgspec.Struct, kw_only=True):
    """One run that was started; ``failed`` is what becomes of it, ``retry`` which retry of its turn it is."""

    task: str
    heavy: bool
    at: float
    ends: float
    retry: int
    failed: bool


class _State:
    """What a ledger would know of one task."""

    def __init__(self, seen):
        self.past = Past(first_seen_at=seen)
        self.waiting_since = None
        self.streak = 0


class World:
    """``starts`` are all runs; ``starving`` notes, per task and wait, the heavy starts of others since it starved."""

    def __init__(self, tasks, *, seed, starved_after, durations, failing=0.0):
        self.tasks = tasks
        self.starts = []
        self.starving = []
        self.prevented = 0
        self.without_reason = []
        self._chance = random.Random(seed)
        self._durations, self._failing, self._starved_after = durations, failing, starved_after
        self._states = {task.name: _State(BEGIN) for task in tasks}
        self._open = {}
        self._live = {}

    def poll(self, now):
        """Do as the orchestrator does at a poll."""
        self._end_runs(now)
        live = tuple(run for run, _ in self._live.values())
        holder = next((run for run in live if run.heavy), None)
        lease = FREE if holder is None else LeaseFacts(takeable=False, owner=holder.task, sentence="held", pid=1)
        scene = Scene(now=now, trigger=Trigger.SCHEDULED, lease=lease, live=live)
        planned = plan(self._known(), scene, starved_after=self._starved_after)
        waiting = list(planned.prevented)
        turn = None
        for one in planned.heavy:
            if turn is None:
                turn = self._start(one, now)
            else:
                waiting.append(passed_over(one, turn))
        for one in planned.light:
            self._start(one, now)
        for one in waiting:
            self._wait(one, now)

    def leave_running(self, now):
        """Let runs end while the orchestrator is down."""
        self._end_runs(now)

    def _known(self):
        return [
            Known(task=task, past=state.past, waiting_since=state.waiting_since, streak=state.streak)
            for task in self.tasks
            for state in (self._states[task.name],)
        ]

    def _start(self, due, now):
        task = due.task
        state = self._states[task.name]
        run = Run(
            run_id=f"{task.name}@{now}",
            task=task.name,
            heavy=task.heavy,
            trigger=Trigger.SCHEDULED,
            requested_at=now,
            last_at=now,
            started_at=now,
        )
        start = Start(
            task=task.name,
            heavy=task.heavy,
            at=now,
            ends=now + self._chance.uniform(*self._durations),
            retry=due.decision.retry,
            failed=self._chance.random() < self._failing,
        )
        self._live[task.name] = (run, start)
        self.starts.append(start)
        state.past = msgspec.structs.replace(state.past, last_started_at=now, last_ended_at=None)
        state.waiting_since, state.streak = None, 0
        self._open.pop(task.name, None)
        if task.heavy:
            for others in self._open.values():
                others[task.name] = others.get(task.name, 0) + 1
        return run

    def _wait(self, one, now):
        state, blocking = self._states[one.task.name], one.decision.blocking
        self.prevented += 1
        if blocking is None or not blocking.sentence or not blocking.reason:
            self.without_reason.append((one.task.name, now))
        elif blocking.outcome is Outcome.DEFERRED:
            state.waiting_since = now if state.waiting_since is None else state.waiting_since
            state.streak += 1
        if one.starved and one.task.name not in self._open:
            self._open[one.task.name] = {}
            self.starving.append((one.task.name, now, self._open[one.task.name]))

    def _end_runs(self, now):
        for name, (_, start) in list(self._live.items()):
            if start.ends <= now:
                del self._live[name]
                past = self._states[name].past
                tries = start.retry + 1 if start.failed else 0
                self._states[name].past = msgspec.structs.replace(past, last_ended_at=start.ends, tries=tries)


def random_tasks(count, *, seed, heavy, every):
    """Return ``count`` tasks, of which the share ``heavy`` is heavy (``backup`` among them), by the seed alone."""
    chance = random.Random(seed)
    names = ["backup"] + [f"task-{number}" for number in range(1, count)]
    return [
        Task(
            name=name,
            heavy=number < count * heavy,
            every=chance.uniform(*every),
            command=("true",),
            retries=2,
            retry_after=30.0,
            jitter=chance.choice([0.0, 0.0, 20.0]),
        )
        for number, name in enumerate(names)
    ]
