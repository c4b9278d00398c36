"""Two heavy trees at once: what is one, and what only looks like it."""

from __future__ import annotations

import os

import pytest

from neo_core.collisions import find_collisions
from neo_core.lease.carriers import Carrier, CarrierScan
from neo_core.lease.inspect import NOTHING, Inspection
from neo_core.lease.record import Lease
from neo_core.lease.words import HolderState, RecordStatus
from neo_core.ledger.models import LeaseRole, Outcome, Run, Trigger
from neo_core.processes.source import identity_of, system_source

SOURCE = system_source()
ME = identity_of(os.getpid(), SOURCE)
DEAD = 2**22 + 17


def run(run_id: str, **more) -> Run:
    told = {
        "heavy": True,
        "started_at": 1.0,
        "lease_role": LeaseRole.HOLDER,
        "runner_pid": 100,
        "generation": 0,
        **more,
    }
    return Run(run_id=run_id, task=f"t-{run_id}", trigger=Trigger.MANUAL, requested_at=1.0, last_at=1.0, **told)


def lost(run_id: str, pid: int = ME.pid, start: int = ME.start_time, **more) -> Run:
    told = {"outcome": Outcome.LOST, "child_pid": pid, "child_start": start, "boot_id": ME.boot_id, **more}
    return run(run_id, **told)


def held(pid: int, *, holder: HolderState = HolderState.ALIVE, run_id: str = "", carriers: tuple[int, ...] = ()):
    fields = {"owner": "sandman", "pid": pid, "token": "t" * 36, "acquiredAt": "2026-11-21T00:00:00.000Z"}
    lease = Lease({**fields, "metadata": {"runId": run_id} if run_id else {}})
    scan = CarrierScan(tuple(Carrier(one, 1, "sleep", "token") for one in carriers), 0)
    return Inspection(RecordStatus.ACTIVE, holder, lease=lease, scan=scan)


@pytest.mark.parametrize(
    ("live", "recent", "seen"),
    [
        ((), (), NOTHING),
        ((run("a"),), (), NOTHING),
        ((run("a"), run("b", heavy=False)), (), NOTHING),
        ((run("a"), run("b", started_at=None)), (), NOTHING),  # it is about to be refused
        ((run("a"), run("b", parent_run_id="a", lease_role=LeaseRole.BORROWER)), (), NOTHING),
        ((run("a", generation=7), run("b", generation=7, lease_role=LeaseRole.BORROWER)), (), NOTHING),
        ((run("c", parent_run_id="b"), run("a"), run("b", parent_run_id="a")), (), NOTHING),
        ((run("a"),), (), held(100, run_id="a")),
        ((run("a", lease_role=LeaseRole.BORROWER),), (), held(5)),  # within a script's lease
        ((run("a"),), (), held(5, holder=HolderState.DEAD)),
        ((run("a"),), (), held(5, holder=HolderState.UNKNOWN)),
        ((), (lost("z"),), NOTHING),
        ((run("a"),), (lost("z", DEAD),), NOTHING),
        ((run("a"),), (lost("z", start=1),), NOTHING),  # another process has its pid
        ((run("a"),), (lost("z", heavy=False),), NOTHING),
        ((run("a"),), (lost("z", pid_namespace="elsewhere"),), NOTHING),
        ((run("a", parent_run_id="z"),), (lost("z"),), NOTHING),
        ((), (), held(5, holder=HolderState.DEAD, run_id="z", carriers=(8,))),
    ],
)
def test_no_collision(live, recent, seen):
    assert find_collisions(live, recent, seen, SOURCE) == ()


@pytest.mark.parametrize(
    ("live", "recent", "seen", "runs", "words"),
    [
        ((run("a", generation=1), run("b", generation=2)), (), NOTHING, ("a", "b"), "t-b (run b, pid 100)"),
        ((run("a"),), (lost("z"),), NOTHING, ("z", "a"), f"what is left of t-z (lost run z, pid {ME.pid})"),
        (
            (run("a"),),
            (lost("z"),),
            held(5, holder=HolderState.DEAD, run_id="z", carriers=(8, 9)),
            ("z", "a"),
            "what is left of sandman (pid 8, 9)",
        ),
        ((run("a"),), (), held(5), ("a",), "sandman (a script with the lease, pid 5)"),
    ],
    ids=["two-runs", "lost-run", "orphans-of-the-lease", "script"],
)
def test_a_collision_names_both(live, recent, seen, runs, words):
    (found,) = find_collisions(live, recent, seen, SOURCE)
    assert found.runs == runs
    assert words in found.sentence
    assert found.sentence.startswith("two heavy jobs work at the same time: ")
    assert len(found.tasks) == 2


def test_three_at_once_are_three_pairs():
    live = tuple(run(name, generation=number) for number, name in enumerate("abc", 1))
    assert [one.runs for one in find_collisions(live, (), NOTHING, SOURCE)] == [("a", "b"), ("a", "c"), ("b", "c")]
