"""Small builders of what a snapshot holds, with constant times."""

from __future__ import annotations

from neo_core.ledger.models import Outcome, Run, Trigger
from neo_core.schedule.decision import Decision, Gate, GateResult, Reason, Verdict
from neo_core.snapshot import ProcessView, TaskState, TaskView

NOW = 1_763_733_802.0  # 21 November 2025, 14:03:22 UTC
MIB = 1024 * 1024
HELD = "lease held by dream (pid 4211): its holder is alive"
_GATES = (
    (Gate.CONFIGURED, "npm run ai:sync-kb", ""),
    (Gate.PAUSE, "not paused", ""),
    (Gate.SNOOZE, "not snoozed", ""),
    (Gate.DUE, "not asked: a manual start does not wait for its time", ""),
    (Gate.RUNNING, "not running", ""),
    (Gate.DEPENDENCY, "needs no service", ""),
    (Gate.BACKPRESSURE, "no other heavy run", ""),
    (Gate.LEASE, "missing", ""),
)


def blocked_by_lease() -> GateResult:
    """Return the gate that a held lease shuts."""
    return GateResult(
        gate=Gate.LEASE,
        verdict=Verdict.BLOCK,
        value="active, dream, pid 4211",
        limit="free",
        clears_when="dream ends",
        reason=Reason.LEASE_HELD.value,
        outcome=Outcome.DEFERRED,
        sentence=HELD,
        blocker="dream",
        blocker_pid=4211,
    )


def decision(task: str, *blocks: GateResult, at: float = NOW) -> Decision:
    """Return a decision in which only ``blocks`` block."""
    shut = {gate.gate: gate for gate in blocks}
    results = tuple(
        shut.get(gate)
        or GateResult(
            gate=gate,
            verdict=Verdict.NOT_APPLICABLE if gate in (Gate.DUE, Gate.DEPENDENCY) else Verdict.PASS,
            value=value.replace("sync-kb", task),
            limit=limit,
        )
        for gate, value, limit in _GATES
    )
    return Decision(task=task, at=at, trigger=Trigger.MANUAL, results=results)


def task(name: str, state: TaskState, *blocks: GateResult, every: float = 3600.0, **more: object) -> TaskView:
    """Return one line of the schedule."""
    told: dict[str, object] = {
        "title": f"does the work of {name}",
        "heavy": True,
        "configured": True,
        "missing_key": "",
        "decision": decision(name, *blocks),
        **more,
    }
    return TaskView(name=name, every=every, state=state, **told)  # type: ignore[arg-type]


def run(run_id: str, name: str, outcome: Outcome | None, *, at: float, **more: object) -> Run:
    """Return one run that was asked for at ``at``."""
    told: dict[str, object] = {
        "heavy": True,
        "trigger": Trigger.MANUAL,
        "requested_at": at,
        "last_at": at,
        "requested_by": "ada",
        **more,
    }
    return Run(run_id=run_id, task=name, outcome=outcome, **told)  # type: ignore[arg-type]


def process(pid: int, depth: int, name: str, *told: float, command: str = "") -> ProcessView:
    """Return one process; ``told`` is its PSS in MiB, its CPU in percent, and its age."""
    pss, cpu, age = told
    return ProcessView(
        pid=pid,
        start_time=pid * 10,
        depth=depth,
        name=name,
        command=command or name,
        rss=int(pss) * MIB,
        pss=int(pss) * MIB,
        cpu=cpu,
        age=age,
    )
