"""``hold_lease`` in real scripts: signals, kills, children."""

import os
import signal
import subprocess
import sys

import pytest

from neo_core.lease.store import LeaseStore
from neo_core.lease.words import INHERITED_TOKEN

SCRIPT = """
import os, subprocess, sys, time
from neo_core import LeaseHeldError, hold_lease

@hold_lease("script", workspace=sys.argv[1])
def work():
    try:
        print("working", os.getpid(), flush=True)
        {body}
    finally:
        print("own finally", flush=True)

try:
    work()
except LeaseHeldError as held:
    print(held)
print("after", "NEO_HEAVY_MAINTENANCE_LEASE_INHERITED_TOKEN" in os.environ, flush=True)
"""
WAIT = "sys.stdin.read()"


@pytest.fixture
def script(place):
    """Start scripts; each must be told from outside how to end."""
    started = []

    def start(body=WAIT, **options):
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT.format(body=body), str(place.root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()


@pytest.fixture
def store(place):
    return LeaseStore(place.lease)


def test_a_script_works_releases_and_ends(script, store):
    process = script()
    assert process.stdout.readline() == f"working {process.pid}\n"
    assert store.inspect().lease.pid == process.pid

    process.stdin.close()

    assert process.stdout.read() == "own finally\nafter False\n"
    assert process.wait() == 0
    assert store.inspect().status == "missing"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, -signal.SIGINT)])
def test_a_signal_ends_the_body_then_releases(script, store, place, number, code):
    process = script()
    process.stdout.readline()

    process.send_signal(number)

    assert process.stdout.read() == "own finally\n"
    assert process.wait() == code
    assert store.inspect().status == "missing"
    assert sorted(path.name for path in place.state.iterdir() if path.is_file()) == [
        "heavy-maintenance-lease.json.hold",
        "heavy-maintenance-lease.json.lock",
    ]


def test_a_kill_frees_at_once(script, store):
    process = script()
    process.stdout.readline()

    process.kill()
    process.wait()

    got = store.acquire("next", "test")
    assert (got.status, got.hold.generation) == ("acquired-after-stale", 2)


def test_a_second_script_prints_the_refusal_and_exits_well(script):
    first = script()
    first.stdout.readline()
    second = script()

    told = second.stdout.read().splitlines()

    assert told[0].startswith(
        f"⏸️  Deferred: heavy-maintenance lease held by 'script' (reason='manual-cli', pid={first.pid}"
    )
    assert told[1:] == ["   This script will not run while another heavy-maintenance task is active.", "after False"]
    assert second.wait() == 0


NESTED = """print(subprocess.run([sys.executable, "-c", '''
import sys
from neo_core import hold_lease
with hold_lease("nested", workspace=sys.argv[1]) as held:
    print(held.status, held.lease.owner, held.generation)
''', sys.argv[1]], capture_output=True, text=True).stdout.strip(), flush=True)"""


def test_a_child_borrows_and_does_not_release(script, store):
    process = script(NESTED + "; sys.stdin.read()")
    process.stdout.readline()

    assert process.stdout.readline() == "inherited script 1\n"
    assert store.inspect().lease.pid == process.pid


def test_a_child_of_a_dead_parent_acquires_for_itself(script, store):
    first = script()
    first.stdout.readline()
    token = store.inspect().lease.token
    first.kill()
    first.wait()

    second = script(env={**os.environ, INHERITED_TOKEN: token})

    assert second.stdout.readline() == f"working {second.pid}\n"
    assert store.inspect().lease.pid == second.pid


def test_the_child_of_a_killed_script_keeps_the_lease(script, store, until):
    process = script("print(subprocess.Popen(['sleep', '120'], stdin=-3).pid, flush=True); sys.stdin.read()")
    process.stdout.readline()
    child = int(process.stdout.readline())
    process.kill()
    process.wait()

    refused = store.acquire("next", "test")
    os.kill(child, signal.SIGKILL)

    assert (refused.status, refused.before.holder) == ("held", "orphaned")
    until(lambda: store.inspect().status == "stale")
    assert store.acquire("next", "test").status == "acquired-after-stale"


FORK = """child = os.fork()
        if child == 0:
            sys.exit(7)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        sys.stdin.read()"""


def test_a_forked_child_that_leaves_the_block_releases_nothing(script, store):
    process = script(FORK)
    process.stdout.readline()

    assert process.stdout.readline() == "own finally\n"
    assert process.stdout.readline() == "7\n"
    assert store.inspect().lease.pid == process.pid
    assert store.acquire("next", "test").status == "held"

    process.stdin.close()
    assert process.wait() == 0
    assert store.inspect().status == "missing"


def test_an_interrupted_script_that_goes_on_can_hold_again(script, store):
    process = script("""

        try:
            print("ready", flush=True)
            sys.stdin.readline()
        except KeyboardInterrupt:
            print("went on", flush=True)
            sys.stdin.readline()
    """)
    process.stdout.readline()
    assert process.stdout.readline() == "ready\n"

    process.send_signal(signal.SIGINT)

    assert process.stdout.readline() == "went on\n"
    assert store.inspect().lease.pid == process.pid
    process.stdin.close()
    assert process.wait() == 0
    assert store.inspect().status == "missing"
