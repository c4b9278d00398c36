"""How the memory went before each picture: calm, under pressure, or not recorded yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neo_core.ledger.memory import Incident, Sample
from neo_core.ledger.models import Control, ControlKind, Outcome
from neo_core.memory.attribution import Growth, TreeCost
from neo_core.memory.incidents import Judgement, Phase, Thresholds
from neo_core.memory.reading import Reading, Stall
from neo_core.recorder.course import Course
from neo_core.recorder.replay import Replay, replay_of
from neo_core.recorder.report import Report
from neo_core.schedule.decision import Reason
from screenshots.history import busy_runs
from screenshots.parts import MIB, NOW, run

if TYPE_CHECKING:
    from neo_core.snapshot import Snapshot

LONG, STEP = 1800, 10
TOTAL = 16_384 * MIB
BEGAN = NOW - 192
BEFORE = (NOW - 1330, NOW - 1160)


def course_of(picture: Snapshot) -> Course:
    """Return the course that fits a picture."""
    if not picture.outcomes.value:
        return Course(begin=NOW - LONG, end=NOW)
    memory = picture.memory.value
    return pressed_course() if memory is not None and memory.incident else calm_course()


def calm_course() -> Course:
    """Return half an hour in which a run took its memory and nothing came of it."""
    return Course(begin=NOW - LONG, end=NOW, samples=_samples(pressed=False), grew=_grew(4212))


def pressed_course() -> Course:
    """Return half an hour with one incident that ended, and one that goes on."""
    return Course(
        begin=NOW - LONG,
        end=NOW,
        samples=_samples(pressed=True),
        incidents=(incident(2, *BEFORE, Phase.ELEVATED), incident(3, BEGAN, None, Phase.CRITICAL)),
        grew=_grew(9800),
    )


def incident(number: int, began: float, ended: float | None, phase: Phase) -> Incident:
    """Return one incident."""
    judged = (
        Judgement(phase=phase, signal="available", value="6.4 %", limit="10 %")
        if phase is Phase.CRITICAL
        else Judgement(phase=phase, signal="some avg10", value="18.2 %", limit="10 %")
    )
    return Incident(
        incident_id=number,
        began_at=began,
        ended_at=ended,
        worst=judged,
        since=began - 600,
        least_available=1049 * MIB if phase is Phase.CRITICAL else 3120 * MIB,
        most_some=31.0,
        most_full=7.5,
        trees=_grew(9800 if phase is Phase.CRITICAL else 1120),
        lease_owners=("dream",),
        runs=("9f31c07a55d2",) if phase is Phase.CRITICAL else (),
    )


def samples_between(begin: float, end: float) -> tuple[Sample, ...]:
    """Return the samples of a part of the half hour under pressure."""
    return tuple(one for one in _samples(pressed=True) if begin <= one.reading.at <= end)


def _samples(*, pressed: bool) -> tuple[Sample, ...]:
    return tuple(_sample(NOW - LONG + step * STEP, pressed=pressed) for step in range(LONG // STEP + 1))


def _sample(at: float, *, pressed: bool) -> Sample:
    working = max(0.0, min(1.0, (at - (NOW - 732)) / 700))
    dream = int((4600 + 5400 * pressed) * working) * MIB
    spell = pressed and BEFORE[0] <= at <= BEFORE[1]
    code = (900 + 1120 * spell) * MIB
    wave = int(abs((at // STEP) % 40 - 20)) * 14 * MIB
    available = TOTAL - 4300 * MIB - dream - code - wave - 4000 * MIB * spell
    some = 18.2 if spell else 0.4 + 3.8 * working if at < BEGAN or not pressed else 12.0 + (at - BEGAN) / 10
    full = some / 4
    trees = (
        TreeCost(
            owner="dream", kind="run", pid=4211, cost=dream, rss=dream, processes=3, faults=40, run_id="9f31c07a55d2"
        ),
        TreeCost(owner="chroma", kind="service", pid=4140, cost=612 * MIB, rss=640 * MIB, processes=1),
        TreeCost(owner="code", kind="other", pid=2201, cost=code, rss=code, processes=14),
    )
    return Sample(
        reading=Reading(
            at=at,
            total=TOTAL,
            available=available,
            swap_total=8192 * MIB,
            swap_used=int(2048 + 900 * pressed * working) * MIB,
            some=Stall(avg10=some, avg60=some, total=0),
            full=Stall(avg10=full, avg60=full, total=0),
        ),
        trees=trees if dream else trees[1:],
    )


def _grew(dream: int) -> tuple[Growth, ...]:
    tree = TreeCost(
        owner="dream", kind="run", pid=4211, cost=dream * MIB, rss=dream * MIB, processes=3, run_id="9f31c07a55d2"
    )
    return (Growth(tree=tree, grown=dream * MIB),)


def replay_of_last() -> Replay:
    """Return the incident that goes on, as a film."""
    deferred = run(
        "77aa0c1e5b21",
        "kbSync",
        Outcome.DEFERRED,
        at=BEGAN + 40,
        last_at=NOW - 3,
        count=14,
        reason_code=Reason.MEMORY_PRESSURE.value,
        reason="memory is elevated: some avg10 16.0 % (limit 10 %)",
    )
    act = Control(
        control_id=7,
        kind=ControlKind.SNOOZE,
        target="summary",
        created_at=NOW - 90,
        because="it swaps",
        requested_by="ada",
    )
    report = Report(
        incident=incident(3, BEGAN, None, Phase.CRITICAL),
        until=NOW,
        samples=samples_between(BEGAN - 60, NOW),
        runs=tuple(one for one in busy_runs() if one.live),
        deferred=(deferred,),
        acts=(act,),
        rows=(*busy_runs(), deferred),
    )
    (first, *_) = samples_between(BEGAN - 600, NOW)
    return replay_of(report, first, Thresholds())
