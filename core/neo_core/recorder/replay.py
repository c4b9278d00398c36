"""An incident as a film: what there was to see at each of its samples. It says what coincided, never what caused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from neo_core.ledger.models import Control, Run
from neo_core.ledger.reliefs import Relief
from neo_core.memory.attribution import Baseline, Growth, growth
from neo_core.memory.incidents import Phase, Thresholds, Watch, advance
from neo_core.memory.reading import Reading
from neo_core.recorder.report import Report
from neo_core.recorder.schedule_then import TaskThen, schedule_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neo_core.ledger.memory import Sample


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """One sample of an incident. ``trees`` are the dearest first, with their growth since the baseline.

    ``schedule`` is every task as it was then; ``runs`` worked then; ``deferred``, ``acts`` and ``reliefs`` had come by
    then, the latter as they were known then.
    """

    reading: Reading
    phase: Phase
    trees: tuple[Growth, ...]
    runs: tuple[Run, ...]
    deferred: tuple[Run, ...]
    acts: tuple[Control, ...]
    schedule: tuple[TaskThen, ...]
    reliefs: tuple[Relief, ...] = ()


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """A report, and what its moments are told with: the phase at each sample, and what every tree cost before."""

    report: Report
    phases: tuple[Phase, ...]
    baseline: Baseline

    def moment(self, index: int) -> Moment:
        """Return what there was to see at one of the samples."""
        report = self.report
        sample = report.samples[index]
        at = sample.reading.at
        trees = sorted((growth(self.baseline, tree) for tree in sample.trees), key=lambda one: -one.tree.cost)
        return Moment(
            reading=sample.reading,
            phase=self.phases[index],
            trees=tuple(trees),
            runs=tuple(run for run in report.runs if _works(run, at)),
            deferred=tuple(run for run in report.deferred if run.requested_at <= at),
            acts=tuple(act for act in report.acts if act.created_at <= at),
            schedule=schedule_at(report.rows, at),
            reliefs=tuple(relief.as_of(at) for relief in report.reliefs if relief.asked_at <= at),
        )


def replay_of(report: Report, first: Sample | None, limits: Thresholds) -> Replay:
    """Return the film of a report; ``first`` is the sample that growth is counted from, the report's own if none."""
    if first is None and report.samples:
        first = report.samples[0]
    baseline = Baseline(costs={}) if first is None else first.baseline
    return Replay(report=report, phases=_phases(report.samples, limits), baseline=baseline)


def _phases(samples: Sequence[Sample], limits: Thresholds) -> tuple[Phase, ...]:
    """Return the phase at each sample, judged again as the recorder did."""
    phases: list[Phase] = []
    watch = Watch()
    for sample in samples:
        watch = advance(watch, sample.reading, limits)
        phases.append(watch.phase)
    return tuple(phases)


def _works(run: Run, at: float) -> bool:
    return run.started_at is not None and run.started_at <= at and (run.ended_at is None or at <= run.ended_at)
