"""A record that is not ours: its writer's contract decides, and its living processes."""

import pytest

from neo_core.lease.explain import deferral_lines, explain_held
from neo_core.lease.words import INHERITED_TOKEN

CARRYING = INHERITED_TOKEN.encode() + b"=11111111-1111-4111-8111-111111111111\0"
HOURS = 3600


@pytest.fixture
def look(imagined, put, records):
    def inspect(pid=4242, **fields):
        put(records["foreign"](pid, **fields))
        return imagined.inspect()

    return inspect


def test_a_living_holder_within_its_deadline_is_active(look, machine):
    machine.started[4242] = 1

    seen = look()

    assert (seen.status, seen.holder, seen.expired) == ("active", "alive", False)


def test_a_dead_holder_is_stale(look):
    seen = look()

    assert (seen.status, seen.holder, seen.takeable) == ("stale", "dead", True)


def test_a_past_deadline_is_stale_even_if_the_holder_lives(look, machine, clock):
    machine.started[4242] = 1
    clock.wall += 6 * HOURS

    seen = look()

    assert (seen.status, seen.holder, seen.expired) == ("stale", "alive", True)


def test_without_a_deadline_the_ttl_counts(look, machine, clock):
    machine.started[4242] = 1
    clock.wall += 2 * HOURS

    assert look(expiresAt=None, staleAfterMs=HOURS * 1000).status == "stale"
    assert look(expiresAt=None, staleAfterMs=3 * HOURS * 1000).status == "active"
    assert look(expiresAt="?", staleAfterMs="?").status == "active"


@pytest.mark.parametrize("late", [False, True])
def test_a_process_with_its_token_keeps_it(look, machine, clock, late):
    machine.started[50] = 5
    machine.environments[50] = CARRYING
    if late:
        clock.wall += 7 * HOURS

    seen = look()

    assert (seen.status, seen.holder, seen.expired) == ("active", "orphaned", late)
    assert "still work (pid 50)" in explain_held(seen)


def test_a_living_overdue_holder_with_working_processes_is_said_to_live(look, machine, clock):
    machine.started.update({4242: 1, 50: 5})
    machine.environments[50] = CARRYING
    clock.wall += 7 * HOURS

    seen = look()

    assert (seen.status, seen.holder) == ("active", "alive")
    assert explain_held(seen) == "its holder is overdue but alive"


@pytest.mark.parametrize("pid", [None, "4242", -1, 0])
def test_without_a_pid_only_the_deadline_decides(look, clock, pid):
    assert (look(pid).status, look(pid).holder) == ("active", "unknown")

    clock.wall += 7 * HOURS

    assert (look(pid).status, look(pid).holder) == ("stale", "unknown")


def test_an_unknown_overdue_holder_with_working_processes_is_explained(look, machine, clock):
    machine.started[50] = 5
    machine.environments[50] = CARRYING
    clock.wall += 7 * HOURS

    assert explain_held(look(None)) == (
        "its holder is overdue and cannot be checked, but 1 of its processes still work (pid 50)"
    )


def test_a_hidden_holder_is_alive(look, machine):
    machine.hidden.add(4242)

    assert (look().status, look().holder) == ("active", "alive")


def test_without_a_token_nobody_carries_it(look, machine):
    machine.environments[1] = INHERITED_TOKEN.encode() + b"=\0"
    machine.started[1] = 1

    assert look(token="").status == "stale"
    assert look(token=None).status == "stale"


@pytest.mark.parametrize("told", ["yesterday", 1_780_000_000_000])
def test_an_odd_acquisition_time_does_not_cost_a_living_holder_the_lease(look, machine, told):
    machine.started[4242] = 1

    assert look(acquiredAt=told).status == "active"


def test_a_top_level_boot_id_of_later_scripts_is_just_another_field(look, machine):
    machine.started[4242] = 1

    assert look(bootId="some-container").status == "active"


def test_a_token_beyond_the_locale_is_compared_not_raised(look, monkeypatch):
    def encode(text):
        raise UnicodeEncodeError("ascii", text, 0, 1, "no")

    monkeypatch.setattr("os.fsencode", encode)

    assert look(token="größe-\udc80").status == "stale"


def test_the_refusal_is_upstreams_two_lines(look, machine):
    machine.started[4242] = 1

    assert deferral_lines(look()) == (
        "⏸️  Deferred: heavy-maintenance lease held by 'kbSync' "
        "(reason='manual-cli', pid=4242, acquiredAt=2026-05-28T20:25:40.000Z).\n"
        "   This script will not run while another heavy-maintenance task is active."
    )


def test_the_refusal_without_a_record_says_why_there_is_none(imagined, put):
    put(b"", age=0)

    assert deferral_lines(imagined.inspect()).splitlines()[0] == (
        "⏸️  Deferred: heavy-maintenance lease held by an unnamed process "
        "(somebody is writing the lease file right now)."
    )


def test_a_refusal_is_two_lines_whatever_the_record_says(look, machine):
    machine.started[4242] = 1

    lines = deferral_lines(look(None, owner="a\nb", reason="c\x1b[0m", acquiredAt="2026-01-01\n00:00")).split("\n")

    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)
    assert "pid=unknown" in lines[0]
