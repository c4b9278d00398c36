"""A lease file, a ledger or a state folder that is not what it should be; none of them is ever deleted."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

from bad_case import DEFERRED, FINDING, UNREADABLE, CannotTryError, Case, Place

from neo_core.clock import to_iso
from neo_core.ledger.models import Run, Trigger
from neo_core.ledger.store import Ledger

MOVE_IT = "make it a readable file, or move it away while nothing runs"
TRUE = "neo-lease run -- true"


def lease(make):
    def arrange(place: Place) -> None:
        place.state.mkdir()
        make(place.lease)

    return arrange


def record(**changes):
    def write(place: Place) -> None:
        place.state.mkdir()
        fields = {"owner": "sandman", "reason": "manual-cli", "pid": os.getpid(), "token": "t" * 36, **changes}
        place.lease.write_text(json.dumps({**fields, "acquiredAt": "2026-11-21T00:00:00.000Z"}))

    return write


def future(place: Place) -> None:
    record(expiresAt=to_iso(4e9))(place)


def half_written(place: Place) -> None:
    """As a foreign script leaves it for a moment; dated a little ahead, so that the moment outlasts a slow start."""
    place.state.mkdir()
    place.lease.write_text("")
    ahead = time.time() + 1.9
    os.utime(place.lease, (ahead, ahead))


def ledger(spoil):
    def arrange(place: Place) -> None:
        place.state.mkdir()
        with Ledger(place.ledger) as made:
            for number in range(40):
                run_id, at = f"run{number}", float(number)
                made.runs.insert(
                    Run(run_id=run_id, task="backup", heavy=True, trigger=Trigger.MANUAL, requested_at=at, last_at=at,
                        command="x" * 500, outcome="completed")
                )  # fmt: skip
        spoil(place)

    return arrange


def sql(statement: str):
    def arrange(place: Place) -> None:
        with closing(sqlite3.connect(place.ledger, isolation_level=None)) as connection:
            connection.execute(statement)

    return arrange


def garbage(place: Place) -> None:
    place.ledger.write_bytes(b"dear diary " * 2000)


def truncated(place: Place) -> None:
    os.truncate(place.ledger, place.ledger.stat().st_size // 2)


def flipped(place: Place) -> None:
    content = bytearray(place.ledger.read_bytes())
    for page in range(1, len(content) // 4096):
        content[page * 4096] ^= 0xFF
    place.ledger.write_bytes(content)


def foreign(place: Place) -> None:
    place.ledger.unlink()
    sql("CREATE TABLE photos (name)")(place)


def locked(place: Place) -> None:
    """By another process: reading the file here would drop a lock of this one."""
    script = (
        "import sqlite3, sys; connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute('BEGIN IMMEDIATE'); print('locked', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(place.ledger)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    place.undo.append(holder.communicate)
    if holder.stdout.readline() != b"locked\n":
        raise CannotTryError("the ledger could not be locked")


def folder(place: Place) -> None:
    place.ledger.unlink()
    place.ledger.mkdir()


def for_nobody(place: Place) -> None:
    place.chmod(place.ledger, 0)


def state_is_a_file(place: Place) -> None:
    place.state.write_text("mine")


def data_is_a_file(place: Place) -> None:
    place.data.rmdir()
    place.data.write_text("mine")


def logs_are_a_file(place: Place) -> None:
    place.state.mkdir()
    (place.state / "runs").write_text("mine")


def moved_to(text: str):
    def arrange(place: Place) -> None:
        place.environment["NEO_AI_ORCHESTRATOR_DIR"] = text.format(root=place.root)

    return arrange


def read_only_state(place: Place) -> None:
    place.state.mkdir()
    place.chmod(place.state, 0o500)


def shut_state(place: Place) -> None:
    ledger(lambda _: None)(place)
    place.chmod(place.state, 0)


def read_only_data(place: Place) -> None:
    place.chmod(place.data, 0o500)


def shut_data(place: Place) -> None:
    ledger(lambda _: None)(place)
    place.chmod(place.data, 0)


def shut_companion(place: Place) -> None:
    ledger(lambda _: None)(place)
    companion = place.state / "ledger.sqlite3-wal"
    companion.touch()
    place.chmod(companion, 0)


def shut_logs(place: Place) -> None:
    (place.state / "runs").mkdir(parents=True)
    place.chmod(place.state / "runs", 0o500)


def shut_backups(place: Place) -> None:
    (place.data / "backups").mkdir()
    place.chmod(place.data / "backups", 0o500)


def lock_is_a_folder(place: Place) -> None:
    (place.state / "orchestrator.lock").mkdir(parents=True)


DAMAGED = ("ledger.sqlite3", "is damaged", "Nothing was changed. Move it away")
LEASE_CASES = (
    Case("lease-folder", TRUE, ("lease.json", "is a folder", "move it away"), lease(lambda p: p.mkdir()), 125),
    Case("lease-link", TRUE, ("is a symbolic link", "move it away"), lease(lambda p: p.symlink_to("x")), 125),
    Case("lease-fifo", TRUE, ("is a FIFO", "move it away"), lease(os.mkfifo), 125),
    Case("lease-oversized", TRUE, ("70000 bytes", "at most 65536"), lease(lambda p: p.write_bytes(b" " * 70_000)), 125),
    Case(
        "lease-folder-run",
        "neo-console run backup",
        ("backup did not start", "is a folder", "heavy-maintenance-lease-acquire-error"),
        lease(lambda p: p.mkdir()),
        0,
        DEFERRED,
        ("ledger.sqlite3",),
    ),
    Case(
        "lease-folder-doctor",
        "neo-console doctor",
        ("is a folder", MOVE_IT[1:]),
        lease(lambda p: p.mkdir()),
        1,
        FINDING,
    ),
    Case("lease-folder-reclaim", "neo-lease reclaim", ("not reclaimed", "is a folder"), lease(lambda p: p.mkdir())),
    Case("lease-held-reclaim", "neo-lease reclaim", ("not reclaimed", "its holder is alive"), future),
    Case("lease-held", TRUE, ("held by 'sandman'", "reason='manual-cli'", "pid="), future, 0, "^⏸️  Deferred: "),
    Case(
        "lease-half-written",
        TRUE,
        ("an unnamed process", "somebody is writing the lease file right now"),
        half_written,
        0,
        "^⏸️  Deferred: ",
    ),
    Case(
        "hold-is-a-folder", TRUE, (".hold", "is a directory", "mode 0600"), lease(lambda p: os.mkdir(f"{p}.hold")), 125
    ),
    Case(
        "guard-is-a-folder", TRUE, (".lock", "is a directory", "remove it"), lease(lambda p: os.mkdir(f"{p}.lock")), 125
    ),
    Case("hold-is-a-fifo", TRUE, (".hold", "not a regular file"), lease(lambda p: os.mkfifo(f"{p}.hold")), 125),
)
STATUS = "neo-console status"
LEDGER_CASES = (
    Case("ledger-garbage", "neo-console history", DAMAGED, ledger(garbage)),
    Case("ledger-garbage-run", "neo-console run backup", DAMAGED, ledger(garbage)),
    Case("ledger-garbage-status", STATUS, DAMAGED, ledger(garbage), said=UNREADABLE),
    Case("ledger-garbage-doctor", "neo-console doctor", DAMAGED, ledger(garbage), said=FINDING),
    Case("ledger-truncated", "neo-console history", DAMAGED, ledger(truncated)),
    Case("ledger-flipped-page", "neo-console history", DAMAGED, ledger(flipped)),
    Case(
        "ledger-unknown-word",
        "neo-console history",
        (*DAMAGED, "a row is no Run", "'splendid'"),
        ledger(sql("UPDATE runs SET outcome = 'splendid' WHERE rowid = 5")),
    ),
    Case("ledger-of-another", "neo-console pause --because x", ("another program", "Move it away"), ledger(foreign)),
    Case(
        "ledger-newer",
        "neo-console history",
        ("newer neo-console (schema 99", "Upgrade neo-console"),
        ledger(sql("PRAGMA user_version = 99")),
    ),
    Case("ledger-locked", "neo-console pause --because x", ("locked by another process", "Try again"), ledger(locked)),
    Case("ledger-folder", "neo-console pause --because x", ("ledger.sqlite3", "is a directory"), ledger(folder)),
    Case("ledger-for-nobody", "neo-console history", ("ledger.sqlite3", "permission denied"), ledger(for_nobody)),
)
VARIABLE = "NEO_AI_ORCHESTRATOR_DIR"
STATE_CASES = (
    Case("state-is-a-file", "neo-console run backup", ("state folder", "is a file", "Move", VARIABLE), state_is_a_file),
    Case(
        "state-is-a-file-doctor",
        "neo-console doctor",
        ("state folder", "is not a folder", VARIABLE),
        state_is_a_file,
        1,
        FINDING + "state folder",
    ),
    Case("data-is-a-file", "neo-console run backup", (".neo-ai-data is a file", "Move", VARIABLE), data_is_a_file),
    Case("data-is-a-file-lease", TRUE, (".neo-ai-data is a file", "Move", VARIABLE), data_is_a_file, 125),
    Case("logs-are-a-file", "neo-console run backup", ("runs is a file", "Move", VARIABLE), logs_are_a_file),
    Case("state-moved-to-file", TRUE, ("notes.md is a file", "Move", VARIABLE), moved_to("{root}/notes.md"), 125),
    Case(
        "state-of-no-home",
        "neo-console status",
        (VARIABLE, "home folder that is not known"),
        moved_to("~nobody-here/x"),
    ),
    Case("state-read-only", "neo-console run backup", ("state folder", "permission denied"), read_only_state),
    Case("state-read-only-lease", TRUE, ("state folder", "permission denied"), read_only_state, 125),
    Case("state-shut", "neo-console pause --because x", ("state folder", "permission denied", VARIABLE), shut_state),
    Case("state-shut-lease", TRUE, ("state folder", "permission denied", VARIABLE), shut_state, 125),
    Case("data-shut-status", STATUS, ("ledger.sqlite3", "permission denied"), shut_data, said=UNREADABLE + "/.*ledger"),
    Case(
        "data-shut-doctor",
        "neo-console doctor",
        ("cannot be made", ".neo-ai-data is not writable for you", VARIABLE),
        shut_data,
        1,
        FINDING + "state folder",
    ),
    Case(
        "ledger-companion-doctor",
        "neo-console doctor",
        ("ledger.sqlite3-wal", "not readable and writable", "chmod u+rw"),
        shut_companion,
        1,
        FINDING + ".*-wal",
    ),
    Case(
        "logs-shut-doctor",
        "neo-console doctor",
        ("runs", "not writable for you", "chmod u+rwx"),
        shut_logs,
        1,
        FINDING + "folder",
    ),
    Case(
        "backups-shut-doctor",
        "neo-console doctor",
        ("backup folder", "not writable for you", "jobs.backup.folder"),
        shut_backups,
        1,
        FINDING + "backup folder",
    ),
    Case("lock-of-orchestrator", "neo-console orchestrator start", ("orchestrator.lock",), lock_is_a_folder),
    Case(
        "lock-of-orchestrator-doctor",
        "neo-console doctor",
        ("orchestrator.lock", "is a directory", "Make it a file"),
        lock_is_a_folder,
        1,
        FINDING + "lock",
    ),
    Case(
        "data-read-only",
        "neo-console defer backup --for 1h --because x",
        ("cannot be created", "permission denied", VARIABLE),
        read_only_data,
    ),
)
CASES = (*LEASE_CASES, *LEDGER_CASES, *STATE_CASES)
