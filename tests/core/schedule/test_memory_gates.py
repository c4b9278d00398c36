"""The memory gates: heavy work waits, light work does not, and only an operator's word passes them."""

from __future__ import annotations

import time

import pytest

from neo_core.ledger.models import Outcome
from neo_core.memory.forecast import Forecast
from neo_core.memory.incidents import Phase
from neo_core.profiles import Task
from neo_core.schedule.decision import Verdict
from neo_core.schedule.memory_gates import MemoryFacts, forecast_gate, pressure_gate

NOW = 1_790_000_060.0
MIB = 1024 * 1024
HEAVY = Task(name="dream", heavy=True, every=0.0, command=("true",))
LIGHT = Task(name="dream", heavy=False, every=0.0, command=("true",))


def pressed(phase, **changes):
    told = {"signal": "some avg10", "value": "23.0 %", "limit": "10 %", "since": 1_790_000_000.0, **changes}
    return MemoryFacts(phase=phase, **told)


def needs(peak, available, **changes):
    forecasts = {"dream": Forecast(peak=peak * MIB, samples=7)}
    free = None if available is None else available * MIB
    return MemoryFacts(available=free, reserve=512 * MIB, forecasts=forecasts, **changes)


@pytest.mark.parametrize("phase", [Phase.ELEVATED, Phase.CRITICAL, Phase.RECOVERING])
def test_under_pressure_a_heavy_start_is_deferred_and_reads_value_limit_and_since(phase):
    result = pressure_gate(HEAVY, pressed(phase), NOW)

    assert (result.verdict, result.outcome, result.reason) == (Verdict.BLOCK, Outcome.DEFERRED, "memory-pressure")
    assert (result.value, result.limit) == ("some avg10 23.0 %", "10 %")
    assert str(phase) in result.sentence
    since = time.strftime("%H:%M", time.localtime(NOW - 60))
    assert f" since {since}: some avg10 23.0 %" in result.sentence
    assert result.clears_when


@pytest.mark.parametrize("phase", [Phase.NORMAL, Phase.UNKNOWN])
def test_without_pressure_it_passes_and_unknown_is_told_as_unknown(phase):
    result = pressure_gate(HEAVY, MemoryFacts(phase=phase), NOW)

    assert result.verdict is Verdict.PASS
    assert str(phase) in result.value


def test_light_work_is_never_held_back():
    assert pressure_gate(LIGHT, pressed(Phase.CRITICAL), NOW).verdict is Verdict.NOT_APPLICABLE
    assert forecast_gate(LIGHT, needs(8000, 100)).verdict is Verdict.NOT_APPLICABLE


def test_an_override_passes_and_says_whose_it_was():
    result = pressure_gate(HEAVY, pressed(Phase.CRITICAL, overridden_by="ada"), NOW)

    assert result.verdict is Verdict.PASS
    assert "overridden by ada" in result.value
    assert "overridden by ada" in forecast_gate(HEAVY, needs(8000, 100, overridden_by="ada")).value


def test_what_probably_does_not_fit_is_deferred_with_both_numbers_and_the_sample_size():
    result = forecast_gate(HEAVY, needs(3000, 3511))

    assert (result.verdict, result.outcome, result.reason) == (Verdict.BLOCK, Outcome.DEFERRED, "memory-forecast")
    assert result.value == "needs 3000 MiB (95 % of 7 runs)"
    assert result.limit == "3511 MiB available, 512 MiB of it kept free"
    assert result.clears_when == "1 MiB more are available"


def test_what_fits_beside_the_reserve_passes():
    assert forecast_gate(HEAVY, needs(3000, 3512)).verdict is Verdict.PASS


@pytest.mark.parametrize("memory", [MemoryFacts(available=100 * MIB), needs(3000, None)])
def test_without_a_past_or_a_reading_there_is_no_forecast(memory):
    assert forecast_gate(HEAVY, memory).verdict is Verdict.NOT_APPLICABLE
