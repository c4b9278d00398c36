"""Fixed snapshots: what the screenshots are drawn from, and the tests start from."""

from __future__ import annotations

import msgspec

from neo_core.ledger.models import LeaseRole, Outcome
from neo_core.memory.incidents import Phase
from neo_core.schedule.decision import Gate, GateResult, Reason, Verdict
from neo_core.snapshot import (
    LeaseLight,
    LeaseView,
    MemoryView,
    ScheduleView,
    Section,
    Snapshot,
    TaskState,
    TaskView,
    TreeView,
)
from neo_core.snapshot_strays import StraysView
from screenshots.history import busy_runs
from screenshots.parts import HELD, MIB, NOW, blocked_by_lease, process, task
from screenshots.services import (
    collision,
    healthy_services,
    killed_orchestrator,
    running_orchestrator,
    stopped_orchestrator,
    troubled_services,
    without_keeper,
)


def snapshot(**sections: object) -> Snapshot:
    """Return a picture of a machine where ``dream`` holds the lease and two tasks wait, with ``sections`` replaced."""
    told: dict[str, object] = {
        "lease": held_lease(),
        "schedule": ScheduleView(tasks=busy_tasks()),
        "outcomes": busy_runs(),
        "processes": busy_trees(),
        "memory": MemoryView(
            total=16384 * MIB, available=4751 * MIB, swap_used=2048 * MIB, pressure=4.2, phase=Phase.NORMAL
        ),
        "services": healthy_services(),
        "orchestrator": running_orchestrator(),
        "collisions": (),
        "strays": StraysView(looked_at=212, others=140),
        **sections,
    }
    at, read_only = told.pop("at", NOW), told.pop("read_only", "")
    wrapped = {
        name: value if isinstance(value, Section) else Section(at=at, value=value)  # type: ignore[arg-type]
        for name, value in told.items()
    }
    return Snapshot(at=at, workspace="/home/ada/neo", read_only=read_only, **wrapped)  # type: ignore[arg-type]


def first_run() -> Snapshot:
    """Return the picture of a workspace in which nothing has happened yet."""
    tasks = (
        task("backup", TaskState.DUE, every=86_400.0, due_at=0.0),
        task("kbSync", TaskState.DUE, every=1800.0, due_at=0.0),
        task("primary-dev-sync", TaskState.DUE, every=600.0, due_at=0.0),
        *unconfigured_tasks(),
    )
    return snapshot(
        lease=LeaseView(light=LeaseLight.FREE, status="missing", sentence="nobody holds the lease"),
        schedule=ScheduleView(tasks=tasks),
        outcomes=(),
        processes=(own_tree(),),
        memory=MemoryView(total=16384 * MIB, available=11_960 * MIB, swap_used=0, pressure=0.0, phase=Phase.NORMAL),
        services=(),
        orchestrator=stopped_orchestrator(),
    )


def trouble() -> Snapshot:
    """Return the picture of a bad hour: a starved backup, services in trouble, two heavy trees at once."""
    backup, kb_sync, sync, *others = busy_tasks()
    tasks = (
        msgspec.structs.replace(backup, starved=True, waiting_since=NOW - 8040, due_at=NOW - 8040, streak=317),
        msgspec.structs.replace(
            kb_sync,
            state=TaskState.IDLE,
            waiting_since=None,
            due_at=NOW + 74,
            failures=2,
            tries=2,
            retry_at=NOW + 74,
            last_outcome=Outcome.FAILED,
        ),
        msgspec.structs.replace(sync, cron="30 6 * * 6", every=0.0, due_at=NOW + 59_198),
        *others,
    )
    return snapshot(
        schedule=ScheduleView(tasks=tasks),
        services=troubled_services(),
        collisions=(collision(),),
    )


def killed_keeper() -> Snapshot:
    """Return the picture after the orchestrator was killed: runs go on, services have no keeper."""
    return snapshot(orchestrator=killed_orchestrator(), services=without_keeper(healthy_services()))


def pressed() -> Snapshot:
    """Return the picture of a machine under memory pressure: heavy starts are held back."""
    memory = MemoryView(
        total=16_384 * MIB,
        available=1049 * MIB,
        swap_used=2948 * MIB,
        pressure=31.0,
        phase=Phase.CRITICAL,
        since=NOW - 61,
        signal="available",
        value="6.4 %",
        limit="10 %",
        incident=3,
    )
    return snapshot(memory=memory)


def unreadable_lease() -> Snapshot:
    """Return the picture of a machine whose lease file cannot be read: nothing heavy starts."""
    sentence = "the lease file cannot be read (permission denied); nothing heavy starts"
    mend = "make it a readable file, or move it away while nothing runs"
    gate = msgspec.structs.replace(
        blocked_by_lease(),
        reason=Reason.LEASE_ERROR.value,
        sentence=sentence,
        value="unreadable",
        clears_when=mend,
        blocker="",
        blocker_pid=None,
    )
    waiting = {"waiting_since": NOW - 312, "streak": 4, "last_outcome": Outcome.DEFERRED, "last_at": NOW - 40}
    tasks = (
        task("backup", TaskState.WAITING, gate, every=86_400.0, due_at=NOW - 312, **waiting),
        task("kbSync", TaskState.WAITING, gate, every=1800.0, due_at=NOW - 290, **waiting),
        task("primary-dev-sync", TaskState.IDLE, gate, every=600.0, due_at=NOW + 245),
        *unconfigured_tasks(),
    )
    lease = LeaseView(light=LeaseLight.UNREADABLE, status="unreadable", sentence=sentence, mend=mend)
    return snapshot(lease=lease, schedule=ScheduleView(tasks=tasks), outcomes=busy_runs()[3:], processes=(own_tree(),))


def held_lease() -> LeaseView:
    """Return the lease as ``dream`` holds it."""
    return LeaseView(
        light=LeaseLight.HELD,
        status="active",
        holder="alive",
        owner="dream",
        reason="manual",
        pid=4211,
        task="dream",
        run_id="9f31c07a55d2",
        token_prefix="1b0c77e2",  # noqa: S106 - the first part only, made up
        generation=212,
        acquired_at=NOW - 732,
        renewed_at=NOW - 4,
        expires_at=NOW + 21_596,
        sentence=HELD,
    )


def busy_tasks() -> tuple[TaskView, ...]:
    """Return a schedule in which one runs, two wait and one is snoozed."""
    gate = blocked_by_lease()
    running = GateResult(
        gate=Gate.RUNNING,
        verdict=Verdict.BLOCK,
        value="run 9f31c07a55d2",
        clears_when="that run ends",
        reason=Reason.ALREADY_RUNNING.value,
        outcome=Outcome.SKIPPED,
        sentence="dream is already running (9f31c07a55d2)",
    )
    snooze = GateResult(
        gate=Gate.SNOOZE,
        verdict=Verdict.BLOCK,
        value="since 13:10 by ada",
        limit="until 15:10",
        clears_when="15:10, or neo-console resume summary",
        reason=Reason.SNOOZED.value,
        outcome=Outcome.DEFERRED,
        sentence="summary is snoozed until 15:10 (giving a talk)",
        blocker="operator",
    )
    return (
        task(
            "backup",
            TaskState.WAITING,
            gate,
            every=86_400.0,
            due_at=NOW - 724,
            waiting_since=NOW - 724,
            streak=41,
            last_outcome=Outcome.DEFERRED,
            last_reason_code=Reason.LEASE_HELD.value,
            last_at=NOW - 12,
            last_took=211.0,
        ),
        task(
            "kbSync",
            TaskState.WAITING,
            gate,
            every=1800.0,
            due_at=NOW - 131,
            waiting_since=NOW - 131,
            last_outcome=Outcome.COMPLETED,
            last_at=NOW - 1931,
            last_took=74.0,
            last_success_at=NOW - 1931,
        ),
        task(
            "primary-dev-sync",
            TaskState.IDLE,
            gate,
            every=600.0,
            due_at=NOW + 245,
            last_outcome=Outcome.SKIPPED,
            last_at=NOW - 355,
            last_took=1.4,
        ),
        task(
            "summary",
            TaskState.SNOOZED,
            snooze,
            every=600.0,
            due_at=NOW - 60,
            snoozed_until=NOW + 3998,
            snoozed_because="giving a talk",
            last_outcome=Outcome.COMPLETED,
            last_at=NOW - 4200,
            last_took=39.0,
        ),
        task(
            "dream",
            TaskState.RUNNING,
            running,
            every=3600.0,
            due_at=NOW + 2868,
            running_run_id="9f31c07a55d2",
            last_outcome=Outcome.FAILED,
            last_at=NOW - 7400,
            last_took=1801.0,
        ),
        unconfigured_tasks()[-1],
    )


def unconfigured_tasks() -> tuple[TaskView, ...]:
    """Return the three that need a command first."""
    return tuple(
        task(
            name,
            TaskState.NOT_CONFIGURED,
            GateResult(
                gate=Gate.CONFIGURED,
                verdict=Verdict.BLOCK,
                value="no command",
                clears_when=f"tasks.{name}.command is set",
                reason=Reason.NOT_CONFIGURED.value,
                outcome=Outcome.SKIPPED,
                sentence=f"{name} is not configured: set tasks.{name}.command in neo-console.toml",
            ),
            every=every,
            configured=False,
            missing_key=f"tasks.{name}.command",
        )
        for name, every in (("summary", 600.0), ("dream", 3600.0), ("golden-path", 3600.0))
    )


def own_tree() -> TreeView:
    """Return the console's own tree."""
    mine = process(7003, 0, "neo-console", 43, 1.2, 95.0)
    return TreeView(owner="neo-console", kind="console", memory=43 * MIB, exact=True, processes=(mine,))


def busy_trees() -> tuple[TreeView, ...]:
    """Return the trees of a run and of this console."""
    members = (
        process(4211, 0, "python", 31, 0.4, 732.0, command="python -m neo_core.runs.runner"),
        process(4218, 1, "node", 212, 3.0, 731.0, command="npm run ai:dream"),
        process(4230, 2, "python3", 4365, 88.0, 729.0, command="python3 ai/scripts/dream.py --graph"),
    )
    tree = TreeView(
        owner="dream",
        kind="run",
        run_id="9f31c07a55d2",
        role=LeaseRole.HOLDER,
        memory=4608 * MIB,
        exact=True,
        processes=members,
    )
    return (tree, own_tree())
