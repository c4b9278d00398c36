"""The state machine of incidents: thresholds, hysteresis, sleep, and what is unknown."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neo_core.memory.incidents import Phase, Thresholds, Watch, advance
from neo_core.memory.reading import Reading, Stall

LIMITS = Thresholds()
EVERY = 2.0


def reading(at, *, some=0.0, full=0.0, available=50, level=None):
    return Reading(
        at=at,
        total=100,
        available=available,
        some=Stall(avg10=some, avg60=0, total=0),
        full=Stall(avg10=full, avg60=0, total=0),
        level=level,
    )


def run(readings, watch=None):
    watch = watch or Watch()
    seen = []
    for one in readings:
        watch = advance(watch, one, LIMITS)
        seen.append(watch.phase)
    return watch, seen


def test_calm_readings_are_normal_and_hold_nothing_back():
    watch, seen = run([reading(at) for at in (0, 2, 4)])

    assert set(seen) == {Phase.NORMAL}
    assert not watch.open
    assert not watch.holds_back
    assert watch.since == 0


@pytest.mark.parametrize(
    ("told", "phase", "signal"),
    [
        ({"some": 10.1}, Phase.ELEVATED, "some avg10"),
        ({"level": 2}, Phase.ELEVATED, "pressure level"),
        ({"level": 4}, Phase.CRITICAL, "pressure level"),
        ({"available": 9}, Phase.CRITICAL, "available"),
        ({"some": 50.0, "available": 9}, Phase.CRITICAL, "available"),
    ],
)
def test_what_is_over_its_limit_opens_an_incident_and_says_value_and_limit(told, phase, signal):
    watch, _ = run([reading(0), reading(2, **told)])

    assert (watch.phase, watch.began, watch.since) == (phase, 2, 2)
    assert watch.judgement.signal == signal
    assert watch.judgement.value
    assert watch.judgement.limit
    assert watch.holds_back


@pytest.mark.parametrize("told", [{"some": 10.0}, {"available": 10}, {"level": 1}, {"full": 5.0, "some": 10.0}])
def test_what_is_just_at_its_limit_is_normal(told):
    _, seen = run([reading(0, **told), reading(20, **told)])

    assert set(seen) == {Phase.NORMAL}


def test_everybody_waiting_is_critical_only_after_ten_seconds():
    _, seen = run([reading(at, full=6.0, some=12.0) for at in (0, 2, 4, 6, 8, 10)])

    assert seen == [Phase.ELEVATED] * 5 + [Phase.CRITICAL]


def test_a_moment_without_waiting_begins_the_ten_seconds_again():
    readings = [reading(0, full=6), reading(8, full=6), reading(9, full=1), reading(11, full=6), reading(20, full=6)]

    assert Phase.CRITICAL not in run(readings)[1]


def test_calm_closes_only_after_a_minute_of_it():
    watch, _ = run([reading(0, some=30)])
    watch, seen = run([reading(at) for at in range(2, 62, 2)], watch)
    assert set(seen) == {Phase.RECOVERING}
    assert watch.holds_back
    assert watch.judgement.signal == "some avg10"

    watch, seen = run([reading(62)], watch)
    assert seen == [Phase.NORMAL]
    assert not watch.open


def test_a_relapse_is_the_same_incident_and_begins_the_minute_again():
    watch, _ = run([reading(0, some=30), reading(2), reading(50), reading(52, some=30), reading(54), reading(100)])

    assert watch.began == 0
    assert watch.phase is Phase.RECOVERING


def test_after_a_sleep_of_the_machine_nothing_is_judged_for_a_while():
    watch, seen = run([reading(0), reading(3600, some=80, available=2), reading(3620, some=80, available=2)])
    assert set(seen) == {Phase.NORMAL}

    _, seen = run([reading(3631, some=80)], watch)
    assert seen == [Phase.ELEVATED]


def test_what_cannot_be_read_is_unknown_and_closes_no_incident():
    blind = Reading(at=2.0)
    assert run([blind])[1] == [Phase.UNKNOWN]

    watch, seen = run([reading(0, some=30), blind])
    assert seen[-1] is Phase.ELEVATED
    assert watch.open


def test_one_signal_is_enough_to_judge_by():
    only_amounts = Reading(at=0.0, total=100, available=50)

    assert run([only_amounts])[1] == [Phase.NORMAL]


@given(
    st.lists(
        st.tuples(
            st.floats(0.5, 100),
            st.floats(0, 100),
            st.floats(0, 100),
            st.integers(0, 100),
            st.sampled_from([None, 1, 2, 4]),
        ),
        max_size=60,
    )
)
def test_whatever_comes_an_incident_is_open_exactly_while_the_phase_says_so(steps):
    watch, at, opened = Watch(), 0.0, None
    for step, some, full, available, level in steps:
        at += step
        before = watch
        watch = advance(watch, reading(at, some=some, full=full, available=available, level=level), LIMITS)
        assert watch.open == (watch.phase in (Phase.ELEVATED, Phase.CRITICAL, Phase.RECOVERING))
        if before.open and watch.open:
            assert watch.began == before.began == opened
        if before.open and not watch.open:
            assert before.calm_since is not None
            assert at - before.calm_since >= LIMITS.calm_for
        opened = watch.began
        assert watch.since is not None
        assert watch.since <= at
        assert msgspec.json.decode(msgspec.json.encode(watch), type=Watch) == watch
