"""Arguments that do not fit, and a world without room, programs, folders or a terminal."""

from __future__ import annotations

import os
import shutil
import subprocess

from bad_case import FAILED, CannotTryError, Case, Place
from bad_configuration import SERVICE, toml

OURS = ("ledger.sqlite3",)
RUN = "neo-console run x"


def refused(name: str, command: str, *words: str, code: int = 2, arrange=lambda _: None) -> Case:
    return Case(f"argument-{name}", command, words, arrange, code, may_change=OURS)


def file_in_the_way(place: Place) -> None:
    (place.folder / "file").write_text("mine")


def target_not_empty(place: Place) -> None:
    (place.root / "target").mkdir()
    (place.root / "target" / "mine").write_text("mine")


ARGUMENT_CASES = (
    refused("no-such-command", "neo-console frobnicate", "No such command 'frobnicate'"),
    refused("no-such-option", "neo-console status --jsn", "No such option", "--jsn", "--json"),
    refused("missing-task", "neo-console run", "Missing argument 'TASK'"),
    refused("unknown-task-run", "neo-console run bakup", "task 'bakup'", "not known here", "Known: backup"),
    refused("unknown-task-why", "neo-console why nothing", "task 'nothing'", "not known here", "Known: backup"),
    refused("unknown-task-defer", "neo-console defer x --for 1h --because y", "task 'x'", "Known: backup"),
    refused("unknown-task-history", "neo-console history --task x", "task 'x'", "Known: backup"),
    refused("unknown-run-logs", "neo-console logs 123", "'123'", "no task, service or run here", "neo-console history"),
    refused("unknown-run-stop", "neo-console stop 123", "'123'", "is no task or run here", "neo-console history"),
    refused(
        "no-run-yet", "neo-console logs backup", "task 'backup'", "has no run yet", "neo-console run backup", code=1
    ),
    refused("stop-without-run", "neo-console stop backup", "task 'backup'", "has no run yet", code=1),
    refused("snooze-of-nothing", "neo-console defer backup --for 0 --because x", "has no length", "like 2h"),
    refused("snooze-of-nonsense", "neo-console defer backup --for later --because x", "--for", "'later'", "1h30m"),
    refused("pause-without-reason", "neo-console pause", "Missing option '--because'"),
    refused("unknown-outcome", "neo-console history --outcome great", "--outcome", "'great'", "completed"),
    refused("since-nonsense", "neo-console history --since then", "--since", "'then'", "2h"),
    refused("limit-nothing", "neo-console history --limit 0", "--limit", "0 is not in the range"),
    refused("not-utf8", "neo-console pause --because $(printf '\\377')", "'\\udcff'", "not UTF-8"),
    refused(
        "workspace-missing", "neo-console --workspace none status", "none", "does not exist", "--workspace", code=1
    ),
    refused("workspace-empty", "neo-console --workspace '' status", "--workspace", "is empty", code=1),
    refused("workspace-too-long", f"neo-lease --workspace {'w' * 300} inspect", "file name too long", code=1),
    refused("workspace-of-no-home", "neo-lease --workspace '~nobody-here' inspect", "home folder that is not", code=1),
    refused(
        "workspace-file",
        "neo-console --workspace ../file status",
        "is not a folder",
        "Name an existing folder",
        code=1,
        arrange=file_in_the_way,
    ),
    refused("search-nothing", "neo-console search '!!!'", "holds no letter and no digit"),
    refused("search-no-index", "neo-console search word", "kb-index", "neo-console run kbSync", code=1),
    refused("restore-no-bundle", "neo-console restore old --to new", "bundle old", "does not exist", code=1),
    refused(
        "restore-no-backup",
        "neo-console restore latest --to target",
        "no complete bundle",
        code=1,
        arrange=target_not_empty,
    ),
    refused(
        "unknown-log", "neo-console logs chroma", "'chroma'", "is no task, service or run here", "neo-console history"
    ),
    refused("no-service", "neo-console service start chroma", "service 'chroma'", "not known here", "[services.NAME]"),
    refused("unknown-service", "neo-console service stop z", "service 'z'", "Known: y.", arrange=toml(SERVICE)),
    refused(
        "service-without-orchestrator",
        "neo-console service restart y",
        "service y",
        "no orchestrator that would act",
        "neo-console orchestrator start",
        code=1,
        arrange=toml(SERVICE),
    ),
    refused(
        "orchestrator-not-running", "neo-console orchestrator stop", "is not running", "orchestrator start", code=3
    ),
    refused("two-formats", "neo-console status --json --format prometheus", "do not fit together"),
    refused("unknown-format", "neo-console status --format xml", "'xml' is not one of", "prometheus"),
    refused("lease-no-action", "neo-lease", "required: ACTION"),
    refused("lease-no-command", "neo-lease run --", "no command was given", "like: neo-lease run", code=125),
    refused("lease-bad-wait", "neo-lease run --wait long -- true", "--wait", "'long' is not a duration", code=125),
    refused("lease-short-ttl", "neo-lease run --ttl 5s -- true", "--ttl", "three renewals", "180s or more", code=125),
    refused("lease-bad-exit-code", "neo-lease run --held-exit-code 300 -- true", "'300'", "0 to 255"),
    refused(
        "lease-no-program", "neo-lease run -- no-such-program", "'no-such-program'", "not found", "Install", code=127
    ),
    refused("lease-no-executable", "neo-lease run -- ./notes.md", "permission denied", "Make it executable", code=126),
)


def task(extra: str, command: str = "true"):
    return toml(f"[tasks.x]\ncommand = ['{command}']\n{extra}")


def current_folder_gone(place: Place) -> None:
    place.cwd = place.root / "gone"
    place.cwd.mkdir()


def no_git(place: Place) -> None:
    subprocess.run(["git", "init", "-q", "-b", "dev"], cwd=place.root, check=True)
    place.environment["PATH"] = str(place.folder / "bin")


def not_executable(place: Place) -> None:
    task("", "./notes.md")(place)


def limited(size: int, *, with_ledger: bool = False):
    def arrange(place: Place) -> None:
        if with_ledger:
            from bad_state import ledger

            ledger(lambda _: None)(place)
        place.limit_file_size(size)

    return arrange


def small_disk(place: Place) -> None:
    """Put the state folder on a file system of its own that is full."""
    disk = place.folder / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        raise CannotTryError("only root may mount")
    command = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        raise CannotTryError("tmpfs cannot be mounted here")
    place.undo.append(lambda: subprocess.run(["umount", "-l", str(disk)], check=True))
    (disk / "state" / "runs").mkdir(parents=True)
    place.environment["NEO_AI_ORCHESTRATOR_DIR"] = str(disk / "state")
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    (disk / "state" / "ballast").write_bytes(b"x" * free)


GONE = "rmdir ../gone; "
FULL = ("no space left on device", "Mend it")
WORLD_CASES = (
    Case(
        "program-missing",
        RUN,
        ("x", "program 'no-such-program'", "not found", "Install it"),
        task("", "no-such-program"),
        1,
        FAILED,
    ),
    Case("program-not-executable", RUN, ("./notes.md", "permission denied", "Mend tasks"), not_executable, 1, FAILED),
    Case("program-is-a-folder", RUN, ("program '/'", "permission denied", "Mend tasks"), task("", "/"), 1, FAILED),
    Case("folder-of-task-missing", RUN, ("folder", "none", "does not exist", "cwd"), task("cwd = 'none'"), 1, FAILED),
    Case("folder-of-task-is-a-file", RUN, ("notes.md", "cwd"), task("cwd = 'notes.md'"), 1, FAILED),
    Case("task-fails", RUN, ("x", "exit code 1"), task("", "false"), 1, FAILED),
    Case(
        "git-missing",
        "neo-console run primary-dev-sync",
        ("primary-dev-sync", "git", "is not installed", "Install"),
        no_git,
        1,
        FAILED,
    ),
    Case(
        "cwd-gone",
        GONE + "neo-console status",
        ("current folder", "no longer exists", "Change into"),
        current_folder_gone,
        may_change=("gone",),
    ),
    Case(
        "cwd-gone-told",
        GONE + "neo-console --workspace . status",
        ("current folder", "no longer exists"),
        current_folder_gone,
        may_change=("gone",),
    ),
    Case(
        "cwd-gone-lease",
        GONE + "neo-lease run -- true",
        ("current folder", "no longer exists"),
        current_folder_gone,
        125,
        may_change=("gone",),
    ),
    Case("no-terminal", "neo-console", ("needs a terminal", "neo-console status")),
    Case("no-streams", "neo-console <&- >&-", ("needs a terminal", "neo-console status")),
    Case("output-full", "neo-console status > /dev/full", FULL),
    Case("output-full-lease", "neo-lease inspect > /dev/full", FULL),
    Case(
        "disk-limit-init",
        "neo-console init",
        ("neo-console.toml", "file too large", "Free space"),
        limited(10),
    ),
    Case("disk-limit-lease", "neo-lease run -- true", ("lease", "file too large", "Free space"), limited(0), 125),
    Case(
        "disk-limit-ledger",
        "neo-console pause --because x",
        ("ledger", "disk I/O error", "Look at its disk"),
        limited(4096),
    ),
    Case(
        "disk-limit-run",
        "neo-console run backup",
        ("ledger", "disk I/O error", "Look at its disk"),
        limited(4096, with_ledger=True),
    ),
    Case(
        "disk-full-lease", "neo-lease run -- true", ("lease", "no space left on device", "Free space"), small_disk, 125
    ),
    Case("disk-full-ledger", "neo-console pause --because x", ("ledger", "disk"), small_disk),
)
CASES = (*ARGUMENT_CASES, *WORLD_CASES)
