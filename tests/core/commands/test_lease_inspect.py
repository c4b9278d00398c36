"""``neo-lease inspect`` and ``reclaim``: say what is, change nothing that lives."""

from __future__ import annotations

import json
import os
import subprocess
import time

import pytest

from neo_core.clock import to_iso

DEAD = 2**22 + 17  # above the largest pid that Linux gives


def write(record, **changes) -> bytes:
    now = time.time()
    fields = {
        "owner": "dream",
        "reason": "scheduled",
        "pid": os.getpid(),
        "token": "11111111-2222-4333-8444-555555555555",
        "acquiredAt": to_iso(now),
        "staleAfterMs": 21_600_000,
        "expiresAt": to_iso(now + 21_600),
        "metadata": {},
        **changes,
    }
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps(fields))
    return record.read_bytes()


def test_nobody_holds_it(lease, record):
    seen = lease.inspect()
    assert (seen["status"], seen["takeable"], seen["lease"], seen["path"]) == ("missing", True, None, str(record))
    assert lease("inspect").stdout == f"status   missing\nfile     {record}\n"
    assert not record.parent.exists()


def test_a_living_holder_is_shown_with_the_first_part_of_its_token_only(lease, record):
    write(record)
    seen = lease.inspect()
    assert (seen["status"], seen["holder"], seen["takeable"], seen["expired"]) == ("active", "alive", False, False)
    assert seen["lease"]["token"] == "11111111"
    assert (seen["lease"]["owner"], seen["lease"]["pid"]) == ("dream", os.getpid())
    text = lease("inspect").stdout
    assert "owner    dream" in text
    assert "why      its holder is alive" in text
    assert "11111111-2222" not in text


def test_the_schema_of_json_is_the_documented_one(lease):
    assert list(lease.inspect()) == [
        "status", "takeable", "holder", "expired", "busy", "lease", "carriers",
        "unreadableEnvironments", "error", "path",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "status", "code"),
    [
        (lambda path: path.write_text("{}"), "malformed", 0),
        (lambda path: path.mkdir(), "unreadable", 1),
        (lambda path: path.symlink_to("x"), "unreadable", 1),
        (os.mkfifo, "unreadable", 1),
        (lambda path: path.write_bytes(b" " * 70_000), "unreadable", 1),
    ],
    ids=["malformed", "folder", "link", "fifo", "oversized"],
)
def test_what_is_no_lease_is_told_apart_and_stays(lease, record, make, status, code):
    record.parent.mkdir(parents=True)
    make(record)
    before = os.lstat(record)
    done = lease("inspect", "--json")
    assert (json.loads(done.stdout)["status"], done.returncode) == (status, code)
    assert lease("inspect").stdout.startswith(f"status   {status}")
    assert os.path.samestat(os.lstat(record), before)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path.write_text("{"), ["the lease file is not a lease; the next start replaces it", "neo-lease"]),
        (lambda path: path.mkdir(), ["the lease file cannot be read: is a folder", "make it a readable file"]),
        (lambda path: write(path, pid=DEAD), ["its holder is gone; the next start takes the lease over", "neo-lease"]),
    ],
    ids=["malformed", "unreadable", "stale"],
)
def test_what_nobody_holds_and_nobody_can_has_a_cause_and_a_mend(lease, record, make, said):
    record.parent.mkdir(parents=True)
    make(record)
    os.utime(record, (1, 1))
    lines = dict(line.split(maxsplit=1) for line in lease("inspect").stdout.splitlines())
    assert lines["why"].startswith(said[0])
    assert lines["mend"].startswith(said[1])


def test_a_hostile_record_reaches_the_terminal_harmless_and_json_whole(lease, record):
    write(record, owner="\x1b[31mred\nlines", reason="\ud800", acquiredAt="2026-11-21T00:00:00Z\x1b]0;x\x07", pid=-1)
    text = lease("inspect")
    assert (text.returncode, "\x1b" in text.stdout, "\x07" in text.stdout) == (0, False, False)
    assert "pid      unknown" in text.stdout
    assert lease("inspect", "--json").returncode == 0
    assert lease.inspect()["lease"]["reason"] == "\ud800"


@pytest.mark.parametrize("what", ["living", "unreadable"])
def test_reclaim_never_removes_what_lives_or_cannot_be_read(lease, record, what):
    before = write(record)
    if what == "unreadable":
        before = b" " * 70_000
        record.write_bytes(before)
    done = lease("reclaim")
    assert done.returncode == 1
    assert done.stderr.startswith("neo-lease: not reclaimed: ")
    assert record.read_bytes() == before


def test_reclaim_removes_a_dead_holders_record_and_says_whose(lease, record):
    write(record, pid=DEAD)
    done = lease("reclaim")
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout == f"Reclaimed: the stale record of dream (pid {DEAD}) is removed.\n"
    assert not record.exists()


def test_reclaim_removes_what_is_malformed_and_old(lease, record):
    write(record)
    record.write_text("{")
    os.utime(record, (1, 1))
    assert lease("reclaim").stdout == "Reclaimed: the malformed record is removed.\n"
    assert not record.exists()


def test_nothing_to_reclaim_makes_nothing(lease, record):
    done = lease("reclaim")
    assert (done.returncode, done.stdout) == (0, "Nothing to reclaim: nobody holds the lease.\n")
    assert not record.parent.exists()


def test_reclaim_leaves_a_working_run_alone(lease):
    working = lease.working()
    assert lease("reclaim").returncode == 1
    assert lease.inspect()["holder"] == "alive"
    lease.release()
    assert working.wait(20) == 5


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["inspect", "--help"], ["reclaim", "--help"]])
def test_help_fits_a_screen_and_names_the_exit_codes(lease, arguments):
    done = lease(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 120
    if arguments[0] in ("--help", "run"):
        assert "125" in done.stdout


def test_a_reader_that_leaves_early_is_no_error(lease):
    command = " ".join([*lease("inspect").args[:3], "inspect"])
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} | true"],
        cwd=lease.root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_workspace_is_told_in_front_of_the_action(lease, record, tmp_path):
    write(record)
    done = lease("--workspace", str(lease.root), "inspect", "--json", cwd=tmp_path)
    assert json.loads(done.stdout)["status"] == "active"


def test_the_variable_moves_the_lease(lease, tmp_path):
    done = lease("inspect", "--json", env={**os.environ, "NEO_AI_ORCHESTRATOR_DIR": str(tmp_path / "moved")})
    assert json.loads(done.stdout)["path"] == str(tmp_path / "moved" / "heavy-maintenance-lease.json")
