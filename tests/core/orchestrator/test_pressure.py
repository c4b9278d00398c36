"""Memory pressure under a living orchestrator; below a threshold of 99.9 % every real reading of a machine is."""

from __future__ import annotations

import pytest

from neo_core.ledger.models import Outcome
from neo_core.ledger.store import Ledger

PRESSED = 'critical_available = 99.9\nsample_every = "1s"\ncalm_for = "2s"\n'
CALM = 'sample_every = "1s"\ncalm_for = "2s"\n'


def configure(place, memory):
    light = place.job("light") + 'every = "300ms"\nclass = "light"\n'
    place.configure(f"[memory]\n{memory}" + place.job("heavy") + 'every = "300ms"\n' + light)


def incidents(place):
    with Ledger(place.workspace.ledger, writable=False) as ledger:
        return ledger.memory.incidents()


@pytest.mark.long
def test_no_heavy_run_starts_under_pressure_and_each_starts_again_after_calm(place, until):
    configure(place, PRESSED)
    process = place.up()
    until(lambda: incidents(place) and place.ended("light"))
    until(lambda: sum(row.count for row in place.rows("heavy") if row.reason_code == "memory-pressure") > 5)
    assert place.ended("heavy") == []

    configure(place, CALM)
    until(lambda: place.ended("heavy"))
    assert place.down(process) == 0

    (incident,) = incidents(place)
    assert incident.ended_at is not None
    deferred = [row for row in place.rows("heavy") if row.outcome is Outcome.DEFERRED]
    assert {row.reason_code for row in deferred} == {"memory-pressure"}
    assert all("limit 99.9 %" in row.reason for row in deferred)
    first = place.ended("heavy")[0]
    assert first.started_at >= incident.ended_at
    assert first.requested_at - incident.ended_at < 1.0
    assert place.log().count("Deferring heavy") <= 3
