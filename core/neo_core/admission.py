"""Gathering the facts that a decision rests on; the decision itself is pure (``schedule.gates``)."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec

from neo_core.lease.inherit import borrowable
from neo_core.ledger.models import Control, ControlKind, Run, Trigger
from neo_core.ledger.runs import ancestors_of
from neo_core.observe import lease_facts
from neo_core.runs.lost import is_lost
from neo_core.runs.spawn import RUN_ID
from neo_core.schedule.gates import DependencyFacts, Facts, LeaseFacts
from neo_core.schedule.memory_gates import MemoryFacts
from neo_core.schedule.prompts import past_of
from neo_core.services.observe import dependencies_of

if TYPE_CHECKING:
    from neo_core.lease.inspect import Inspection
    from neo_core.ledger.records import TaskRecord
    from neo_core.ledger.store import Ledger
    from neo_core.processes.source import ProcessSource
    from neo_core.profiles import Task
    from neo_core.schedule.due import Past


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What is the same for every task at one moment; the fields mean what they mean in ``Facts``.

    ``heavy_deferral`` holds back heavy tasks only. ``lent`` says that a heavy start of ours would borrow the active
    lease.
    """

    now: float
    trigger: Trigger
    lease: LeaseFacts
    live: tuple[Run, ...] = ()
    snoozes: tuple[Control, ...] = ()
    pause: Control | None = None
    heavy_deferral: Control | None = None
    memory: MemoryFacts = MemoryFacts()
    lent: bool = False
    parent: str = ""
    ancestors: frozenset[str] = frozenset()


def gather_facts(
    task: Task,
    ledger: Ledger,
    seen: Inspection,
    *,
    trigger: Trigger,
    now: float,
    token: str,
    source: ProcessSource,
    memory: MemoryFacts,
) -> Facts:
    """Read what ``decide`` needs for one task. Raises ``LedgerError``."""
    return compose_facts(
        task,
        ledger.runs.record_of(task.name),
        seen,
        trigger=trigger,
        now=now,
        token=token,
        live=tuple(run for run in ledger.runs.live() if not is_lost(run, source, now)),
        snoozes=ledger.controls.in_force(ControlKind.SNOOZE, now),
        pauses=ledger.controls.holds(now),
        first_seen=ledger.task_marks.first_seen().get(task.name),
        dependencies=dependencies_of(task, ledger.services.all() if task.needs else {}, source),
        memory=memory,
    )


def compose_facts(
    task: Task,
    record: TaskRecord,
    seen: Inspection,
    *,
    trigger: Trigger,
    now: float,
    token: str,
    live: tuple[Run, ...],
    snoozes: list[Control],
    pauses: list[Control],
    first_seen: float | None = None,
    dependencies: tuple[DependencyFacts, ...] = (),
    memory: MemoryFacts,
) -> Facts:
    """Return the facts for one task from what was read for all of them."""
    scene = compose_scene(
        seen, trigger=trigger, now=now, token=token, live=live, snoozes=snoozes, pauses=pauses, memory=memory
    )
    return facts_in(scene, task, past_of(task, record, first_seen), dependencies)


def compose_scene(
    seen: Inspection,
    *,
    trigger: Trigger,
    now: float,
    token: str,
    live: tuple[Run, ...],
    snoozes: list[Control],
    pauses: list[Control],
    memory: MemoryFacts,
) -> Scene:
    """Return the moment that any number of decisions share."""
    lent = borrowable(seen, token)
    parent = lent.metadata.get("runId", lent.owner) if lent else ""
    return Scene(
        now=now,
        trigger=trigger,
        lease=lease_facts(seen),
        live=live,
        snoozes=tuple(snoozes),
        pause=newest(ControlKind.PAUSE, pauses),
        heavy_deferral=newest(ControlKind.DEFER_HEAVY, pauses),
        memory=memory,
        lent=lent is not None,
        parent=str(parent),
        ancestors=frozenset(ancestors_of(os.environ.get(RUN_ID, ""), {run.run_id: run for run in live})),
    )


def facts_in(scene: Scene, task: Task, past: Past, dependencies: tuple[DependencyFacts, ...] = ()) -> Facts:
    """Return the facts for one task at that moment."""
    return Facts(
        now=scene.now,
        trigger=scene.trigger,
        lease=scene.lease,
        past=past,
        dependencies=dependencies,
        memory=scene.memory,
        pause=scene.pause or (scene.heavy_deferral if task.heavy else None),
        snooze=snooze_of(task, scene.snoozes) if scene.snoozes else None,
        live=scene.live,
        inherited=scene.lent and task.heavy,
        parent=scene.parent,
        ancestors=scene.ancestors,
    )


def newest(kind: ControlKind, controls: list[Control]) -> Control | None:
    """Return the newest command of one kind."""
    return next((control for control in reversed(controls) if control.kind is kind), None)


def snooze_of(task: Task, snoozes: list[Control] | tuple[Control, ...]) -> Control | None:
    """Return the newest snooze in force for ``task``."""
    return next((control for control in reversed(snoozes) if control.target == task.name), None)
