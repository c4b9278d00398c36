"""The services beside the schedule: left, adopted, ended and commanded by the orchestrator's loop."""

from __future__ import annotations

import os
import signal

import pytest

from neo_core.ledger.models import ControlKind, ServiceState
from neo_core.ledger.store import Ledger
from neo_core.processes.source import is_alive, system_source

SERVICE = '[services.nap]\ncommand = ["sleep", "600"]\nstop_grace = "2s"\n'


def nap(place):
    with Ledger(place.workspace.ledger, writable=False) as ledger:
        return ledger.services.all().get("nap")


def running(place):
    record = nap(place)
    return record if record is not None and record.state is ServiceState.RUNNING else None


@pytest.fixture
def napping(place, kill_later):
    """A workspace with one service, which is gone after the test."""

    def configure(text: str = "") -> None:
        place.configure(SERVICE)
        path = place.root / "neo-console.toml"
        path.write_text(path.read_text().replace('"100ms"', f'"100ms"\n{text}', 1))

    configure()
    yield place, configure
    record = nap(place)
    if record is not None and record.process is not None and is_alive(record.process, system_source()):
        kill_later(record.pid)


def test_a_service_lives_through_a_stop_and_a_kill_and_is_adopted_each_time(napping):
    place, _ = napping
    process = place.up()
    first = place.until(lambda: running(place))
    for number in (signal.SIGTERM, signal.SIGKILL):
        place.down(process, number)
        assert is_alive(first.process, system_source())
        process = place.up()
        adopted = place.until(lambda: (found := running(place)) and found.adopted and found)
        assert adopted.process == first.process
    place.down(process)


def test_a_service_ends_with_the_orchestrator_where_that_is_configured(napping):
    place, configure = napping
    configure('on_stop = "stop"')
    process = place.up()
    record = place.until(lambda: running(place))
    assert place.down(process) == 0
    assert not is_alive(record.process, system_source())


def test_what_an_operator_commands_is_done_and_acknowledged(napping):
    place, _ = napping
    process = place.up()
    first = place.until(lambda: running(place))
    for kind, state in (
        (ControlKind.SERVICE_STOP, ServiceState.STOPPED),
        (ControlKind.SERVICE_START, ServiceState.RUNNING),
        (ControlKind.SERVICE_RESTART, ServiceState.RUNNING),
    ):
        with Ledger(place.workspace.ledger) as ledger:
            ledger.controls.add(kind, "nap", at=1.0, requested_by="ann")
            place.until(lambda ledger=ledger, kind=kind: not ledger.controls.pending(kind))
        place.until(lambda state=state: nap(place).state is state)
        assert f"{kind} of nap by ann" in place.log()
    place.until(lambda: running(place))
    assert nap(place).pid != first.pid
    place.down(process)


def test_a_service_that_is_killed_is_back_soon(napping):
    place, _ = napping
    process = place.up()
    first = place.until(lambda: running(place))
    os.kill(first.pid, signal.SIGKILL)
    second = place.until(lambda: (found := running(place)) and found.pid != first.pid and found)
    assert second.restarts == 1
    place.down(process)


def test_a_changed_catalogue_takes_services_in_and_out(napping):
    place, _ = napping
    process = place.up()
    first = place.until(lambda: running(place))
    place.configure("")
    place.until(lambda: nap(place) is None)
    assert not is_alive(first.process, system_source())
    place.configure(SERVICE)
    place.until(lambda: running(place))
    place.down(process)


def test_a_command_waits_in_the_ledger_until_the_services_records_can_be_read(napping):
    place, _ = napping
    place.down(place.up())
    with Ledger(place.workspace.ledger) as ledger:
        ledger.database.execute("UPDATE services SET state = 'nonsense'")
        process = place.up()
        place.until(lambda: "Services wait" in place.log())
        ledger.controls.add(ControlKind.SERVICE_STOP, "nap", at=1.0, requested_by="ann")
        began = place.log().count("\n")
        ledger.database.execute("UPDATE services SET state = 'running'")
        place.until(lambda: not ledger.controls.pending(ControlKind.SERVICE_STOP))
    place.until(lambda: nap(place).state is ServiceState.STOPPED)
    assert "dropped" not in "".join(place.log().splitlines()[began:])
    place.down(process)
