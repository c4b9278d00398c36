"""What one poll does, worked out before anything is done: pure, so that two hours can be replayed in a second."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from neo_core.admission import Scene, facts_in
from neo_core.profiles import Task
from neo_core.schedule.decision import Decision, Gate, Reason, Verdict
from neo_core.schedule.due import Past, due_for, next_due, period
from neo_core.schedule.gates import DependencyFacts, Facts, decide
from neo_core.schedule.picker import Candidate, in_turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from neo_core.ledger.models import Run

_NO_ATTEMPT = (Gate.CONFIGURED, Gate.DUE)
_BY_OPERATOR = (str(Reason.PAUSED), str(Reason.HEAVY_DEFERRED), str(Reason.SNOOZED))


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """A task and what the ledger knows of it; ``waiting_since`` and ``streak`` as in ``TaskRecord``."""

    task: Task
    past: Past
    waiting_since: float | None = None
    streak: int = 0


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A task that is due, the facts at that moment and the decision they led to.

    ``starved`` says that it has waited longer than allowed, for something other than an operator's word.
    """

    known: Known
    facts: Facts
    decision: Decision
    starved: bool = False

    @property
    def task(self) -> Task:
        """The task itself."""
        return self.known.task


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is due: the heavy tasks that may start, of which the first that can does, the light ones, the prevented."""

    heavy: tuple[Due, ...] = ()
    light: tuple[Due, ...] = ()
    prevented: tuple[Due, ...] = ()

    @property
    def all(self) -> tuple[Due, ...]:
        """Everything that is due."""
        return self.heavy + self.light + self.prevented


def needs_nothing(_task: Task) -> tuple[DependencyFacts, ...]:
    """Return no dependencies, for worlds without services."""
    return ()


def plan(
    known: Iterable[Known],
    scene: Scene,
    *,
    starved_after: float,
    dependencies: Callable[[Task], tuple[DependencyFacts, ...]] = needs_nothing,
) -> Plan:
    """Decide about every task that is due; ``starved_after`` is in seconds.

    What is not due, not configured or outside its window is no start that was prevented, and not in the plan; nor is
    a task whose run was requested and has not begun: that is the very start it is due for.
    """
    beginning = {run.task for run in scene.live if run.started_at is None}
    known = [each for each in known if each.task.name not in beginning]
    due = [one for each in known if (one := _consider(each, scene, starved_after, dependencies)) is not None]
    ready = {one.task.name: one for one in due if one.decision.may_start}
    heavy, light = in_turn([_candidate(one) for one in ready.values()])
    return Plan(
        heavy=tuple(ready[name] for name in heavy),
        light=tuple(ready[name] for name in light),
        prevented=tuple(one for one in due if not one.decision.may_start),
    )


def passed_over(one: Due, started: Run) -> Due:
    """Return what becomes of a heavy task that was admitted in the poll in which ``started`` took its turn."""
    decision = decide(one.task, msgspec.structs.replace(one.facts, live=(*one.facts.live, started)))
    return msgspec.structs.replace(one, decision=decision)


def _consider(
    known: Known, scene: Scene, starved_after: float, dependencies: Callable[[Task], tuple[DependencyFacts, ...]]
) -> Due | None:
    at = next_due(known.task, known.past, scene.now)
    if at is None or at > scene.now:
        return None
    facts = facts_in(scene, known.task, known.past, dependencies(known.task) if known.task.needs else ())
    decision = decide(known.task, facts)
    if any(result.verdict is Verdict.BLOCK and result.gate in _NO_ATTEMPT for result in decision.results):
        return None
    blocking = decision.blocking
    late = known.waiting_since is not None and scene.now - known.waiting_since > starved_after
    starved = late and (blocking is None or blocking.reason not in _BY_OPERATOR)
    return Due(known=known, facts=facts, decision=decision, starved=starved)


def _candidate(one: Due) -> Candidate:
    known, past, now = one.known, one.known.past, one.facts.now
    return Candidate(
        name=known.task.name,
        heavy=known.task.heavy,
        overdue=due_for(known.task, past, now) / period(known.task, past, now),
        waiting=0.0 if known.waiting_since is None else now - known.waiting_since,
        starved=one.starved,
        streak=known.streak,
        idle=float("inf") if past.last_started_at is None else now - past.last_started_at,
    )
