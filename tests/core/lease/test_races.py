"""Many real processes at the same instant: never two holders, never none, and foreign scripts in between."""

import contextlib
import json
import os

import pytest

from neo_core.lease.store import LeaseStore

CONTENDERS = 8
ROUNDS = 12
HOLD_FOR = 0.002


def overlaps(intervals):
    """Return every interval that began before an earlier one had ended."""
    found, ends = [], 0
    for begin, end in sorted(intervals):
        if begin < ends:
            found.append((begin, end))
        ends = max(ends, end)
    return found


@pytest.mark.parametrize(
    ("intervals", "planted"),
    [
        ([], 0),
        ([(1, 5), (5, 9), (20, 30)], 0),
        ([(5, 9), (1, 6)], 1),
        ([(1, 100), (2, 3), (50, 60)], 2),
        ([(1, 10), (1, 10)], 1),
        ([(10, 20), (1, 11), (30, 40), (35, 36)], 2),
    ],
)
def test_the_checker_finds_planted_overlaps(intervals, planted):
    assert len(overlaps(intervals)) == planted


@pytest.fixture(scope="module")
def crowd(tmp_path_factory, start_participant):
    """Participants that stay from round to round, and the gate that lets all of them go."""
    reading, writing = os.pipe()
    somewhere = tmp_path_factory.mktemp("races") / "lease.json"
    everybody = [start_participant(somewhere, pass_fds=[reading]) for _ in range(CONTENDERS)]

    def race(path):
        for one in everybody:
            one.ask("open", path=str(path))
        for one in everybody:
            one.tell("race", gate=reading, hold_for=HOLD_FOR)
        assert all(one.answer() == {"ready": True} for one in everybody)
        os.write(writing, b"x" * CONTENDERS)
        return [one.answer() for one in everybody]

    yield race
    for one in everybody:
        one.kill()
    os.close(reading)
    os.close(writing)


def missing(records):
    return None


def a_dead_holders(records):
    return json.dumps(records["foreign"](pid=2**22 + 9, expiresAt="2999-01-01T00:00:00Z")).encode()


def overdue(records):
    return json.dumps(records["foreign"](pid=os.getpid(), expiresAt="2020-01-01T00:00:00Z")).encode()


def old_and_malformed(records):
    return b'{"owner": "half'


@pytest.mark.parametrize(
    ("content", "first"),
    [
        (missing, "acquired"),
        (a_dead_holders, "acquired-after-stale"),
        (overdue, "acquired-after-stale"),
        (old_and_malformed, "acquired-after-malformed"),
    ],
)
def test_of_many_at_once_one_holds_at_a_time(crowd, tmp_path, records, content, first):
    for number in range(ROUNDS):
        path = tmp_path / str(number) / "lease.json"
        path.parent.mkdir(mode=0o700)
        if content(records) is not None:
            path.write_bytes(content(records))
            os.utime(path, (0, 0))

        answers = crowd(path)

        winners = [one for one in answers if "interval" in one]
        statuses = [one["status"] for one in sorted(winners, key=lambda one: one["generation"])]
        assert winners, f"nobody got it: {answers}"
        assert overlaps([one["interval"] for one in winners]) == []
        assert statuses == [first] + ["acquired"] * (len(winners) - 1)
        assert sorted(one["generation"] for one in winners) == list(range(1, len(winners) + 1))
        assert all(one["left"] == "released" for one in winners)
        assert {one["status"] for one in answers} - {"held"} == set(statuses)
        assert all(one["detail"] for one in answers if one["status"] == "held")
        assert not path.exists()


def test_after_a_killed_holder_one_holds_at_a_time(crowd, tmp_path, participant):
    for number in range(3):
        path = tmp_path / str(number) / "lease.json"
        path.parent.mkdir(mode=0o700)
        victim = participant(path)
        assert victim.ask("acquire")["status"] == "acquired"
        victim.kill()

        winners = [one for one in crowd(path) if "interval" in one]

        assert overlaps([one["interval"] for one in winners]) == []
        assert sorted(one["generation"] for one in winners) == list(range(2, len(winners) + 2))
        assert winners


def test_an_orphaned_lease_is_taken_by_nobody(crowd, tmp_path, participant):
    path = tmp_path / "lease.json"
    victim = participant(path)
    token = victim.ask("acquire")["token"]
    participant.doomed.append(victim.ask("child", token=True)["pid"])
    victim.kill()

    assert {one["status"] for one in crowd(path)} == {"held"}
    assert LeaseStore(path).inspect().lease.token == token


@pytest.fixture
def play(imagined, lease_path, syscalls, put, records, clock):
    """Acquire while a foreign script acts before system call ``at``; say who believes to hold."""

    def act(at, before, script):
        believes = []
        lease_path.unlink(missing_ok=True)
        clock.wall += 60
        if before == "stale":
            put(records["ours"](), now=clock.wall)
        with syscalls.Before(lease_path.parent, at, lambda: believes.append(script())) as calls:
            got = imagined.acquire("ours", "test")
        if got.hold:
            got.hold.release()
        return got.hold is not None, any(believes), calls.count

    return act


@pytest.fixture
def create(lease_path, records):
    """A foreign script's exclusive creation; say whether it worked."""
    content = json.dumps(records["foreign"](os.getpid(), expiresAt="2999-01-01T00:00:00Z"))

    def script():
        with contextlib.suppress(FileExistsError), lease_path.open("x") as file:
            file.write(content)
            return True
        return False

    return script


@pytest.mark.parametrize("before", ["missing", "stale"])
def test_a_script_that_creates_at_any_moment_never_holds_with_us(play, create, before):
    _, _, total = play(-1, before, create)
    seen = set()
    for at in range(total):
        ours, theirs, _ = play(at, before, create)
        assert ours != theirs, f"both or nobody at call {at}"
        seen.add(ours)
    assert seen == {True, False}


def test_a_script_that_had_judged_the_stale_record_is_noticed(play, create, lease_path):
    def recover():
        lease_path.unlink(missing_ok=True)
        return create()

    play(-1, "stale", recover)  # what is asked only once (the kind of file system) is asked here
    _, _, total = play(-1, "stale", recover)
    both = [at for at in range(total) if play(at, "stale", recover)[:2] == (True, True)]

    # Once the last look has opened our record, nothing of what follows can be noticed; a renewal will.
    assert both == [total - 3, total - 2, total - 1]
