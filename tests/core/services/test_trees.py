"""Who belongs to a service, and that nobody of it outlives its end."""

from __future__ import annotations

import signal
import sys
import time

import pytest

from neo_core.processes.source import identity_of, system_source
from neo_core.runs.spawn import ORCHESTRATOR_MODULE, RUNNER_MODULE
from neo_core.services.environment import fingerprint, new_instance, started_as
from neo_core.services.stop import Stopping
from neo_core.services.tree import ServiceTree

from .conftest import alive

# A child in a session of its own, without environment, deaf to SIGTERM: invisible once its parent has ended.
HIDES = """
import os, signal, sys, time
CHILD = "import os, signal, time; signal.signal(15, signal.SIG_IGN);"
CHILD += "open('hidden', 'w').write(str(os.getpid())); time.sleep(600)"
if os.fork() == 0:
    os.setsid()
    os.execve(sys.executable, [sys.executable, "-S", "-c", CHILD], {})
time.sleep(600)
"""

STARTS = """
import os, subprocess, sys, time
environment = {name: value for name, value in os.environ.items() if name != "NEO_CONSOLE_SERVICE_ID"}
command = [sys.executable, "-S", "-c", "import time; time.sleep(600)", sys.argv[1]]
run = subprocess.Popen(command, env=environment, start_new_session=True)
with open("run.part", "w") as file:
    file.write(str(run.pid))
os.rename("run.part", "run")
time.sleep(600)
"""


def test_a_descendant_that_hides_is_ended_too(keep, define, root, until, kill_later):
    driver = keep(define(command=(sys.executable, "-S", "-c", HIDES), stop_grace=0.5))
    driver.until_state("web", "running")
    hidden = int(until(lambda: (root / "hidden").exists() and (root / "hidden").read_text()))
    kill_later(hidden)

    driver.command("service-stop", "web")
    driver.until_state("web", "stopped")

    assert not alive(hidden)


@pytest.mark.parametrize("module", [RUNNER_MODULE, ORCHESTRATOR_MODULE])
def test_a_run_or_an_orchestrator_that_a_service_asked_for_outlives_it(keep, define, root, until, kill_later, module):
    driver = keep(define(command=(sys.executable, "-S", "-c", STARTS, module)))
    driver.until_state("web", "running")
    run = int(until(lambda: (root / "run").exists() and (root / "run").read_text()))
    kill_later(run)

    driver.command("service-stop", "web")
    record = driver.until_state("web", "stopped")

    assert alive(run)
    assert record.pid is None


def test_the_pid_of_an_ended_root_may_be_a_strangers(stranger):
    process = stranger(("sh", "-c", "echo; exec sleep 600"))
    known = identity_of(process.pid, system_source())
    earlier = known._replace(start_time=known.start_time - 7)

    assert ServiceTree(earlier, "NEO_CONSOLE_SERVICE_ID=none", system_source()).members() == []
    assert ServiceTree(known, "NEO_CONSOLE_SERVICE_ID=none", system_source()).members() == [known]


def test_stopping_asks_once_and_kills_after_the_grace(stranger):
    process = stranger(
        (sys.executable, "-S", "-c", "import signal, time; signal.signal(15, 1); print(1, flush=True); time.sleep(600)")
    )
    tree = ServiceTree(identity_of(process.pid, system_source()), "NEO_CONSOLE_SERVICE_ID=none", system_source())
    stopping = Stopping(tree, signal.SIGTERM, 10.0, 0.0)

    assert not stopping.look(0.0)
    assert not stopping.look(stopping.next_look)
    time.sleep(0.05)
    assert process.poll() is None
    assert not stopping.killed
    assert not stopping.look(10.0)
    assert stopping.killed
    process.wait()
    assert stopping.look(stopping.next_look)
    assert process.returncode == -signal.SIGKILL


def test_who_survives_kill_is_stuck():
    class Immortal:
        def members(self):
            return [1]

        def signal(self, number, members):
            return 1

    stopping = Stopping(Immortal(), signal.SIGTERM, 0.0, 0.0)
    assert not stopping.look(1.0)
    assert not stopping.stuck
    assert not stopping.look(5.0)
    assert stopping.stuck


@pytest.mark.parametrize(
    "change", [{"command": ("x",)}, {"env": {"A": "1"}}, {"port": 1}, {"cwd": "/"}, {"host": "::1"}], ids=str
)
def test_an_instance_tells_what_it_was_started_as(define, change):
    service, other = (
        define(),
        define(**{"command": ("sleep", "600"), **{k: v for k, v in change.items() if k != "cwd"}}),
    )
    if "cwd" in change:
        other = type(other)(name=other.name, command=other.command, cwd="/")
    instance = new_instance(service)

    assert started_as(service, instance)
    assert not started_as(other, instance)
    assert fingerprint(service) == fingerprint(define(probe_every=99.0, title="other", log_max=1))
    assert started_as(other, "an older form")
    assert instance != new_instance(service)
