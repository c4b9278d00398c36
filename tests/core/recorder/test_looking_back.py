"""Looking back at memory: its course, an incident moment by moment, and the files an incident is exported to."""

from __future__ import annotations

import itertools
import json

import pytest

from neo_core.errors import WorkspaceError
from neo_core.ledger.models import ControlKind, LeaseRole, Run, Trigger
from neo_core.memory.incidents import Phase, Thresholds
from neo_core.recorder.course import read_course
from neo_core.recorder.export import export_report
from neo_core.recorder.replay import replay_of
from neo_core.recorder.report import as_markdown, report_on

from .conftest import BEGIN, MIB


@pytest.fixture
def played(recorder_of, machine, ledger, play):
    """Ten calm minutes, one under pressure in which a tree grows, and two calm ones."""
    machine.put(60, 100 * MIB, name="leak")
    machine.put(70, 4000 * MIB, name="still")
    recorder = recorder_of()
    play(recorder, 600)
    ledger.runs.insert(
        Run(
            run_id="during",
            task="dream",
            heavy=True,
            trigger=Trigger.SCHEDULED,
            requested_at=BEGIN + 630,
            last_at=BEGIN + 630,
            started_at=BEGIN + 630,
            lease_role=LeaseRole.HOLDER,
        )
    )
    machine.put(60, 700 * MIB, name="leak")
    play(recorder, 60, some=42.0)
    ledger.controls.add(ControlKind.PAUSE, "", at=machine.now(), because="it swaps", requested_by="op")
    play(recorder, 120, some=0.0)
    return ledger


def test_a_course_is_thinned_to_the_last_sample_of_every_step(played, machine):
    whole = read_course(played, BEGIN, machine.now(), step=0)
    thin = read_course(played, BEGIN, machine.now(), step=60)

    assert len(whole.samples) == 156
    assert len(thin.samples) == 14
    assert thin.samples[-1] == whole.samples[-1]
    times = [sample.reading.at for sample in thin.samples]
    assert times == sorted(times)
    assert all(after - before == 60 for before, after in itertools.pairwise(times[:-1]))


def test_a_course_names_what_grew_and_the_incidents_in_it(played, machine):
    course = read_course(played, BEGIN, machine.now(), step=10)

    assert [(one.tree.owner, one.grown) for one in course.grew] == [("leak", 600 * MIB)]
    assert [one.incident_id for one in course.incidents] == [1]
    assert read_course(played, BEGIN, BEGIN + 300, step=10).incidents == ()


def test_a_course_without_samples_is_empty(ledger):
    course = read_course(ledger, BEGIN, BEGIN + 60, step=10)

    assert (course.samples, course.incidents, course.grew) == ((), (), ())


def test_a_replay_tells_each_moment_by_what_there_was_by_then(played, machine):
    (incident,) = played.memory.incidents()
    first = played.memory.first_sample(incident.since, incident.began_at)
    replay = replay_of(report_on(played, incident, machine.now()), first, Thresholds())
    moments = [replay.moment(index) for index in range(len(replay.report.samples))]

    assert [moments[0].phase, moments[-1].phase] == [Phase.NORMAL, Phase.NORMAL]
    began = next(index for index, one in enumerate(moments) if one.phase is Phase.ELEVATED)
    assert moments[began].reading.at == incident.began_at
    assert Phase.RECOVERING in replay.phases
    assert [(one.tree.owner, one.grown) for one in moments[began].trees] == [("still", 0), ("leak", 600 * MIB)]
    assert (moments[began].runs, moments[began].acts) == ((), ())
    assert [run.run_id for run in moments[-1].runs] == ["during"]
    assert [act.because for act in moments[-1].acts] == ["it swaps"]


def test_the_samples_of_a_long_incident_are_thinned(played, machine):
    (incident,) = played.memory.incidents()
    whole = report_on(played, incident, machine.now()).samples

    assert report_on(played, incident, machine.now(), most=2000).samples == whole
    thin = report_on(played, incident, machine.now(), most=10).samples
    assert 10 <= len(thin) <= 11
    assert thin[-1] == whole[-1]


def test_a_report_without_samples_replays_nothing(played, machine):
    (incident,) = played.memory.incidents()
    played.database.execute("DELETE FROM samples", ())

    assert replay_of(report_on(played, incident, machine.now()), None, Thresholds()).phases == ()


def test_an_export_is_two_files_for_its_user_alone(played, machine, workspace):
    (incident,) = played.memory.incidents()
    report = report_on(played, incident, machine.now())
    for _ in range(2):
        page, data = export_report(report, workspace)

    assert page.read_text() == as_markdown(report)
    assert json.loads(data.read_text())["incident"] == 1
    assert {path.stat().st_mode & 0o777 for path in (page, data)} == {0o600}
    assert page.parent.stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in page.parent.iterdir()) == ["incident-1.json", "incident-1.md"]


def test_an_export_that_cannot_be_written_says_so(played, machine, workspace):
    (incident,) = played.memory.incidents()
    (workspace.state / "incidents").write_text("in the way")

    with pytest.raises(WorkspaceError, match="incident 1: could not be exported"):
        export_report(report_on(played, incident, machine.now()), workspace)
