"""The orchestrator and the services by command: real processes, refusals with the way out, health in ``status``."""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from datetime import datetime

import pytest

from neo_core.incumbent import read_incumbent
from neo_core.processes.source import system_source
from neo_core.services.logs import service_log

SERVICES = f"""
[orchestrator]
poll_every = "200ms"
on_stop = "stop"
retry_after = "1s"

[services.ticker]
command = ["{sys.executable}", "-u", "-c", "import time\\nprint('begun', flush=True)\\nwhile 1: time.sleep(1)"]
stop_grace = "2s"
"""


@pytest.fixture
def keeping(console, root, workspace):
    """A workspace with a service; whoever looks after it is stopped at the end."""
    with (root / "neo-console.toml").open("a") as file:
        file.write(SERVICES)
    for name in ("backup", "kbSync", "primary-dev-sync"):
        with (root / "neo-console.toml").open("a") as file:
            file.write(f"[tasks.{name}]\nevery = 0\n")
    yield console
    kept = console.services()
    incumbent = read_incumbent(workspace, system_source())
    if incumbent is not None and incumbent.alive:
        console("orchestrator", "stop")
    for pid in (one.pid for one in kept.values() if one.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def service(console) -> dict:
    return console.json("services")[0]


def stands(console, state, *, not_as=None) -> bool:
    """Whether the service is in that state, in another process than ``not_as``."""
    record = console.services().get("ticker")
    return record is not None and record.state == state and (not_as is None or record.pid != not_as)


def test_without_an_orchestrator_status_says_so_and_what_to_do(keeping):
    done = keeping("status", "--check")
    first, *causes = done.stdout.splitlines()[:3]
    assert (done.returncode, first) == (1, "health        ◐ DEGRADED")
    assert "[orchestrator-not-running]" in causes[0]
    assert causes[0].endswith("→ neo-console orchestrator start")
    assert "[service-not-kept] ticker" in causes[1]
    told = json.loads(keeping("orchestrator", "status", "--json").stdout)
    assert (told["state"], told["pid"]) == ("stopped", None)
    assert keeping("orchestrator", "status").returncode == 3


def test_services_as_text_and_json(keeping):
    head, row = keeping("services").stdout.splitlines()
    assert head.split() == ["SERVICE", "STATE", "SINCE", "PID", "ENDPOINT", "RESTARTS", "WHY"]
    assert row.startswith("ticker ")
    told = service(keeping)
    assert (told["name"], told["state"], told["wanted"], told["kept"]) == ("ticker", "stopped", True, False)


def test_a_workspace_without_services_says_how_to_have_one(console):
    assert "add a section [services.NAME]" in console("services").stdout
    assert console.json("services") == []


def test_the_orchestrator_starts_detached_keeps_the_service_and_stops(keeping, until):
    started = keeping("orchestrator", "start")
    assert (started.returncode, started.stderr) == (0, "")
    assert started.stdout.startswith("The orchestrator runs (pid ")
    until(lambda: stands(keeping, "running"), what="the service")
    told = keeping.json("status")
    assert told["health"] == {"status": "healthy", "causes": []}
    assert told["orchestrator"]["value"]["state"] == "running"
    assert datetime.fromisoformat(told["orchestrator"]["value"]["lastPollAt"])
    kinds = {tree["kind"]: tree for tree in told["processes"]["value"]}
    assert kinds["service"]["owner"] == "ticker"
    pids = [process["pid"] for process in kinds["orchestrator"]["processes"]]
    assert told["orchestrator"]["value"]["pid"] in pids
    assert service(keeping)["pid"] not in pids
    assert keeping("status", "--check").returncode == 0
    assert "orchestrator  ● RUNNING · pid " in keeping("status").stdout
    assert 'neo_console_service_up{service="ticker"} 1\n' in keeping("status", "--format", "prometheus").stdout
    assert keeping("orchestrator", "status").returncode == 0
    assert "ticker" in keeping("logs", "orchestrator").stdout
    assert keeping("logs", "ticker").stdout.count("begun") == 1

    again = keeping("orchestrator", "start")
    assert (again.returncode, again.stdout) == (3, "")
    assert f"pid {told['orchestrator']['value']['pid']}" in again.stderr

    pid = service(keeping)["pid"]
    stopped = keeping("orchestrator", "stop", "--because", "done")
    assert (stopped.returncode, stopped.stdout) == (0, "The orchestrator has ended.\n")
    until(lambda: not os.path.exists(f"/proc/{pid}"), what="the end of the service")
    assert keeping("orchestrator", "status").returncode == 3


def test_a_service_is_stopped_started_and_restarted_by_command(keeping, until):
    assert keeping("orchestrator", "start").returncode == 0
    until(lambda: stands(keeping, "running"), what="the service")
    first = service(keeping)["pid"]
    done = keeping("service", "restart", "ticker", "--because", "new model")
    assert (done.returncode, done.stderr) == (0, "")
    assert "ticker" in done.stdout
    until(lambda: stands(keeping, "running", not_as=first), what="the restart")
    assert keeping("service", "stop", "ticker").returncode == 0
    until(lambda: stands(keeping, "stopped"), what="the stop")
    assert service(keeping)["wanted"] is False
    assert keeping.json("status")["health"]["causes"] == []
    told = json.loads(keeping("service", "start", "ticker", "--no-wait", "--json").stdout)
    assert (told["kind"], told["target"], told["taken"]) == ("service-start", "ticker", False)
    until(lambda: stands(keeping, "running"), what="the start")


def test_a_killed_orchestrator_is_unhealthy_until_the_next_one(keeping, until):
    assert keeping("orchestrator", "start").returncode == 0
    until(lambda: stands(keeping, "running"), what="the service")
    view = keeping.json("orchestrator", "status")
    os.kill(view["pid"], signal.SIGKILL)
    until(lambda: not os.path.exists(f"/proc/{view['pid']}") or keeping("orchestrator", "status").returncode == 3)
    told = keeping.json("status")
    assert told["health"]["status"] == "unhealthy"
    assert {cause["code"] for cause in told["health"]["causes"]} == {"orchestrator-killed", "service-not-kept"}
    assert keeping("status", "--check").returncode == 3
    refused = keeping("service", "restart", "ticker")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "neo-console orchestrator start" in refused.stderr
    pid = service(keeping)["pid"]
    assert keeping("orchestrator", "start").returncode == 0
    until(lambda: keeping.json("status")["health"]["status"] == "healthy", what="the adoption")
    assert service(keeping)["pid"] == pid


def test_without_an_orchestrator_a_service_is_stopped_from_here_and_stays_so(keeping, until, workspace):
    assert keeping("orchestrator", "start").returncode == 0
    until(lambda: stands(keeping, "running"), what="the service")
    pid, orchestrator = service(keeping)["pid"], read_incumbent(workspace, system_source()).pid
    os.kill(orchestrator, signal.SIGKILL)
    until(lambda: not read_incumbent(workspace, system_source()).alive, what="the end of the orchestrator")
    stopped = keeping("service", "stop", "ticker", "--because", "it leaks")
    assert (stopped.returncode, stopped.stderr) == (0, "")
    assert "stopped by " in stopped.stdout
    assert "(it leaks); nobody looks after it: the orchestrator is not running" in stopped.stdout
    assert system_source().start_time(pid) is None
    assert keeping("orchestrator", "start").returncode == 0
    until(lambda: keeping.json("status")["health"]["status"] == "healthy", what="its first poll")
    assert (service(keeping)["state"], service(keeping)["wanted"]) == ("stopped", False)


def test_a_silent_orchestrator_is_unhealthy(keeping, workspace):
    assert keeping("orchestrator", "start").returncode == 0
    pid = keeping.json("orchestrator", "status")["pid"]
    os.kill(pid, signal.SIGSTOP)
    try:
        past = os.stat(workspace.orchestrator_lock).st_mtime - 3600
        os.utime(workspace.orchestrator_lock, (past, past))
        told = keeping.json("status")["health"]
        assert told["causes"][0]["code"] == "orchestrator-silent"
        assert told["status"] == "unhealthy"
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_wrong_configuration_is_unhealthy_but_seen(keeping, root, held):
    (root / "neo-console.toml").write_text("[leese]\n")
    done = keeping("status")
    assert done.returncode == 1
    assert done.stderr.startswith("neo-console: ")
    assert "leese: is not a known key" in done.stderr
    assert "✗ [configuration] neo-console.toml: " in done.stdout
    assert "HELD · sandman" in done.stdout
    told = json.loads(keeping("status", "--json").stdout)
    assert "leese" in told["configError"]
    assert told["health"]["causes"][0]["code"] == "configuration"
    assert keeping("status", "--check").returncode == 3
    assert keeping("run", "quick").returncode == 1


def test_a_following_log_of_a_service_goes_on_until_interrupted(keeping, until):
    assert keeping("orchestrator", "start").returncode == 0
    until(lambda: stands(keeping, "running"), what="the service")
    following = keeping.start("logs", "ticker", "--follow")
    assert following.stdout.readline() == "begun\n"
    following.send_signal(signal.SIGINT)
    assert following.wait(20) == 130


def test_a_log_that_is_not_there_says_why(keeping):
    for name in ("ticker", "orchestrator"):
        done = keeping("logs", name)
        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr.startswith("No log: ")
        assert json.loads(keeping("logs", name, "--json").stdout)["missing"] is True


def test_a_log_that_was_removed_while_its_service_runs_is_not_called_one_that_never_was(keeping, until, workspace):
    assert keeping("orchestrator", "start").returncode == 0
    until(lambda: stands(keeping, "running"), what="the service")
    service_log(workspace, "ticker").unlink()
    said = keeping("logs", "ticker").stderr
    assert said.startswith("No log: that of ticker was removed while it runs (pid ")
    assert said.rstrip().endswith("neo-console service restart ticker.")
