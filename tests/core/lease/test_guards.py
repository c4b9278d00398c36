"""The guard around every change, shared with filelock; and the directory mutex of newer foreign scripts."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from neo_core.lease.foreign_guard import ForeignGuard, ForeignGuardBusyError
from neo_core.lease.guard import Guard, GuardTimeoutError

FILELOCK = """
import sys
from filelock import FileLock, Timeout
if sys.argv[2] == "keep":
    with FileLock(sys.argv[1]):
        print("have it", flush=True)
        sys.stdin.read()
else:
    try:
        with FileLock(sys.argv[1], timeout=0.05):
            print("have it")
    except Timeout:
        print("somebody else has it")
"""


@pytest.fixture
def filelock(lease_path):
    """A stranger that uses the real filelock on our guard's file."""
    started = []

    def run(what):
        process = subprocess.Popen(
            [sys.executable, "-c", FILELOCK, f"{lease_path}.lock", what],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process, process.stdout.readline().strip()

    yield run
    for process in started:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def test_while_filelock_has_it_we_do_not(filelock, lease_path):
    keeper, said = filelock("keep")
    assert said == "have it"

    with pytest.raises(GuardTimeoutError), Guard(f"{lease_path}.lock", timeout=0.05):
        pass
    keeper.stdin.close()
    with Guard(f"{lease_path}.lock", timeout=20):
        assert filelock("try")[1] == "somebody else has it"


def test_while_we_have_it_filelock_does_not(filelock, lease_path):
    with Guard(f"{lease_path}.lock"):
        assert filelock("try")[1] == "somebody else has it"
    assert filelock("try")[1] == "have it"


def test_a_killed_keeper_gives_it_up(filelock, lease_path):
    keeper, _ = filelock("keep")
    keeper.kill()

    with Guard(f"{lease_path}.lock", timeout=20):
        pass


def test_a_guard_that_was_waited_for_is_a_real_one(participant, filelock, lease_path):
    keeper = participant()
    keeper.ask("enter_guard")
    waiting = participant()
    waiting.tell("enter_guard")
    keeper.ask("leave_guard")
    assert waiting.answer() == {}

    assert filelock("try")[1] == "somebody else has it"
    waiting.ask("leave_guard")
    assert filelock("try")[1] == "have it"


def test_the_lock_of_a_removed_file_guards_nothing(lease_path):
    path = Path(f"{lease_path}.lock")
    with Guard(str(path)):
        path.unlink()
        with Guard(str(path), timeout=0.05) as second:
            assert second is not None


def test_a_guard_is_left_when_its_block_fails(lease_path):
    with pytest.raises(ZeroDivisionError), Guard(f"{lease_path}.lock"):
        1 / 0  # noqa: B018
    with Guard(f"{lease_path}.lock", timeout=0):
        pass


@pytest.fixture
def guard_folder(lease_path):
    return Path(f"{lease_path}.lifecycle-guard")


@pytest.fixture
def foreign(guard_folder, clock):
    """A script of theirs inside its mutex, ``age`` seconds ago by the made-up clock."""

    def enter(age=0.0, names=("owner-77",), folder=guard_folder):
        folder.mkdir()
        for name in names:
            (folder / name).touch()
            os.utime(folder / name, (clock.wall - age, clock.wall - age))
        os.utime(folder, (clock.wall - age, clock.wall - age))

    return enter


def test_inside_it_looks_like_theirs(lease_path, clock, guard_folder):
    with ForeignGuard(str(lease_path), clock):
        names = [path.name for path in guard_folder.iterdir()]
        assert len(names) == 1
        assert names[0].startswith("owner-")
        (lease_path.parent / "theirs").mkdir()
        with pytest.raises(OSError, match="not empty"):
            (lease_path.parent / "theirs").rename(guard_folder)
    assert not guard_folder.exists()


def test_a_living_one_is_waited_for_and_left_alone(imagined, put, records, foreign, guard_folder, clock, names):
    foreign()
    content = put(records["ours"]())

    got = imagined.acquire("x", "y")

    assert (got.status, got.detail) == ("held", "a foreign script is changing the lease right now")
    assert sum(clock.slept) == pytest.approx(2.0, abs=0.1)
    assert [path.name for path in guard_folder.iterdir()] == ["owner-77"]
    assert names() == [Path(imagined.path).name, guard_folder.name]
    assert Path(imagined.path).read_bytes() == content


def test_a_reclaim_leaves_the_record_to_who_is_in_it(imagined, put, records, foreign, lease_path):
    foreign()
    put(records["ours"]())

    assert imagined.reclaim().status == "stale"
    assert lease_path.exists()


def test_one_that_is_left_while_we_wait_is_entered(imagined, put, records, foreign, guard_folder, clock):
    foreign()
    put(records["ours"]())

    def leave():
        (guard_folder / "owner-77").unlink(missing_ok=True)

    clock.while_sleeping = leave
    assert imagined.acquire("x", "y").status == "acquired-after-stale"


def test_a_fresh_acquisition_does_not_enter_it(imagined, foreign):
    foreign()

    assert imagined.acquire("x", "y").status == "acquired"


@pytest.mark.parametrize("age", [10.5, 1e6, -1e6])
@pytest.mark.parametrize("owners", [("owner-77",), ("owner-1", "owner-2"), ()])
def test_an_abandoned_one_is_taken_apart(imagined, put, records, foreign, guard_folder, age, owners):
    foreign(age, owners)
    put(records["ours"]())

    assert imagined.acquire("x", "y").status == "acquired-after-stale"
    assert not guard_folder.exists()


@pytest.mark.parametrize("age", [0.0, 9.0])
def test_one_with_a_fresh_owner_beside_an_old_one_is_not(imagined, put, records, foreign, guard_folder, clock, age):
    foreign(100, ("owner-1", "owner-2"))
    os.utime(guard_folder / "owner-2", (clock.wall - age, clock.wall - age))
    put(records["ours"]())
    clock.sleep = lambda seconds: setattr(clock, "ticks", clock.ticks + seconds)

    assert imagined.acquire("x", "y").status == "held"
    assert len(list(guard_folder.iterdir())) == 2


def test_one_with_something_else_in_it_is_never_touched(imagined, put, records, foreign, guard_folder):
    foreign(1e6, ("owner-1", "precious"))
    put(records["ours"]())

    assert imagined.acquire("x", "y").status == "held"
    assert sorted(path.name for path in guard_folder.iterdir()) == ["owner-1", "precious"]


def test_a_folder_below_it_stops_the_taking_apart(imagined, put, records, foreign, guard_folder):
    foreign(1e6, ())
    (guard_folder / "owner-1").mkdir()
    os.utime(guard_folder / "owner-1", (0, 0))
    put(records["ours"]())

    assert imagined.acquire("x", "y").status == "held"
    assert (guard_folder / "owner-1").is_dir()


def test_one_that_was_exchanged_meanwhile_is_not_taken_apart(lease_path, clock, foreign, guard_folder, syscalls):
    foreign(1e6)
    old, new = guard_folder / "owner-77", guard_folder / "owner-78"

    def exchange():
        old.rename(new)
        os.utime(new, (clock.wall + 1, clock.wall + 1))

    with (
        syscalls.Before(old, 1, exchange, descriptors=False),
        pytest.raises(ForeignGuardBusyError),
        ForeignGuard(str(lease_path), clock),
    ):
        pass
    assert list(guard_folder.iterdir()) == [new]


def test_a_killed_entrants_folder_is_swept_when_it_is_old(imagined, put, records, foreign, lease_path):
    old, young = (Path(f"{lease_path}.lifecycle-guard.enter-{name}") for name in ("old", "young"))
    foreign(100, folder=old)
    foreign(1, folder=young)
    put(records["ours"]())

    assert imagined.acquire("x", "y").status == "acquired-after-stale"
    assert (old.exists(), young.exists()) == (False, True)


def test_one_of_ours_whose_process_was_killed_bars_nobody(lease_path, clock, imagined, put, records, guard_folder):
    ForeignGuard(str(lease_path), clock).__enter__()
    assert guard_folder.exists()
    put(records["ours"]())

    assert imagined.acquire("x", "y").status == "acquired-after-stale"
    assert not guard_folder.exists()


def test_a_file_of_that_name_is_an_error_and_stays(imagined, put, records, guard_folder):
    from neo_core.errors import LeaseError

    guard_folder.write_text("precious")
    put(records["ours"]())

    with pytest.raises(LeaseError, match="cannot be changed"):
        imagined.acquire("x", "y")
    assert guard_folder.read_text() == "precious"


def test_where_links_are_not_counted_the_name_decides(lease_path, monkeypatch):
    real = os.fstat

    def countless(descriptor):
        told = list(real(descriptor))
        told[3] = 0
        return os.stat_result(told)

    monkeypatch.setattr(os, "fstat", countless)
    with Guard(f"{lease_path}.lock"), pytest.raises(GuardTimeoutError), Guard(f"{lease_path}.lock", timeout=0.05):
        pass
