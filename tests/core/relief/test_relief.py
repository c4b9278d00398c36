"""Relief in the whole engine: real servers and real runs, recorded before and after, measured once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import msgspec
import pytest

from neo_core.clock import SystemClock
from neo_core.config import load_config
from neo_core.engine import Engine
from neo_core.errors import EndedError, NeoError, UsageError
from neo_core.health import judge
from neo_core.lease.store import LeaseStore
from neo_core.ledger.memory import Incident
from neo_core.ledger.models import Outcome
from neo_core.ledger.reliefs import ReliefKind, ReliefResult
from neo_core.ledger.store import Ledger
from neo_core.memory.incidents import Judgement, Phase
from neo_core.memory.reading import Reading
from neo_core.processes.source import system_source
from neo_core.recorder.recorder import Recorder
from neo_core.recorder.report import as_json, as_markdown
from neo_core.workspace import ensure_state, resolve_workspace

MIB = 1024 * 1024
TASKS = '[tasks.work]\ncommand = ["sleep", "60"]\n[tasks.light]\ncommand = ["true"]\nclass = "light"\n'


def rows(workspace):
    with Ledger(workspace.ledger, writable=False) as ledger:
        return ledger.reliefs.history()


def test_what_an_unload_freed_is_measured_and_is_the_next_expectation(workspace, model_server):
    engine = Engine(workspace)
    before = next(one for one in engine.relief.options() if one.kind is ReliefKind.UNLOAD)
    done = engine.relief.unload("model", "it swaps")
    told = engine.relief.measured(done.relief_id, 10)

    assert before.basis == "PSS of its tree now, at most"
    assert (told.result, told.because, told.expected) == (ReliefResult.DONE, "it swaps", told.tree_before)
    assert 60 * MIB < told.freed < 80 * MIB
    assert told.freed == told.tree_before - told.tree_after
    assert told.available_after is not None
    after = next(one for one in engine.relief.options() if one.kind is ReliefKind.UNLOAD)
    assert after.basis == "all it has now; the median of the one past time is more"
    assert after.expected < 40 * MIB


def test_the_recorder_measures_what_nobody_waits_for(workspace, model_server):
    done = Engine(workspace).relief.unload("model")

    class Calm:
        def read(self, at):
            return Reading(at=at, total=100, available=77)

    config = load_config(workspace.config).memory
    recorder = Recorder(
        workspace, config, memory=Calm(), source=system_source(), clock=Later(), lease=LeaseStore(workspace.lease)
    )
    with Ledger(workspace.ledger) as ledger:
        assert recorder.tick(ledger)
        (told,) = ledger.reliefs.history()
        assert told.relief_id == done.relief_id
        assert told.available_after == 77
        assert told.freed > 60 * MIB
        assert not ledger.reliefs.settle(told.relief_id, at=0.0, tree=1, available=1)
        assert ledger.reliefs.history() == [told]
    recorder.close()


class Later(SystemClock):
    """The machine's clock, some seconds on."""

    def now(self):
        return super().now() + 20


def test_one_whose_server_ended_is_not_measured_and_never_zero(workspace, model_server):
    engine = Engine(workspace)
    done = engine.relief.unload("model")
    model_server.process.send_signal(signal.SIGTERM)
    model_server.process.wait()
    told = engine.relief.measured(done.relief_id, 10)

    assert (told.freed, told.tree_after, told.note) == (None, None, "its process ended meanwhile")


def test_a_call_that_fails_says_so_once_and_is_recorded(workspace, model_server):
    model_server.configure(path="/hang", more='timeout = "100ms"')
    with pytest.raises(
        NeoError, match=r"unload.model: .* did not answer within 100ms. Whether it unloads is not known"
    ):
        Engine(workspace).relief.unload("model")
    model_server.end()
    with pytest.raises(NeoError, match=r"cannot be reached: connection refused. Start the server, or correct"):
        Engine(workspace).relief.unload("model")

    refused, hung = rows(workspace)
    assert (hung.result, hung.settled_at) == (ReliefResult.UNKNOWN, None)
    assert (refused.result, refused.note, refused.freed) == (ReliefResult.FAILED, "nothing was done", None)
    assert refused.expected is None
    assert "nobody listens on port" in refused.basis


def test_one_that_is_not_configured_is_refused(workspace):
    with pytest.raises(UsageError, match=r"model server 'x': is not known here. Configure one: \[unload.NAME\]"):
        Engine(workspace).relief.unload("x")
    assert rows(workspace) == []


ASK = "import sys; from neo_core.engine import Engine; from neo_core.workspace import resolve_workspace;"
ASK += "Engine(resolve_workspace(sys.argv[1])).relief.unload('model', 'before the end')"


def test_one_that_is_killed_between_record_and_act_is_not_lost_and_not_known(workspace, model_server):
    model_server.configure(path="/hang")
    asking = subprocess.Popen([sys.executable, "-c", ASK, str(workspace.root)])
    assert model_server.process.stdout.readline() == "asked\n"
    engine = Engine(workspace)
    (going_on,) = engine.relief.history()
    os.kill(asking.pid, signal.SIGKILL)
    asking.wait()
    (abandoned,) = engine.relief.history()
    settled = engine.relief.measured(abandoned.relief_id, 10)

    assert (going_on.result, going_on.because) == (None, "before the end")
    assert abandoned.result is settled.result is ReliefResult.UNKNOWN
    assert abandoned.sentence == settled.sentence
    assert "not known whether it happened" in settled.sentence
    assert settled.tree_after is not None


def test_a_run_is_stopped_as_ever_and_its_whole_tree_is_what_was_freed(workspace, until):
    workspace.config.write_text('[memory]\nrelief_settle = "100ms"\n' + TASKS)
    engine = Engine(workspace)
    run_id = engine.trigger("work").run_id
    until(lambda: engine.run(run_id).started_at is not None, what="the start")
    stop = next(one for one in engine.relief.options() if one.kind is ReliefKind.STOP)
    told = engine.relief.measured(engine.relief.stop(run_id[:6], "it swaps").relief_id, 15)

    assert (stop.label, stop.target, stop.basis) == ("work", run_id, "PSS of its tree now, at most")
    assert engine.wait(run_id).outcome is Outcome.CANCELLED
    assert told.tree_after == 0
    assert told.freed == told.tree_before > 0
    with pytest.raises(EndedError, match="has ended already"):
        engine.relief.stop(run_id)
    assert rows(workspace)[0].result is ReliefResult.FAILED


def test_what_else_can_be_done_is_listed_when_strays_cannot_be_looked_for(workspace, monkeypatch):
    engine = Engine(workspace)

    def deaf():
        raise NeoError("strays", "cannot be read", "Look.")

    monkeypatch.setattr(engine.relief, "_strays", deaf)
    defer, unseen = engine.relief.options()
    assert (defer.kind, unseen.kind) == (ReliefKind.DEFER_HEAVY, ReliefKind.STRAY)
    assert (unseen.expected, unseen.blocked) == (None, "what is astray is not known: cannot be read")


def test_deferring_everything_heavy_holds_heavy_starts_only_until_it_is_ended(workspace):
    workspace.config.write_text(TASKS.replace('"sleep", "60"', '"true"'))
    engine = Engine(workspace)
    done = engine.relief.defer_heavy(3600, "it swaps")
    run = engine.run_and_wait("work")

    assert (done.kind, done.result, done.expected, done.freed) == (ReliefKind.DEFER_HEAVY, ReliefResult.DONE, 0, None)
    assert (run.outcome, run.reason_code) == (Outcome.DEFERRED, "heavy-deferred")
    assert done.note.startswith("until 2")
    assert "everything heavy is deferred until" in run.reason
    assert run.reason.startswith("everything heavy is deferred until ")
    assert run.reason.endswith(" (it swaps)")
    assert engine.run_and_wait("light").outcome is Outcome.COMPLETED
    snapshot = engine.snapshot()
    assert snapshot.schedule.value.heavy_deferral.because == "it swaps"
    assert snapshot.schedule.value.pause is None
    assert "heavy-deferred" in {cause.code for cause in judge(snapshot).causes}
    assert engine.relief.options()[0].blocked

    engine.pause("and now everything")
    assert engine.run_and_wait("light").reason_code == "paused"
    assert engine.unpause()
    assert engine.preview("work").blocking.reason == "heavy-deferred"
    assert engine.relief.resume_heavy()
    assert not engine.relief.resume_heavy()
    assert engine.run_and_wait("work").outcome is Outcome.COMPLETED


def test_a_deferral_ends_by_itself(workspace):
    workspace.config.write_text(TASKS)

    Engine(workspace).relief.defer_heavy(10, "a moment")
    assert Engine(workspace).preview("work").blocking.reason == "heavy-deferred"
    assert Engine(workspace, clock=Later()).preview("work").may_start


@pytest.mark.parametrize(("seconds", "because"), [(60, " "), (0, "why")])
def test_a_deferral_needs_a_reason_and_a_length(workspace, seconds, because):
    with pytest.raises(UsageError, match="relief defer-heavy"):
        Engine(workspace).relief.defer_heavy(seconds, because)


def test_an_incident_tells_what_was_done_during_it_expected_beside_measured(workspace, model_server):
    engine = Engine(workspace)
    now = SystemClock().now()
    ensure_state(workspace)
    with Ledger(workspace.ledger) as ledger:
        judged = Judgement(phase=Phase.CRITICAL, signal="available", value="3 %", limit="10 %")
        number = ledger.memory.open_incident(Incident(began_at=now - 60, worst=judged, since=now - 120))
    done = engine.relief.unload("model", "a | b")
    before = engine.incident(number)
    told = engine.relief.measured(done.relief_id, 10)
    report = engine.incident(number)

    assert done.incident_id == number
    (data,) = as_json(report)["coincidedWith"]["reliefs"]
    assert (data["kind"], data["target"], data["freedBytes"]) == ("unload", "model", told.freed)
    assert (data["expectedBytes"], data["result"]) == (told.expected, "done")
    assert "not measured" in as_markdown(before)
    page = as_markdown(report)
    assert f"| unload | model | {told.expected / MIB:.0f} MiB (PSS of its tree now, at most) |" in page
    assert f"| {told.freed / MIB:.0f} MiB |" in page
    late = msgspec.structs.replace(told, settled_at=now + 60)
    assert late.as_of(now + 59).freed is None
    assert late.as_of(now + 60).freed == told.freed


def test_a_server_that_is_a_service_of_ours_is_known_by_its_process(workspace, model_server):
    model_server.configure(
        more='service = "mlx"\n[services.mlx]\ncommand = ["true"]\nport = 9\nenabled = true',
    )
    (found,) = (one for one in Engine(resolve_workspace(workspace.root)).relief.options() if one.target)

    assert found.blocked == "the service mlx is not running"
