"""After a kill -9 of the keeper: adopted by identity and a good answer, never doubled, look-alikes refused."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from neo_core.ledger.models import ServiceRecord, ServiceState
from neo_core.processes.source import identity_of, system_source
from neo_core.runs.spawn import SERVICE_ID

from .conftest import alive, members

WORKER = Path(__file__).with_name("worker.py")
BRINGS_A_CHILD = "import subprocess, time; subprocess.Popen(['sleep', '600']); time.sleep(600)"


@pytest.fixture
def keeper_process(workspace, ledger):
    """Start a process that keeps services; ends with the test."""
    started = []

    def start(services, moment=""):
        command = [sys.executable, str(WORKER), str(workspace.root), msgspec.json.encode(services).decode(), moment]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def five(define, serve, free_port):
    ports = [free_port() for _ in range(2)]
    services = [
        define("http", serve(ports[0]), port=ports[0], host="localhost", probe="http"),
        define("deaf", serve(ports[1], 200, "deaf"), port=ports[1], probe="tcp", stop_grace=0.5),
        define("plain"),
        define("tree", (sys.executable, "-S", "-c", BRINGS_A_CHILD)),
        define("exec", probe="exec", probe_command=("true",)),
    ]
    mark = f"{os.getpid()}-{time.monotonic_ns()}"
    return [msgspec.structs.replace(one, env={"KEPT_AS": f"{one.name}-{mark}"}) for one in services]


def copies(service):
    """Return the processes that were started as this service, by what the test itself put in their environment."""
    source, wanted = system_source(), f"KEPT_AS={service.env['KEPT_AS']}".encode()
    found = []
    for pid in source.own_pids():
        try:
            environment = (source.environ(pid) or b"").split(b"\0")
        except ProcessLookupError:
            continue
        probing = any(pair.startswith(SERVICE_ID.encode()) and pair.endswith(b"-probe") for pair in environment)
        if wanted in environment and not probing and alive(pid):
            found.append(pid)
    return sorted(found)


def check_one_of_each(services, records):
    processes = system_source().scan()
    for service in services:
        record, pids = records[service.name], copies(service)
        assert len(pids) == (2 if service.name == "tree" else 1), (service.name, pids)
        assert record.pid in pids
        assert processes[record.pid].start_time == record.start_time
        assert sorted(members(record.instance)) == pids


@pytest.mark.long
@pytest.mark.timeout(240)
def test_a_keeper_killed_at_any_moment_leaves_one_of_each(five, keeper_process, keep):
    chance = random.Random(20)
    moments = ["before the spawn", "after the spawn", "when all run"]
    for number in range(20):
        moment = moments[number] if number < len(moments) else chance.choice([*moments, "", "", ""])
        process = keeper_process(five, moment)
        process.stdout.readline()
        if moment == "":
            time.sleep(chance.choice([0.0, 0.001, 0.01, 0.05, 0.3]) * chance.random())
            process.kill()
        elif not moment.endswith("spawn") or number == 0:
            process.wait(20)
        else:
            time.sleep(chance.random() * 0.5)
            process.kill()
        process.wait(20)
        victims = [pid for pid in copies(chance.choice(five)) if os.getsid(pid) == pid]
        if number % 4 == 3 and victims:
            os.kill(chance.choice(victims), signal.SIGKILL)

    driver = keep(*five)
    for service in five:
        driver.until_state(service.name, "running")
    driver.turns(0.5)

    check_one_of_each(five, {service.name: driver.record(service.name) for service in five})


def test_what_runs_is_adopted_and_asked(five, keeper_process, keep):
    keeper_process(five, "when all run").wait(30)
    before = {service.name: copies(service) for service in five}

    driver = keep(*five)
    first = {service.name: driver.record(service.name) for service in five}
    after = {service.name: driver.until_state(service.name, "running") for service in five}

    assert {(record.state, record.adopted) for record in first.values()} == {("starting", True)}
    assert {(record.state, record.adopted, record.failures) for record in after.values()} == {("running", True, 0)}
    assert {service.name: copies(service) for service in five} == before
    check_one_of_each(five, after)


def test_a_process_that_was_not_written_down_is_found_by_its_marker(define, keeper_process, keep):
    service = define(env={"KEPT_AS": f"lost-{time.monotonic_ns()}"})
    keeper_process([service], "after the spawn").wait(20)
    pids = copies(service)
    driver = keep(service, begin=False)
    assert driver.record("web").pid is None
    assert len(pids) == 1

    driver.keeper.begin()
    record = driver.until_state("web", "running")

    assert (record.pid, record.adopted) == (pids[0], True)


def test_of_several_that_carry_our_marker_the_one_on_the_port_is_the_service(
    define, serve, free_port, stranger, keep, ledger
):
    port, instance = free_port(), "cafe" * 6
    environment = {**os.environ, SERVICE_ID: instance}
    other = stranger(("sh", "-c", "echo; exec sleep 600"), env=environment)
    server = stranger(serve(port), env=environment)
    ledger.services.save(ServiceRecord(name="web", state=ServiceState.STARTING, since=0.0, instance=instance))

    driver = keep(define(command=serve(port), port=port, probe="http"))
    record = driver.until_state("web", "running")

    assert (record.pid, record.adopted) == (server.pid, True)
    driver.command("service-stop", "web")
    driver.until_state("web", "stopped")
    assert not alive(other.pid)


def test_an_adopted_service_that_ends_is_noticed_and_restarted(define, keeper_process, keep):
    service = define()
    keeper_process([service], "when all run").wait(20)
    driver = keep(service)
    first = driver.until_state("web", "running")
    assert len(driver.keeper.filenos()) == 1

    os.kill(first.pid, signal.SIGKILL)
    second = driver.until(lambda: (now := driver.record("web")).state == "running" and now.pid != first.pid and now)

    assert (second.adopted, second.failures) == (False, 1)
    assert second.last_exit in ("ended (how is not known)", "was killed by SIGKILL")
    assert driver.keeper.filenos() == []


def test_an_adopted_service_must_answer_like_a_started_one(define, serve, free_port, keeper_process, keep):
    port = free_port()
    service = define(command=serve(port), port=port, probe="http", start_grace=1.0)
    keeper_process([service], "when all run").wait(20)
    driver = keep(service, begin=False)
    first = driver.record("web")
    os.kill(first.pid, signal.SIGSTOP)

    driver.keeper.begin()
    second = driver.until(lambda: (now := driver.record("web")).state == "running" and now.pid != first.pid and now)

    assert second.failures == 1
    assert not alive(first.pid)


def test_leftovers_whose_main_process_died_are_ended_before_a_new_start(five, keeper_process, keep, until):
    tree = five[3]
    keeper_process([tree], "when all run").wait(20)
    main, child = copies(tree)
    os.kill(main, signal.SIGKILL)
    until(lambda: not alive(main))

    driver = keep(tree)
    assert driver.record("tree").state == "stopping"
    driver.until_state("tree", "running")
    driver.until(lambda: len(copies(tree)) == 2)

    assert not alive(child)


@pytest.mark.parametrize("how", ["another process of that pid", "the process itself without our marker"])
def test_a_look_alike_is_refused_and_left_alone(define, stranger, keep, ledger, said, how):
    process = stranger(("sh", "-c", "echo; exec sleep 600"))
    pid, started, boot = identity_of(process.pid, system_source())
    if how.startswith("another"):
        started -= 5
    ledger.services.save(
        ServiceRecord(
            name="web",
            state=ServiceState.RUNNING,
            since=time.time(),
            instance="cafe" * 8,
            pid=pid,
            start_time=started,
            boot_id=boot,
        )
    )

    driver = keep(define())
    record = driver.until_state("web", "running")

    assert record.pid != pid
    assert not record.adopted
    assert process.poll() is None
    assert any(level == "WARN" and f"pid {pid} is a look-alike" in line for level, line in said)


def test_a_record_of_an_earlier_boot_is_no_process(define, stranger, keep, ledger):
    process = stranger(("sh", "-c", "echo; exec sleep 600"))
    pid, started, _ = identity_of(process.pid, system_source())
    row = ServiceRecord(
        name="web",
        state=ServiceState.FATAL,
        since=0.0,
        instance="cafe" * 8,
        pid=pid,
        start_time=started,
        boot_id="an-earlier-boot",
        failures=9,
    )
    ledger.services.save(row)

    record = keep(define()).until_state("web", "running")

    assert record.failures == 0
    assert process.poll() is None


def test_a_stopped_service_stays_stopped_and_what_runs_of_it_is_ended(define, keeper_process, keep, ledger):
    service = define(env={"KEPT_AS": f"stop-{time.monotonic_ns()}"})
    keeper_process([service], "when all run").wait(20)
    ledger.services.save(msgspec.structs.replace(ledger.services.all()["web"], wanted=False))

    driver = keep(service)
    record = driver.until_state("web", "stopped")
    driver.turns(0.3)

    assert copies(service) == []
    assert not record.wanted


def test_a_service_that_is_no_longer_configured_is_ended_and_forgotten(define, keeper_process, keep):
    service = define(env={"KEPT_AS": f"gone-{time.monotonic_ns()}"})
    keeper_process([service], "when all run").wait(20)

    driver = keep()
    driver.until(lambda: driver.record("web") is None)

    assert copies(service) == []


def test_a_service_configured_otherwise_meanwhile_is_restarted(define, keeper_process, keep):
    keeper_process([define()], "when all run").wait(20)
    driver = keep(define(env={"COLOUR": "red"}), begin=False)
    before = driver.record("web")

    driver.keeper.begin()
    after = driver.until_state("web", "running")

    assert after.pid != before.pid
    assert not alive(before.pid)
    assert after.failures == 0


def test_the_exec_probe_of_a_killed_keeper_is_ended(define, keeper_process, keep, root, until):
    command = ("sh", "-c", "echo $$ >> asked; exec sleep 600")
    service = define(probe="exec", probe_command=command, probe_timeout=600.0, start_grace=600.0)
    process = keeper_process([service])
    asked = root / "asked"
    until(lambda: asked.exists() and asked.read_text().strip())
    pid = int(asked.read_text())
    process.kill()
    process.wait()

    keep(service)

    until(lambda: not alive(pid))
