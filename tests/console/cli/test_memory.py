"""What has the memory, and what had it at 14:03: the real command over a ledger with real samples."""

from __future__ import annotations

import os
import re
import time

import pytest

from neo_core.clock import to_iso
from neo_core.ledger.memory import Incident, Sample
from neo_core.ledger.models import LeaseRole, Run, Trigger
from neo_core.ledger.store import Ledger
from neo_core.memory.attribution import TreeCost
from neo_core.memory.incidents import Judgement, Phase, Watch
from neo_core.memory.reading import Reading, Stall
from neo_core.workspace import ensure_state

MIB = 1024 * 1024
KEYS = [
    "askedFor", "at", "distanceSeconds", "phase", "memory", "lease", "runs", "waiting", "incidents", "treesAt",
    "trees", "treesNotShown", "onlyDearestKept", "record",
]  # fmt: skip
READING = {
    "totalBytes", "availableBytes", "swapTotalBytes", "swapUsedBytes", "somePercent", "fullPercent", "level",
    "limitBytes", "limitUsedBytes",
}  # fmt: skip


def sample(at, *trees):
    stall = Stall(avg10=4.2, avg60=1.0, total=0)
    reading = Reading(
        at=at,
        total=16384 * MIB,
        available=4710 * MIB,
        swap_total=8192 * MIB,
        swap_used=2048 * MIB,
        some=stall,
        full=stall,
    )
    return Sample(reading=reading, trees=trees)


def tree(owner, cost, kind="other", run_id=""):
    return TreeCost(owner=owner, kind=kind, pid=60, cost=cost * MIB, rss=cost * MIB, processes=2, run_id=run_id)


@pytest.fixture
def began(workspace):
    """An hour ago: a minute of samples, then none; a run that held the lease, and an incident."""
    ensure_state(workspace)
    at = float(int(time.time()) - 3600)
    with Ledger(workspace.ledger) as ledger:
        for step in range(13):
            trees = tree("[red]code", 900), tree("dream", 4100 if step >= 6 else 90, "run", "9f31c07a55d2")
            ledger.memory.put(sample(at + 5 * step, *trees), Watch(), slot=step)
        ledger.runs.insert(
            Run(
                run_id="9f31c07a55d2", task="dream", heavy=True, trigger=Trigger.MANUAL, requested_at=at - 60,
                last_at=at + 300, started_at=at - 60, ended_at=at + 300, outcome="completed",
                lease_role=LeaseRole.HOLDER,
            )
        )  # fmt: skip
        worst = Judgement(phase=Phase.CRITICAL, signal="available", value="6.4 %", limit="10 %")
        ledger.memory.open_incident(Incident(began_at=at + 20, ended_at=at + 60, since=at, worst=worst))
    return at


def test_what_had_the_memory_at_a_time(console, began):
    asked = began + 42
    done = console("memory", "--at", to_iso(asked))
    assert (done.returncode, done.stderr) == (0, "")
    clock = time.strftime("%H:%M:%S", time.localtime(began + 40))
    for line in (
        f"{clock}, 2s before that",
        "available  4.6G of 16G (29%)",
        "swap       2.0G of 8.0G used",
        "pressure   PSI some 4.2 %, full 4.2 %",
        "lease      held by dream, run 9f31c07a55d2",
        "runs       dream 9f31c07a55d2 since ",
        "incident   1 was open (critical at its worst): neo-console incident 1",
        "10s before the sample (in calm times every 30s):",
    ):
        assert line in done.stdout
    rows = done.stdout.splitlines()[-3:-1]
    assert rows[0].split() == ["dream", "run", "9f31c07a55d2", "60", "2", "4.0G", "4.0G"]
    assert rows[1].split()[:2] == ["[red]code", "other"]


def test_the_same_as_json(console, began):
    told = console.json("memory", "--at", to_iso(began + 42), "-n", "1")
    assert list(told) == KEYS
    assert set(told["memory"]) == READING
    assert (told["askedFor"], told["at"], told["distanceSeconds"]) == (to_iso(began + 42), to_iso(began + 40), -2.0)
    assert told["treesAt"] == to_iso(began + 30)
    assert told["lease"] == {"owner": "dream", "runId": "9f31c07a55d2", "toldBy": "run"}
    assert [run["runId"] for run in told["runs"]] == ["9f31c07a55d2"]
    assert (told["incidents"], told["treesNotShown"], told["phase"]) == ([1], 1, None)
    assert told["trees"][0] | {"memoryBytes": 4100 * MIB} == told["trees"][0]
    assert told["record"] == {
        "oldestAt": to_iso(began),
        "newestAt": to_iso(began + 60),
        "lastBeforeAt": to_iso(began + 40),
        "firstAfterAt": to_iso(began + 45),
    }


def test_a_gap_is_said_with_its_ends_and_no_sample_is_shown_for_it(console, began):
    done = console("memory", "--at", to_iso(began + 200))
    assert done.returncode == 3
    assert "available" not in done.stdout
    assert "TREE" not in done.stdout
    assert "none is near: what follows is what the ledger knows of that time" in done.stdout
    assert "held by dream" in done.stdout
    newest, oldest = (time.strftime("%H:%M:%S", time.localtime(at)) for at in (began + 60, began))
    assert f"no sample is near; the last one before it is of {newest}, 2m20s earlier" in done.stderr
    assert f"The record goes from {oldest} to {newest}." in done.stderr
    nearest = re.search(r"--at (\S+?)\.$", done.stderr.strip())[1].strip('"')
    assert console("memory", "--at", nearest).returncode == 0


def test_older_than_what_is_kept_is_said_so(console, began):
    done = console("memory", "--at", "5h ago", "--json")
    assert (done.returncode, done.stderr) == (3, "")
    assert '"lastBeforeAt": null' in done.stdout
    assert "older ones were overwritten or never taken" in console("memory", "--at", "5h").stderr


def test_before_the_first_sample_it_says_who_records(console):
    done = console("memory", "--at", "-5m")
    assert done.returncode == 3
    assert "no sample was recorded yet" in done.stderr
    assert "neo-console orchestrator start" in done.stderr


def test_what_has_the_memory_now(console, held):
    done = console("memory", "-n", "1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "lease      ● HELD · sandman · pid" in done.stdout
    head, *rows = done.stdout.split("Process trees at ")[1].splitlines()[1:]
    assert head.split() == ["TREE", "KIND", "PID", "PROCESSES", "MEMORY", "RSS"]
    said = [row for row in rows if row.endswith("more: -n 0 shows all.") or row.startswith("Of what is not ours")]
    assert (len(rows) - len(said), len(said) <= 2) == (1, True)
    told = console.json("memory", "-n", "0")
    assert list(told) == KEYS
    assert told["lease"]["owner"] == "sandman"
    assert (told["askedFor"], told["distanceSeconds"], told["record"], told["treesNotShown"]) == (None, None, None, 0)
    assert [one["pid"] for one in told["trees"] if one["owner"] == "sandman" and one["kind"] == "lease"] == [
        os.getpid()
    ]
    costs = [one["memoryBytes"] for one in told["trees"]]
    assert costs == sorted(costs, reverse=True)


@pytest.mark.parametrize(
    ("at", "said"),
    [("25:00", "'25:00' is no time; write it like 14:03"), ("2099-01-01", "is ahead of now. Ask for a time")],
)
def test_a_time_that_cannot_be_meant(console, at, said):
    done = console("memory", "--at", at)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
