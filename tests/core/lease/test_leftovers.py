"""What a killed participant left aside, and what an operator put in the lease's place."""

import errno
import json
import os
from pathlib import Path

import pytest


@pytest.fixture
def aside(lease_path):
    return Path(f"{lease_path}.aside")


def test_a_half_written_record_is_removed(imagined, lease_path, names):
    Path(f"{lease_path}.new").write_text('{"own')

    assert imagined.acquire("x", "y").status == "acquired"
    assert names() == [lease_path.name]


def test_a_published_record_survives_the_removal_of_its_second_name(imagined, put, records, machine, lease_path, names):
    machine.started[4242] = 777
    content = put(records["ours"]())
    os.link(lease_path, f"{lease_path}.new")

    assert imagined.acquire("x", "y").status == "held"
    assert (names(), lease_path.read_bytes()) == ([lease_path.name], content)


def test_a_dead_record_aside_is_removed(imagined, put, records, lease_path, aside, names):
    put(records["ours"]())
    lease_path.rename(aside)

    assert imagined.acquire("x", "y").status == "acquired"
    assert names() == [lease_path.name]


@pytest.mark.parametrize("do", ["acquire", "reclaim"])
def test_a_living_record_aside_goes_back(imagined, put, records, machine, lease_path, aside, names, do):
    machine.started[4242] = 1
    content = put(records["foreign"]())
    lease_path.rename(aside)

    if do == "acquire":
        assert imagined.acquire("x", "y").detail == "its holder is alive"
    else:
        assert imagined.reclaim().status == "active"
    assert (names(), lease_path.read_bytes()) == ([lease_path.name], content)


def test_a_record_that_is_back_but_still_aside_is_one_record(imagined, put, records, machine, lease_path, aside, names):
    machine.started[4242] = 1
    content = put(records["foreign"]())
    os.link(lease_path, aside)

    assert imagined.acquire("x", "y").status == "held"
    assert (names(), lease_path.read_bytes()) == ([lease_path.name], content)


def test_a_living_record_whose_name_was_taken_is_kept_under_another(imagined, put, records, machine, lease_path, names):
    machine.started.update({4242: 1, 4343: 1})
    first = put(records["foreign"]())
    lease_path.rename(f"{lease_path}.aside")
    second = put(records["foreign"](4343))

    assert imagined.acquire("x", "y").before.lease.pid == 4343
    assert lease_path.read_bytes() == second
    kept = [name for name in names() if name.startswith(f"{lease_path.name}.aside-")]
    assert lease_path.with_name(kept[0]).read_bytes() == first
    assert f"{lease_path.name}.aside" not in names()


def test_a_folder_that_was_moved_aside_goes_back_with_its_contents(imagined, lease_path, aside):
    from neo_core.errors import LeaseError

    aside.mkdir()
    (aside / "precious").write_text("data")

    with pytest.raises(LeaseError, match="is a folder"):
        imagined.acquire("x", "y")
    assert (lease_path / "precious").read_text() == "data"


def test_a_folder_aside_whose_name_was_taken_bars_nobody(imagined, put, records, lease_path, aside, names):
    put(records["ours"]())
    aside.mkdir()
    (aside / "precious").write_text("data")

    assert imagined.acquire("x", "y").status == "acquired-after-stale"
    kept = [name for name in names() if name.startswith(aside.name)]
    assert (lease_path.with_name(kept[0]) / "precious").read_text() == "data"


def a_folder(path):
    path.mkdir()
    (path / "precious").write_text("data")


def a_link(path):
    path.with_name("target").write_text("data")
    path.symlink_to(path.with_name("target"))


def a_fifo(path):
    os.mkfifo(path)


def a_strangers_record(path):
    path.write_text(json.dumps({"acquiredAt": "2026-01-01", "pid": os.getpid(), "expiresAt": "2999-01-01"}))


@pytest.mark.parametrize("put_there", [a_folder, a_link, a_fifo, a_strangers_record])
def test_whatever_takes_the_records_place_at_any_moment_is_never_lost(
    imagined, put, records, lease_path, syscalls, put_there
):
    from neo_core.errors import LeaseError

    def take_the_place():
        if lease_path.exists():
            lease_path.unlink()
        put_there(lease_path)
        seen.append(lease_path.lstat())

    with syscalls.Before(lease_path.parent, 10_000, lambda: None) as calls:
        put(records["ours"]())
        hold = imagined.acquire("x", "y").hold
    hold.release()
    outcomes = set()
    for at in range(calls.count):
        seen = []
        put(records["ours"]())
        with syscalls.Before(lease_path.parent, at, take_the_place):
            try:
                got = imagined.acquire("x", "y")
                outcomes.add(got.status)
            except LeaseError:
                outcomes.add("error")
        if seen:
            now = lease_path.lstat()
            assert (now.st_ino, now.st_mode) == (seen[0].st_ino, seen[0].st_mode), f"lost at call {at}"
            clear(lease_path)
    assert "held" in outcomes
    assert "error" in outcomes or put_there is a_strangers_record


def clear(path):
    if path.is_dir():
        (path / "precious").unlink()
        path.rmdir()
    else:
        path.unlink()


def test_a_leftover_that_cannot_be_looked_at_bars_everybody(imagined, lease_path, aside, monkeypatch):
    from neo_core.errors import LeaseError

    real = os.lstat

    def fail(path, **options):
        if str(path) == str(aside):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(path, **options)

    monkeypatch.setattr(os, "lstat", fail)
    with pytest.raises(LeaseError, match="input/output error"):
        imagined.acquire("x", "y")
    monkeypatch.undo()

    assert not lease_path.exists()
    assert imagined.acquire("x", "y").status == "acquired"


def test_an_unpublished_record_does_not_bar_a_renewal(imagined, lease_path, names):
    hold = imagined.acquire("x", "y").hold
    Path(f"{lease_path}.new").write_text('{"own')

    assert hold.renew() == "renewed"
    assert names() == [lease_path.name]
    assert hold.release() == "released"
