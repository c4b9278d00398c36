"""The one way to be admitted: every gate alone, all of them every time, the first that blocks names the outcome."""

from __future__ import annotations

import itertools
import time

import msgspec
import pytest

from neo_core.config import Config
from neo_core.durations import Window
from neo_core.ledger.models import Control, ControlKind, Outcome, Run, Trigger
from neo_core.memory.forecast import Forecast
from neo_core.memory.incidents import Phase
from neo_core.profiles import HEAVY_SIX, Task, resolve_tasks
from neo_core.schedule.decision import Decision, Gate, Reason, Verdict
from neo_core.schedule.due import Past
from neo_core.schedule.gates import DependencyFacts, Facts, LeaseFacts, decide
from neo_core.schedule.memory_gates import MemoryFacts

NOW = 1_800_000_000.0
FREE = LeaseFacts(takeable=True)
HELD = LeaseFacts(
    takeable=False,
    status="active",
    sentence="lease held by dream (pid 42)",
    owner="dream",
    pid=42,
    clears_when="dream ends",
)
UNREADABLE = LeaseFacts(takeable=False, readable=False, status="unreadable", sentence="the lease file cannot be read")
ALWAYS_SHUT = Window(0, 0)
CHROMA_DOWN = (DependencyFacts(name="chroma", ready=False, sentence="backoff after 3 faults"),)
CHROMA_UP = (DependencyFacts(name="chroma", ready=True),)


def make_task(name: str = "kbSync", *, heavy: bool = True, **changes) -> Task:
    return Task(name=name, heavy=heavy, every=600, command=("sync",), **changes)


def live(task: str, *, heavy: bool = True) -> Run:
    return Run(
        run_id=f"run-{task}",
        task=task,
        heavy=heavy,
        trigger=Trigger.MANUAL,
        requested_at=NOW,
        last_at=NOW,
        runner_pid=77,
    )


def control(kind: ControlKind, until: float | None = NOW + 60) -> Control:
    return Control(
        control_id=1, kind=kind, target="", created_at=NOW - 60, until=until, because="demo", requested_by="ann"
    )


PRESSED = MemoryFacts(phase=Phase.ELEVATED, available=1, forecasts={"kbSync": Forecast(peak=2, samples=3)})


def facts(trigger: Trigger = Trigger.MANUAL, lease: LeaseFacts = FREE, **changes) -> Facts:
    return Facts(now=NOW, trigger=trigger, lease=lease, **changes)


DEFERRAL = control(ControlKind.DEFER_HEAVY)
PAUSE, SNOOZE = control(ControlKind.PAUSE), control(ControlKind.SNOOZE)
TASK = make_task()
UNCONFIGURED = msgspec.structs.replace(TASK, command=(), missing_key="tasks.kbSync.command")
SCHEDULED = Trigger.SCHEDULED

# gate, task, facts, reason, outcome, blocker, blocker's pid
ALONE = [
    (Gate.CONFIGURED, UNCONFIGURED, facts(), Reason.NOT_CONFIGURED, Outcome.SKIPPED, "", None),
    (Gate.PAUSE, TASK, facts(pause=PAUSE), Reason.PAUSED, Outcome.DEFERRED, "operator", None),
    (Gate.PAUSE, TASK, facts(pause=DEFERRAL), Reason.HEAVY_DEFERRED, Outcome.DEFERRED, "operator", None),
    (Gate.SNOOZE, TASK, facts(snooze=SNOOZE), Reason.SNOOZED, Outcome.DEFERRED, "operator", None),
    (
        Gate.DUE,
        make_task(),
        facts(SCHEDULED, past=Past(last_started_at=NOW - 599)),
        Reason.NOT_DUE,
        Outcome.SKIPPED,
        "",
        None,
    ),
    (
        Gate.DUE,
        msgspec.structs.replace(TASK, every=0.0),
        facts(SCHEDULED),
        Reason.DISABLED,
        Outcome.SKIPPED,
        "",
        None,
    ),
    (Gate.DUE, make_task(window=ALWAYS_SHUT), facts(SCHEDULED), Reason.OUTSIDE_WINDOW, Outcome.SKIPPED, "", None),
    (Gate.RUNNING, TASK, facts(live=(live("kbSync"),)), Reason.ALREADY_RUNNING, Outcome.SKIPPED, "kbSync", 77),
    (
        Gate.DEPENDENCY,
        make_task(needs=("chroma",)),
        facts(dependencies=CHROMA_DOWN),
        Reason.DEPENDENCY,
        Outcome.DEFERRED,
        "chroma",
        None,
    ),
    (Gate.BACKPRESSURE, TASK, facts(live=(live("dream"),)), Reason.BACKPRESSURE, Outcome.DEFERRED, "dream", 77),
    (Gate.LEASE, TASK, facts(lease=HELD), Reason.LEASE_HELD, Outcome.DEFERRED, "dream", 42),
    (Gate.LEASE, TASK, facts(lease=UNREADABLE), Reason.LEASE_ERROR, Outcome.DEFERRED, "", None),
]


def verdicts(decision: Decision) -> dict[Gate, Verdict]:
    return {result.gate: result.verdict for result in decision.results}


@pytest.mark.parametrize(
    ("gate", "task", "given", "reason", "outcome", "blocker", "pid"), ALONE, ids=[str(case[3]) for case in ALONE]
)
def test_each_gate_blocks_alone_and_says_why(gate, task, given, reason, outcome, blocker, pid):
    decision = decide(task, given)
    blocking = decision.blocking
    assert [result.gate for result in decision.results if result.verdict is Verdict.BLOCK] == [gate]
    assert (blocking.gate, blocking.reason, blocking.outcome) == (gate, reason, outcome)
    assert (blocking.blocker, blocking.blocker_pid) == (blocker, pid)
    assert blocking.sentence
    assert not decision.may_start


def test_without_an_obstacle_the_task_may_start():
    for trigger in Trigger:
        decision = decide(TASK, facts(trigger))
        assert decision.may_start
        assert decision.blocking is None
        assert (decision.task, decision.trigger, decision.at) == ("kbSync", trigger, NOW)


def test_every_gate_is_evaluated_every_time_in_the_order_of_the_design():
    everything_blocks = facts(
        SCHEDULED,
        HELD,
        pause=PAUSE,
        snooze=SNOOZE,
        past=Past(last_started_at=NOW),
        live=(live("kbSync"), live("dream")),
        dependencies=CHROMA_DOWN,
        memory=PRESSED,
    )
    for task, given in [
        (UNCONFIGURED, everything_blocks),
        (TASK, facts()),
        (make_task(heavy=False), facts(pause=PAUSE)),
    ]:
        assert [result.gate for result in decide(task, given).results] == list(Gate)
    assert verdicts(decide(make_task(needs=("chroma",)), everything_blocks)) == {
        gate: Verdict.PASS if gate is Gate.CONFIGURED else Verdict.BLOCK for gate in Gate
    }


BLOCKS = {
    Gate.PAUSE: {"pause": PAUSE},
    Gate.SNOOZE: {"snooze": SNOOZE},
    Gate.DUE: {"past": Past(last_started_at=NOW)},
    Gate.RUNNING: {"live": (live("kbSync"),)},
    Gate.LEASE: {"lease": HELD},
    Gate.MEMORY_PRESSURE: {"memory": PRESSED},
}


@pytest.mark.parametrize(("first", "second"), itertools.combinations(BLOCKS, 2), ids=str)
def test_of_two_blocking_gates_the_first_names_the_outcome(first, second):
    decision = decide(TASK, facts(SCHEDULED, **BLOCKS[first], **BLOCKS[second]))
    assert decision.blocking.gate is first
    assert verdicts(decision)[second] is Verdict.BLOCK


def test_another_heavy_run_is_told_before_its_lease():
    decision = decide(TASK, facts(lease=HELD, live=(live("dream"),)))
    assert decision.blocking.reason == "heavy-maintenance-backpressure"
    assert verdicts(decision)[Gate.LEASE] is Verdict.BLOCK


def test_a_borrower_passes_backpressure_and_lease_and_names_its_parent():
    parent = live("dream")
    told = {"lease": HELD, "live": (parent,), "inherited": True, "parent": "run-dream"}
    decision = decide(TASK, facts(**told, ancestors=frozenset({parent.run_id})))
    assert decision.may_start
    beside = decide(TASK, facts(**told))
    assert beside.blocking.gate is Gate.BACKPRESSURE
    by_gate = {result.gate: result for result in decision.results}
    assert by_gate[Gate.BACKPRESSURE].value == "borrows from run-dream"
    assert by_gate[Gate.LEASE].value == "inherited from dream"


@pytest.mark.parametrize("given", [{"pause": PAUSE}, {"snooze": SNOOZE}, {"live": (live("kbSync"),)}])
def test_a_borrower_passes_nothing_else(given):
    assert not decide(TASK, facts(inherited=True, **given)).may_start


@pytest.mark.parametrize("lease", [HELD, UNREADABLE], ids=["held", "unreadable"])
def test_a_light_task_asks_neither_for_the_lease_nor_for_heavy_runs(lease):
    decision = decide(make_task("report", heavy=False), facts(lease=lease, live=(live("dream"),)))
    assert decision.may_start
    assert verdicts(decision)[Gate.LEASE] is verdicts(decision)[Gate.BACKPRESSURE] is Verdict.NOT_APPLICABLE


def test_a_light_run_holds_up_no_heavy_task():
    assert decide(TASK, facts(live=(live("report", heavy=False),))).may_start


@pytest.mark.parametrize("blocker", HEAVY_SIX)
@pytest.mark.parametrize("blocked", HEAVY_SIX)
def test_each_of_the_six_holds_up_each_other_one(blocked, blocker):
    decision = decide(make_task(blocked), facts(live=(live(blocker),)))
    expected = Reason.ALREADY_RUNNING if blocked == blocker else Reason.BACKPRESSURE
    assert decision.blocking.reason == expected
    assert decision.blocking.blocker == blocker
    assert blocker in decision.blocking.sentence


@pytest.mark.parametrize("owner", [*HEAVY_SIX, "sandman", "syncGithubWorkflow"])
@pytest.mark.parametrize("blocked", HEAVY_SIX)
def test_each_of_the_six_is_held_up_by_any_owner_of_the_lease(blocked, owner):
    lease = msgspec.structs.replace(HELD, owner=owner)
    blocking = decide(make_task(blocked), facts(lease=lease)).blocking
    assert (blocking.reason, blocking.blocker, blocking.blocker_pid) == ("heavy-maintenance-lease-held", owner, 42)
    assert (blocking.clears_when, blocking.limit) == ("dream ends", "free")


def test_exactly_six_names_are_heavy_by_default_and_backup_is_among_them(workspace):
    names = {"backup", "kbSync", "primary-dev-sync", "summary", "dream", "golden-path"}
    assert set(HEAVY_SIX) == names
    tasks = resolve_tasks(workspace, Config())
    assert {name for name, task in tasks.items() if task.heavy} == names


def test_a_service_that_is_up_or_not_needed_holds_up_nobody():
    needing = make_task(needs=("chroma",))
    assert decide(needing, facts(dependencies=CHROMA_UP)).may_start
    assert verdicts(decide(TASK, facts()))[Gate.DEPENDENCY] is Verdict.NOT_APPLICABLE
    told = decide(needing, facts(dependencies=CHROMA_UP + CHROMA_DOWN)).blocking
    assert told.sentence == "kbSync needs chroma: backoff after 3 faults"


@pytest.mark.parametrize("needing", HEAVY_SIX)
def test_running_light_work_never_holds_up_any_of_the_six(needing):
    lights = tuple(live(f"light-{number}", heavy=False) for number in range(3))
    assert decide(make_task(needing), facts(live=lights)).may_start


def test_being_due_is_asked_of_scheduled_starts_only():
    never = msgspec.structs.replace(TASK, every=0.0, window=ALWAYS_SHUT)
    for trigger in (Trigger.MANUAL, Trigger.CASCADE):
        assert (
            verdicts(decide(never, facts(trigger, past=Past(last_started_at=NOW))))[Gate.DUE] is Verdict.NOT_APPLICABLE
        )


def test_a_task_is_due_exactly_when_its_interval_has_passed():
    for ago, due in ((599.9, False), (600.0, True), (10_000.0, True)):
        assert decide(TASK, facts(SCHEDULED, past=Past(last_started_at=NOW - ago))).may_start is due


def test_not_due_says_in_how_long_and_of_what():
    result = decide(TASK, facts(SCHEDULED, past=Past(last_started_at=NOW - 540))).blocking
    assert result.sentence == "kbSync is due in 1m00s"
    assert (result.value, result.limit) == ("last started 9m00s ago", "every 10m00s")


def test_a_pause_says_who_why_and_the_way_out():
    result = decide(TASK, facts(pause=control(ControlKind.PAUSE, None))).blocking
    assert result.sentence == "every task is paused until ended by hand (demo)"
    assert result.clears_when == "neo-console unpause"
    assert "by ann" in result.value
    timed = decide(TASK, facts(snooze=SNOOZE)).blocking
    assert timed.clears_when == "2027-01-15T08:01:00.000Z, or neo-console resume kbSync"


def test_a_decision_survives_the_ledger_as_json():
    decision = decide(TASK, facts(lease=HELD, pause=PAUSE))
    assert msgspec.json.decode(msgspec.json.encode(decision), type=Decision) == decision


@pytest.mark.parametrize(("later", "form"), [(60, "%H:%M"), (86_400, "%d %b %H:%M"), (400 * 86_400, "%Y-%m-%d %H:%M")])
def test_a_sentence_names_the_local_time_and_the_date_of_another_day(later, form):
    snooze = control(ControlKind.SNOOZE, NOW + later)
    told = time.strftime(form, time.localtime(NOW + later))
    assert decide(TASK, facts(snooze=snooze)).blocking.sentence == f"kbSync is snoozed until {told} (demo)"
