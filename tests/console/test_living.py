"""What a name or a pid is that is no run's, and the command that ends it: pure, over a snapshot."""

from __future__ import annotations

import msgspec
import pytest

from neo_console.living import explain_living
from neo_core.snapshot import LeaseLight, ProcessView, Section, TreeView
from screenshots.fixtures import held_lease, snapshot
from screenshots.parts import NOW

SCRIPT = msgspec.structs.replace(held_lease(), owner="nightly", pid=71, run_id="", light=LeaseLight.HELD)


def a_tree(kind, owner, *pids, run_id=""):
    processes = tuple(
        ProcessView(pid=pid, start_time=1, depth=0, name="sh", command=f"sh {pid}", rss=1) for pid in pids
    )
    return TreeView(owner=owner, kind=kind, run_id=run_id, processes=processes)


def told(name, *trees, lease=SCRIPT):
    return str(explain_living(snapshot(processes=trees, lease=Section(at=NOW, value=lease)), name))


@pytest.mark.parametrize("name", ["nightly", "71"])
def test_a_script_is_told_with_its_pid_its_command_and_its_end(name):
    assert told(name, a_tree("lease", "nightly", 71, 72)) == (
        "script 'nightly': is no run of ours but a script that holds the lease by itself (pid 71, sh 71)."
        " End it where it was started, or with: kill 71."
    )


def test_a_process_of_a_script_names_the_script():
    assert told("72", a_tree("lease", "nightly", 71, 72)) == (
        "process 72: works for the script nightly, which holds the lease and is no run of ours (pid 71)."
        " End it where it was started, or with: kill 71."
    )


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        (a_tree("run", "dream", 5, run_id="9f"), "belongs to run 9f of dream. End that with: neo-console stop 9f."),
        (a_tree("orphans", "dream", 5, run_id="9f"), "belongs to run 9f of dream. End that with: neo-console stop 9f."),
        (
            a_tree("service", "web", 5),
            "belongs to the service web. End that with: neo-console service stop web.",
        ),
        (
            a_tree("orchestrator", "orchestrator", 5),
            "belongs to the orchestrator. End that with: neo-console orchestrator stop.",
        ),
    ],
)
def test_a_process_of_ours_names_what_it_belongs_to(tree, sentence):
    assert told("5", tree) == f"process 5: {sentence}"


def test_what_is_no_script_and_no_living_process_is_not_explained():
    orphaned = msgspec.structs.replace(SCRIPT, light=LeaseLight.ORPHANED)
    assert told("nightly", lease=orphaned) == "None"
    assert told("99", a_tree("lease", "nightly", 71)) == "None"
    assert told("5", a_tree("console", "neo-console", 5)) == "None"
