"""``neo-lease run``: the command's own exit code, the lease for exactly as long as anything of it works."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from neo_core.processes.source import system_source

TOKEN = "NEO_HEAVY_MAINTENANCE_LEASE_INHERITED_TOKEN"
WAITS = "echo working; while [ ! -e release ] && kill -0 $TESTED_BY; do sleep 0.02; done"
GENERATION = "NEO_HEAVY_MAINTENANCE_LEASE_GENERATION"


@pytest.mark.parametrize("code", [0, 1, 7, 125, 255])
def test_the_commands_exit_code_is_ours(lease, record, code):
    done = lease.run(f"exit {code}")
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")
    assert not record.exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
def test_a_command_ended_by_a_signal_is_128_and_its_number(lease, number):
    assert lease.run(f"kill -{int(number)} $$").returncode == 128 + number


def test_the_command_has_our_input_output_folder_and_environment(lease, root):
    done = lease.run("cat; pwd; echo $A; echo oops >&2", stdin=None, input="given\n", env={**os.environ, "A": "b"})
    assert done.stdout.splitlines() == ["given", str(root), "b"]
    assert done.stderr == "oops\n"


def test_the_record_says_who_and_why_and_is_gone_afterwards(lease, record):
    done = lease.run(f"cat {record}; echo; echo $PPID", "--owner", "backup", "--reason", "nightly", "--ttl", "1h")
    *text, parent = done.stdout.splitlines()
    told = json.loads("\n".join(text))
    assert list(told) == [
        "owner", "reason", "pid", "token", "acquiredAt", "staleAfterMs", "expiresAt", "metadata"
    ]  # fmt: skip
    assert (told["owner"], told["reason"], told["pid"], told["staleAfterMs"]) == (
        "backup",
        "nightly",
        int(parent),
        3_600_000,
    )
    assert told["metadata"]["source"] == "neo-lease"
    assert not record.exists()


def test_without_names_the_owner_is_the_command_and_the_reason_is_upstreams(lease):
    working = lease.working()
    seen = lease.inspect()
    assert (seen["lease"]["owner"], seen["lease"]["reason"]) == ("sh", "manual-cli")
    lease.release()
    assert working.wait(20) == 5


def test_held_prints_upstreams_two_lines_and_exits_0_without_starting_anything(lease, root):
    working = lease.working(WAITS, "--owner", "dream")
    acquired_at = lease.inspect()["lease"]["acquiredAt"]
    done = lease.run("touch started")
    assert done.returncode == 0
    assert done.stdout == (
        f"⏸️  Deferred: heavy-maintenance lease held by 'dream' "
        f"(reason='manual-cli', pid={working.pid}, acquiredAt={acquired_at}).\n"
        "   This script will not run while another heavy-maintenance task is active.\n"
    )
    assert done.stderr == ""
    assert not (root / "started").exists()


def test_held_exits_as_told(lease):
    lease.working()
    assert lease.run("true", "--held-exit-code", "75").returncode == 75


def test_held_shows_what_a_terminal_cannot_print(lease):
    lease.working()
    done = lease.run("true", env={**os.environ, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
    assert done.stdout.startswith("\\u23f8\\ufe0f  Deferred: heavy-maintenance lease held by")


def test_waiting_takes_the_lease_as_soon_as_it_is_free(lease):
    working = lease.working()
    waiting = lease.start("run", "--wait", "1m", "--", "echo", "mine")
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.wait(0.3)
    lease.release()
    assert waiting.communicate(timeout=20)[0] == "mine\n"
    assert working.wait(20) == 5


def test_waiting_ends_as_held_when_its_time_is_up(lease):
    lease.working()
    before = time.monotonic()
    done = lease.run("true", "--wait", "300ms", "--held-exit-code", "3")
    assert done.returncode == 3
    assert done.stdout.count("Deferred") == 1
    assert time.monotonic() - before >= 0.3


def test_an_interrupt_while_waiting_ends_quietly(lease, until):
    lease.working()
    waiting = lease.start("run", "--wait", "1m", "--", "true")
    until(lambda: sleeps(waiting.pid), what="the wait")
    waiting.send_signal(signal.SIGINT)
    assert waiting.communicate(timeout=20) == ("", "")
    assert waiting.returncode == 130


def sleeps(pid: int) -> bool:
    """Whether the program sleeps: while it loads itself it runs, or waits for the disk."""
    proc = Path("/proc", str(pid))
    return b"--wait" in (proc / "cmdline").read_bytes() and ") S " in (proc / "stat").read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_to_us_ends_the_command_and_releases_the_lease(lease, record, number):
    working = lease.working("ulimit -c 0; echo working; exec sleep 600")
    working.send_signal(number)
    assert working.wait(20) == 128 + number
    assert not record.exists()
    assert lease.run("exit 4").returncode == 4


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_command_may_finish_its_work_after_a_signal_under_the_lease(lease, record, number):
    working = lease.working(
        "trap 'echo stopping; while [ ! -e release ] && kill -0 $TESTED_BY; do sleep 0.02; done; exit 9' INT TERM;"
        " echo working;"
        " while kill -0 $TESTED_BY; do sleep 0.02; done"
    )
    working.send_signal(number)
    assert working.stdout.readline() == "stopping\n"
    assert lease.inspect()["holder"] == "alive"
    lease.release()
    assert working.wait(20) == 9
    assert not record.exists()


def test_a_signal_that_the_caller_ignores_is_ignored_for_the_command_too(lease):
    working = lease.working(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    working.send_signal(signal.SIGHUP)
    assert lease.inspect()["holder"] == "alive"
    lease.release()
    assert working.wait(20) == 5


LEAVES = "(while [ ! -e release ] && kill -0 $TESTED_BY; do sleep 0.02; done) & echo working; echo $!; exit 3"


def test_what_the_command_leaves_in_the_background_keeps_the_lease_until_it_ends(lease, record):
    working = lease.working(LEAVES)
    left = working.stdout.readline().strip()
    assert f"waiting for what it left behind (pid {left}" in working.stderr.readline()
    assert lease.inspect()["holder"] == "alive"
    assert lease.run("true", "--held-exit-code", "75").returncode == 75
    lease.release()
    assert working.wait(20) == 3
    assert not record.exists()


def test_a_signal_reaches_also_what_the_command_left_behind(lease, record):
    working = lease.working("sleep 600 & echo working; exit 3")
    assert "left behind" in working.stderr.readline()
    working.send_signal(signal.SIGTERM)
    assert working.wait(20) == 3
    assert not record.exists()


def one_sigterm_ends(working, lease, record):
    """Make sure that one signal ends the command and the process whose pid it writes next, and frees the lease."""
    pid = int(working.stdout.readline())
    lease.left_behind.append(pid)
    working.send_signal(signal.SIGTERM)
    assert working.wait(20) == 128 + signal.SIGTERM
    assert system_source().start_time(pid) is None
    assert not record.exists()


def test_one_sigterm_ends_also_what_the_command_waits_for_in_the_foreground(lease, record):
    working = lease.working("echo working; sh -c 'echo $$; exec sleep 600'; echo after")
    one_sigterm_ends(working, lease, record)
    assert working.stdout.read() == ""


def test_one_sigterm_reaches_what_left_the_tree_before_it_came(lease, record):
    working = lease.working("(setsid sleep 600 & echo working; echo $!); exec sleep 600")
    one_sigterm_ends(working, lease, record)


def test_inspect_shows_who_works_under_a_living_holder_and_what_ends_it(lease):
    working = lease.working("sleep 600 & echo working; echo $!; exit 3")
    left = working.stdout.readline().strip()
    told = working.stderr.readline()
    assert told.endswith(f"(pid {left}); to end that: kill {working.pid}\n")
    shown = lease("inspect").stdout
    assert f"working  pid {left} by " in shown
    assert f"to end   kill {working.pid}\n" in shown
    working.send_signal(signal.SIGTERM)
    assert working.wait(20) == 3


def test_after_kill_9_the_living_command_keeps_the_lease_and_its_end_frees_it_at_once(lease, until):
    working = lease.working("echo working; echo $$; while [ ! -e release ] && kill -0 $TESTED_BY; do sleep 0.02; done")
    child = int(working.stdout.readline())
    lease.left_behind.append(child)
    working.kill()
    working.wait()
    seen = lease.inspect()
    assert (seen["status"], seen["holder"], seen["takeable"]) == ("active", "orphaned", False)
    assert child in [carrier["pid"] for carrier in seen["carriers"]]
    held = lease.run("touch started", "--held-exit-code", "75")
    assert held.returncode == 75
    assert f"pid={working.pid}" in held.stdout
    reclaimed = lease("reclaim")
    assert reclaimed.returncode == 1
    assert "still work" in reclaimed.stderr
    lease.release()
    until(lambda: lease.inspect()["takeable"], what="the end of the orphan")
    assert lease.run("exit 6").returncode == 6
    assert not (lease.root / "started").exists()


def test_after_kill_9_of_everything_the_next_acquires_at_once_and_counts_on(lease):
    working = lease.working("echo working; exec sleep 600")
    first = lease.inspect()["lease"]["metadata"]["holder"]["generation"]
    os.killpg(working.pid, signal.SIGKILL)
    working.wait()
    done = lease.run(f"echo ${GENERATION}")
    assert (done.returncode, done.stdout) == (0, f"{first + 1}\n")


def test_a_nested_run_borrows_and_does_not_release(lease, record):
    nested = " ".join([*map(str, lease("inspect").args[:3]), "run", "--", "sh", "-c"])
    done = lease.run(f"echo ${TOKEN}; {nested} 'echo ${TOKEN}; exit 8'; echo $?; test -e {record} && echo kept")
    outer, inner, code, kept = done.stdout.splitlines()
    assert outer == inner != ""
    assert (code, kept) == ("8", "kept")
    assert not record.exists()


def test_a_token_that_is_not_the_active_leases_acquires_for_itself(lease, record):
    done = lease.run(f"echo ${TOKEN}", env={**os.environ, TOKEN: "11111111-2222-4333-8444-555555555555"})
    assert done.returncode == 0
    assert done.stdout.strip() not in ("", "11111111-2222-4333-8444-555555555555")
    assert not record.exists()


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (["no-such-program"], 127, "program 'no-such-program': was not found. Install it, or mend its name."),
        (["/"], 126, "program '/': permission denied. Make it executable."),
        (["./plain"], 126, "program './plain': permission denied. Make it executable."),
    ],
)
def test_a_command_that_cannot_be_started_is_said_and_leaves_no_lease(lease, record, root, command, code, words):
    (root / "plain").write_text("echo\n")
    done = lease("run", "--", *command)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(f"neo-lease: {words}")
    assert done.stderr.count("\n") == 1
    assert not record.exists()


def test_a_lease_that_cannot_be_read_starts_nothing_and_is_125(lease, record, root):
    record.mkdir(parents=True)
    done = lease.run("touch started")
    assert done.returncode == 125
    assert "is a folder, not a regular file" in done.stderr
    assert record.is_dir()
    assert not (root / "started").exists()


def test_a_release_that_fails_is_said_and_hides_no_exit_code(lease, record):
    done = lease.run(f"rm {record}.lock && mkdir {record}.lock && exit 7")
    assert done.returncode == 7
    assert "not released cleanly" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_closed_stdout_does_not_put_the_lock_under_the_commands_output(lease, workspace):
    script = 'exec "$@" >&- 2>&-'
    command = [*lease("inspect").args[:3], "run", "--", "sh", "-c", "echo noise; echo noise >&2; exit 3"]
    done = subprocess.run(["sh", "-c", script, "sh", *command], cwd=lease.root, check=False)
    assert done.returncode == 3
    assert b"noise" not in (workspace.lease.with_name(f"{workspace.lease.name}.hold")).read_bytes()


@pytest.mark.parametrize("command", [[], ["--"], ["--", ""]], ids=str)
def test_without_a_command_it_says_how_to_write_one(lease, record, command):
    done = lease("run", *command)
    assert done.returncode == 125
    assert done.stderr == (
        "neo-lease: run: no command was given. Write it behind --, like: neo-lease run -- make backup\n"
    )
    assert not record.parent.exists()
