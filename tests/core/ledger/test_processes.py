"""The ledger between real processes: claims, readers beside writers, kills, limits and permissions."""

from __future__ import annotations

import os
import resource
import signal

import pytest

from neo_core.errors import LedgerError
from neo_core.ledger.store import Ledger

PREAMBLE = """
import sys, time
from pathlib import Path
from neo_core.errors import LedgerError
from neo_core.ledger.models import Outcome, Run, Trigger
from neo_core.ledger.store import Ledger
from neo_core.processes.source import ProcessIdentity
path = Path(sys.argv[1])
def run(name, **more):
    return Run(run_id=name, task="kbSync", heavy=True, trigger=Trigger.MANUAL, requested_at=1.0, last_at=1.0, **more)
def wait_for(file):
    while not (path.parent / file).exists():
        time.sleep(0.001)
"""
CLAIM = (
    PREAMBLE
    + """
print("ready", flush=True)
wait_for("go")
with Ledger(path, busy=30) as ledger:
    print(ledger.runs.claim(sys.argv[2], ProcessIdentity(int(sys.argv[3]), 1, "boot")), flush=True)
"""
)
CREATE = (
    PREAMBLE
    + """
print("ready", flush=True)
wait_for("go")
with Ledger(path, busy=30) as ledger:
    ledger.runs.insert(run(sys.argv[2]))
"""
)
WRITE = (
    PREAMBLE
    + """
with Ledger(path, busy=30) as ledger:
    for number in range(int(sys.argv[3])):
        with ledger.database.transaction():
            ledger.runs.insert(run(f"{sys.argv[2]}-{number}-a", command="x" * 2000))
            ledger.runs.insert(run(f"{sys.argv[2]}-{number}-b", command="x" * 2000))
        print(number, flush=True)
"""
)
READ = (
    PREAMBLE
    + """
seen = -1
while not (path.parent / "stop").exists():
    with Ledger(path, writable=False) as ledger:
        count = ledger.database.query("SELECT count(*) AS n FROM runs")[0]["n"]
        assert count >= seen and count % 2 == 0, (seen, count)
        assert ledger.runs.latest("kbSync") is not None or count == 0
        if seen < 0: print("reading", flush=True)
        seen = count
"""
)
LIMITED = (
    PREAMBLE
    + """
with Ledger(path) as ledger:
    try:
        for number in range(1000):
            ledger.runs.insert(run(f"big-{number}", command="x" * 20000))
            print(number, flush=True)
    except LedgerError as error:
        print(error, flush=True)
"""
)
TRY = (
    PREAMBLE
    + """
for writable in (False, True):
    try:
        with Ledger(path, writable=writable) as ledger:
            print("rows", len(ledger.runs.history()))
    except LedgerError as error:
        print(error)
"""
)


@pytest.mark.parametrize("same_run", [True, False], ids=["of one run", "of one task"])
def test_a_claim_is_exclusive_among_many_processes(path, program, make_run, same_run):
    with Ledger(path) as ledger:
        runs = [make_run() for _ in range(8)]
        for run in runs:
            ledger.runs.insert(run)
    started = [
        program(CLAIM, path, runs[0 if same_run else number].run_id, 1000 + number) for number in range(len(runs))
    ]
    assert {process.stdout.readline() for process in started} == {"ready\n"}
    (path.parent / "go").touch()
    told = [process.communicate()[0].strip() for process in started]
    assert sorted(told) == ["False"] * 7 + ["True"]
    with Ledger(path, writable=False) as ledger:
        claimed = [run for run in ledger.runs.history() if run.runner_pid]
    assert [run.runner_pid for run in claimed] == [1000 + told.index("True")]


def test_many_processes_may_make_the_same_new_ledger(path, program):
    started = [program(CREATE, path, f"first{number}") for number in range(8)]
    assert {process.stdout.readline() for process in started} == {"ready\n"}
    (path.parent / "go").touch()
    assert [process.communicate()[0] for process in started] == [""] * 8
    with Ledger(path, writable=False) as ledger:
        assert len(ledger.runs.history()) == 8
        assert ledger.database.check() == "ok"


def test_readers_beside_writers_see_whole_transactions_and_never_an_error(path, program):
    with Ledger(path):
        pass
    readers = [program(READ, path) for _ in range(4)]
    assert {process.stdout.readline() for process in readers} == {"reading\n"}
    writers = [program(WRITE, path, name, 40) for name in "pq"]
    assert all(process.communicate()[0].split() == [str(number) for number in range(40)] for process in writers)
    (path.parent / "stop").touch()
    assert [(process.communicate()[0], process.returncode) for process in readers] == [("", 0)] * 4
    with Ledger(path, writable=False) as ledger:
        assert len(ledger.runs.history()) == 160


@pytest.mark.parametrize("after", [1, 7, 25])
def test_killing_a_writer_loses_nothing_that_was_committed(path, program, after):
    writer = program(WRITE, path, "w", 100_000)
    for _ in range(after):
        acknowledged = int(writer.stdout.readline())
    os.kill(writer.pid, signal.SIGKILL)
    acknowledged = int((writer.communicate()[0].split("\n")[:-1] or [acknowledged])[-1])
    with Ledger(path) as ledger:
        ids = {run.run_id for run in ledger.runs.history(limit=1_000_000)}
        assert ledger.database.check() == "ok"
    assert ids >= {f"w-{number}-{part}" for number in range(acknowledged + 1) for part in "ab"}
    assert len(ids) % 2 == 0


def test_a_limit_on_file_sizes_is_an_error_that_names_the_disk_and_loses_nothing(path, program, make_run):
    with Ledger(path) as ledger:
        ledger.runs.insert(make_run(run_id="before"))
    limit = 256 * 1024
    process = program(LIMITED, path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    *written, said = process.communicate()[0].splitlines()
    assert f"ledger {path}: cannot be read or written" in said
    assert "Look at its disk" in said
    with Ledger(path) as ledger:
        ids = {run.run_id for run in ledger.runs.history()}
        assert ledger.database.check() == "ok"
    assert ids == {"before", *(f"big-{number}" for number in written)}


@pytest.mark.parametrize(
    ("mode_of_folder", "mode_of_file", "reading", "writing"),
    [
        (0o500, 0o600, "rows 3", "cannot be opened"),
        (0o700, 0o400, "rows 3", "cannot be opened: permission denied"),
        (0o700, 0o000, "cannot be opened", "cannot be opened: permission denied"),
        (0o000, 0o600, "cannot be opened: permission denied", "cannot be opened: permission denied"),
    ],
    ids=["folder for reading only", "file for reading only", "file for nobody", "folder for nobody"],
)
def test_permissions_are_said_and_what_can_be_read_is_read(
    tmp_path, program, make_run, no_root_passes, mode_of_folder, mode_of_file, reading, writing
):
    path = tmp_path / "state" / "ledger.sqlite3"
    path.parent.mkdir()
    with Ledger(path) as ledger:
        for _ in range(3):
            ledger.runs.insert(make_run())
    before = path.read_bytes()
    path.chmod(mode_of_file)
    path.parent.chmod(mode_of_folder)
    try:
        told = program(TRY, path, preexec_fn=no_root_passes).communicate()[0].splitlines()
    finally:
        path.parent.chmod(0o700)
        path.chmod(0o600)
    assert len(told) == 2
    assert reading in told[0]
    assert writing in told[1]
    assert path.read_bytes() == before


def test_a_ledger_for_reading_only_is_read_beside_its_living_writer(tmp_path, program, make_run, no_root_passes):
    path = tmp_path / "state" / "ledger.sqlite3"
    path.parent.mkdir()
    with Ledger(path) as ledger:
        ledger.runs.insert(make_run())
        path.parent.chmod(0o500)
        try:
            told = program(TRY, path, preexec_fn=no_root_passes).communicate()[0].splitlines()
        finally:
            path.parent.chmod(0o700)
    assert told[0] == "rows 1"


def test_an_error_names_the_ledger_its_cause_and_the_mend(path):
    path.write_text("x" * 5000)
    with pytest.raises(LedgerError) as caught:
        Ledger(path)
    assert (caught.value.thing, caught.value.exit_code) == (f"ledger {path}", 1)
    assert caught.value.mend.startswith("Nothing was changed. Move it away")


IS_LOCKED = """
import fcntl, os, sys
descriptor = os.open(sys.argv[1], os.O_RDWR)
try:
    fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 510, 0x40000002)
    print("free")
except OSError:
    print("locked")
"""


def test_opening_the_ledger_again_drops_no_lock_of_this_process(path, program):
    # Closing any descriptor of a file drops all locks that the process has on it; another process could then take
    # SQLite's write-ahead log away from under the connection that is still open.
    with Ledger(path):
        assert program(IS_LOCKED, path).communicate()[0] == "locked\n"
        for writable in (True, False):
            with Ledger(path, writable=writable):
                pass
        assert program(IS_LOCKED, path).communicate()[0] == "locked\n"
    assert program(IS_LOCKED, path).communicate()[0] == "free\n"
