"""What one poll would do: who is due, whose turn it is, and what the others are told."""

from __future__ import annotations

import msgspec
import pytest

from neo_core.admission import Scene
from neo_core.durations import Window
from neo_core.ledger.models import Control, ControlKind, Outcome, Run, Trigger
from neo_core.orchestrator.planning import Known, passed_over, plan
from neo_core.profiles import HEAVY_SIX, Task
from neo_core.schedule.decision import Reason
from neo_core.schedule.due import Past
from neo_core.schedule.gates import DependencyFacts, LeaseFacts

NOW = 1_800_000_000.0
FREE = LeaseFacts(takeable=True)
SCENE = Scene(now=NOW, trigger=Trigger.SCHEDULED, lease=FREE)
DUE = Past(last_started_at=NOW - 700)


def known(name: str, *, heavy: bool = True, past: Past = DUE, waiting_since: float | None = None, **changes) -> Known:
    task = Task(name=name, heavy=heavy, every=600, **{"command": ("true",), **changes})
    return Known(task=task, past=past, waiting_since=waiting_since, streak=int(waiting_since is not None))


def live(task: str, *, heavy: bool = True, started: bool = True) -> Run:
    return Run(
        run_id=f"run-{task}",
        task=task,
        heavy=heavy,
        trigger=Trigger.MANUAL,
        requested_at=NOW - 5,
        last_at=NOW - 5,
        started_at=NOW - 4 if started else None,
        runner_pid=77,
    )


def held_by(owner: str) -> LeaseFacts:
    return LeaseFacts(takeable=False, status="active", owner=owner, pid=42, sentence=f"lease held by {owner} (pid 42)")


def names(due) -> list[str]:
    return [one.task.name for one in due]


def given(scene: Scene = SCENE, **changes) -> Scene:
    return msgspec.structs.replace(scene, **changes)


def test_of_the_six_backup_starts_and_the_others_are_told_that_it_runs():
    planned = plan([known(name) for name in HEAVY_SIX], SCENE, starved_after=3600)
    assert planned.heavy[0].task.name == "backup"
    assert planned.prevented == planned.light == ()
    started = live("backup", started=False)
    for one in planned.heavy[1:]:
        blocking = passed_over(one, started).decision.blocking
        assert (blocking.reason, blocking.blocker) == (Reason.BACKPRESSURE, "backup")
        assert blocking.outcome is Outcome.DEFERRED


@pytest.mark.parametrize("blocker", HEAVY_SIX)
@pytest.mark.parametrize("blocked", HEAVY_SIX)
def test_each_of_the_six_is_held_up_by_a_live_run_of_each(blocked, blocker):
    planned = plan([known(blocked)], given(live=(live(blocker),)), starved_after=3600)
    assert names(planned.prevented) == [blocked]
    blocking = planned.prevented[0].decision.blocking
    assert blocking.blocker == blocker
    assert blocking.reason == (Reason.ALREADY_RUNNING if blocked == blocker else Reason.BACKPRESSURE)


@pytest.mark.parametrize("owner", [*HEAVY_SIX, "sandman", "syncGithubWorkflow"])
@pytest.mark.parametrize("blocked", HEAVY_SIX)
def test_each_of_the_six_is_held_up_by_the_lease_of_somebody_else(blocked, owner):
    planned = plan([known(blocked)], given(lease=held_by(owner)), starved_after=3600)
    blocking = planned.prevented[0].decision.blocking
    assert (blocking.reason, blocking.blocker, blocking.blocker_pid) == (Reason.LEASE_HELD, owner, 42)


def test_light_work_starts_beside_everything_and_holds_up_nobody():
    lights = [known("x", heavy=False), known("y", heavy=False)]
    beside = plan([*lights, known("dream")], given(live=(live("z", heavy=False),)), starved_after=3600)
    assert (names(beside.light), names(beside.heavy)) == (["x", "y"], ["dream"])
    held = plan([*lights, known("dream")], given(lease=held_by("sandman")), starved_after=3600)
    assert (names(held.light), names(held.prevented)) == (["x", "y"], ["dream"])


@pytest.mark.parametrize(
    "one",
    [
        known("early", past=Past(last_started_at=NOW - 599)),
        known("bare", command=()),
        known("shut", window=Window(0, 0)),
    ],
    ids=["not-due", "not-configured", "outside-its-window"],
)
@pytest.mark.parametrize("paused", [False, True])
def test_what_is_not_due_is_no_start_that_was_prevented(one, paused):
    pause = Control(control_id=1, kind=ControlKind.PAUSE, target="", created_at=NOW - 9) if paused else None
    assert plan([one], given(pause=pause), starved_after=3600).all == ()


def test_a_run_that_has_not_begun_is_the_start_its_task_is_due_for():
    assert plan([known("a")], given(live=(live("a", started=False),)), starved_after=3600).all == ()
    other = plan([known("a"), known("b")], given(live=(live("a", started=False),)), starved_after=3600)
    assert names(other.prevented) == ["b"]


def test_an_operators_word_is_recorded_but_starves_nobody():
    pause = Control(control_id=1, kind=ControlKind.PAUSE, target="", created_at=NOW - 9)
    snooze = Control(control_id=2, kind=ControlKind.SNOOZE, target="b", created_at=NOW - 9)
    waiting = [known(name, waiting_since=NOW - 9999) for name in "ab"]
    paused = plan(waiting, given(pause=pause), starved_after=3600)
    assert [one.starved for one in paused.prevented] == [False, False]
    snoozed = plan(waiting, given(snoozes=(snooze,)), starved_after=3600)
    assert (names(snoozed.heavy), [one.starved for one in snoozed.heavy]) == (["a"], [True])
    assert snoozed.prevented[0].decision.blocking.reason == Reason.SNOOZED


def test_a_service_that_is_down_holds_up_who_needs_it_and_is_asked_only_then():
    asked = []

    def down(task: Task) -> tuple[DependencyFacts, ...]:
        asked.append(task.name)
        return (DependencyFacts(name="chroma", ready=False, sentence="backoff"),)

    needing = [known("a", needs=("chroma",)), known("b")]
    early = known("c", needs=("chroma",), past=Past(last_started_at=NOW))
    planned = plan([*needing, early], SCENE, starved_after=3600, dependencies=down)
    assert (names(planned.heavy), names(planned.prevented), asked) == (["b"], ["a"], ["a"])


def test_the_starved_go_first_by_how_long_they_wait():
    waiting = [known("a", waiting_since=NOW - 4000), known("b", waiting_since=NOW - 5000), known("c")]
    late = known("d", past=Past(last_started_at=NOW - 600_000))
    planned = plan([late, *waiting], SCENE, starved_after=3600)
    assert names(planned.heavy) == ["b", "a", "d", "c"]
