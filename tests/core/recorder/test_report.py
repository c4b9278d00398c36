"""The report on an incident: everything that coincided, as data and as a page."""

from __future__ import annotations

import json

import pytest

from neo_core.ledger.models import ControlKind, LeaseRole, Outcome, Run, Trigger
from neo_core.recorder.report import as_json, as_markdown, report_on

from .conftest import BEGIN, MIB


def run(run_id, task, **changes):
    told = {"heavy": True, "trigger": Trigger.SCHEDULED, "requested_at": BEGIN, "last_at": BEGIN, **changes}
    return Run(run_id=run_id, task=task, **told)


@pytest.fixture
def report(recorder_of, machine, ledger, play):
    machine.put(60, 100 * MIB, name="leak")
    recorder = recorder_of()
    play(recorder, 600)
    ledger.runs.insert(run("during", "dream", started_at=BEGIN + 500, lease_role=LeaseRole.HOLDER))
    ledger.runs.insert(
        run("before", "kbSync", started_at=BEGIN, ended_at=BEGIN + 9, last_at=BEGIN + 9, outcome=Outcome.COMPLETED)
    )
    machine.put(60, 700 * MIB, name="leak")
    play(recorder, 10, some=42.0)
    ledger.runs.insert(
        run(
            "held",
            "backup",
            requested_at=machine.now(),
            last_at=machine.now() + 3,
            outcome=Outcome.DEFERRED,
            count=2,
            reason_code="memory-pressure",
            reason="some avg10 42.0 % | limit 10 %",
        )
    )
    ledger.runs.insert(
        run(
            "held too",
            "dream",
            requested_at=machine.now() + 1,
            last_at=machine.now() + 1,
            outcome=Outcome.DEFERRED,
            reason_code="heavy-deferred",
        )
    )
    ledger.controls.add(ControlKind.PAUSE, "", at=machine.now(), because="it swaps", requested_by="op")
    play(recorder, 120, some=0.0)
    (incident,) = ledger.memory.incidents()
    return report_on(ledger, incident, machine.now())


def test_it_holds_what_coincided_and_nothing_else(report):
    told = as_json(report)["coincidedWith"]

    assert [(tree["owner"], tree["grownBytes"]) for tree in as_json(report)["grew"]] == [("leak", 600 * MIB)]
    assert [one["runId"] for one in told["runs"]] == ["during"]
    assert [(one["task"], one["count"], one["reasonCode"]) for one in told["deferred"]] == [
        ("backup", 2, "memory-pressure"),
        ("dream", 1, "heavy-deferred"),
    ]
    assert [(one["what"], one["because"], one["by"]) for one in told["acts"]] == [("pause", "it swaps", "op")]
    assert told["leaseOwners"] == ["dream"]


def test_its_samples_begin_before_and_end_after_it(report):
    times = [sample.reading.at for sample in report.samples]

    assert times[0] == report.incident.began_at - 60
    assert times[-1] == report.incident.ended_at + 60 - 5


def test_it_is_plain_json(report):
    told = json.loads(json.dumps(as_json(report)))

    assert told["phase"] == "elevated"
    assert told["signal"] == {"name": "some avg10", "value": "42.0 %", "limit": "10 %"}
    assert told["samples"][12]["some"] == 42.0
    assert "caused" not in json.dumps(told)


def test_the_page_has_every_part_and_a_cell_cannot_be_broken_out_of(report):
    page = as_markdown(report)

    assert page.startswith(f"# Memory incident {report.incident.incident_id}: elevated\n")
    assert "| leak | other | 600 MiB | 700 MiB |" in page
    assert "| dream | during | holder |" in page
    assert "some avg10 42.0 % \\| limit 10 %" in page
    assert "| pause |" in page
    assert "caused" not in page


def test_an_incident_that_goes_on_says_so(recorder_of, ledger, play, machine):
    recorder = recorder_of()
    play(recorder, 30, some=42.0)
    report = report_on(ledger, ledger.memory.unfinished(), machine.now())

    assert as_json(report)["endedAt"] is None
    assert "still going on" in as_markdown(report)
    assert "nothing" in as_markdown(report)


def test_its_rows_tell_of_each_task_before_and_during(report):
    assert sorted({row.task for row in report.rows}) == ["backup", "dream", "kbSync"]
