"""What a detail tells of the lease, of a service's port, of a run's memory: the cause, since when, and what ends it."""

from __future__ import annotations

import msgspec
import pytest

from neo_console.chain import service_chain
from neo_console.cursor import Cursor, cursor_title
from neo_console.drawing import Fact
from neo_console.facts import facts_of
from neo_console.keymap import default_keymap
from neo_console.panels.sentences import absence
from neo_console.picture import Picture
from neo_console.rows.banners import banners
from neo_console.rows.processes import process_rows, tree_subject
from neo_console.rows.schedule import next_cell
from neo_console.rows.strip import Flags
from neo_console.subjects import run_subject
from neo_core.ledger.models import LeaseRole, Outcome, ServiceState
from neo_core.memory.attribution import TreeCost
from neo_core.recorder.past import Past
from neo_core.schedule.decision import Verdict
from neo_core.snapshot import LeaseLight, TaskState
from neo_core.snapshot_strays import StrayKind, StraysView
from screenshots.courses import calm_course
from screenshots.fixtures import busy_trees, held_lease, killed_keeper, own_tree, snapshot
from screenshots.history import busy_runs
from screenshots.parts import NOW, run, task
from screenshots.services import running_orchestrator, service
from tests.console.taken import ORPHAN, picture_of

KEY = default_keymap().key
RUN = "9f31c07a55d2"


def told(subject, picture, stop_key=""):
    return {one.label: one.value for one in facts_of(subject, picture, NOW, stop_key) if isinstance(one, Fact)}


def orphaned():
    """The runner of dream was killed ten seconds ago; its processes keep the lease."""
    lost = msgspec.structs.replace(busy_runs()[0], outcome=Outcome.LOST, ended_at=NOW - 10)
    tree = msgspec.structs.replace(busy_trees()[0], kind="orphans", role=LeaseRole.NONE)
    mend = f"neo-console stop {RUN}"
    lease = msgspec.structs.replace(held_lease(), light=LeaseLight.ORPHANED, mend=mend, acquired_at=NOW - 732)
    return snapshot(lease=lease, outcomes=(lost,), processes=(tree, own_tree()))


def test_what_a_killed_run_left_says_that_it_keeps_the_lease_since_when_and_what_ends_it():
    picture = picture_of(orphaned())
    facts = told(tree_subject(picture.trees()[0]), picture, "x")
    assert facts["why"].startswith(f"whoever held it for run {RUN} of dream is gone")
    assert facts["its run"] == "lost, noticed 10s ago · 14:03:12"
    assert facts["since"] == "13:51:10, for 12m"
    assert facts["blocks"].startswith("everything heavy")
    assert facts["ends"].endswith(f"to end them: neo-console stop {RUN}, or x on its row")
    assert "or x" not in told(tree_subject(picture.trees()[0]), picture)["ends"]


@pytest.mark.parametrize(
    ("flags", "short", "named"), [(Flags(), False, True), (Flags(), True, False), (Flags("why"), False, False)]
)
def test_the_banner_of_an_orphaned_lease_names_the_key_where_it_can_be_used(flags, short, named):
    line = banners(picture_of(orphaned()), NOW, flags, KEY, short=short)[0].text
    assert (f"neo-console stop {RUN}, or x on its row" in line) is named


def test_a_script_that_holds_the_lease_is_marked_and_told_with_its_end():
    lease = msgspec.structs.replace(held_lease(), owner="nightly", pid=71, run_id="", light=LeaseLight.HELD)
    tree = msgspec.structs.replace(busy_trees()[0], owner="nightly", kind="lease", run_id="", role=LeaseRole.HOLDER)
    picture = picture_of(snapshot(lease=lease, processes=(tree,)))
    row = process_rows(picture.trees())[0]
    assert (row.cells[0].full, row.cells[0].middle) == ("nightly · holder, not ours", "nightly · holder")
    assert row.status == ("lease", "holder", "not ours")
    facts = told(row.subject, picture)
    assert facts["holder"] == "nightly (pid 71), a script that holds the lease, no run of ours"
    assert facts["ends"].endswith("kill 71")


def test_a_tree_that_has_nothing_to_do_with_the_lease_does_not_speak_of_it():
    picture = picture_of(snapshot())
    assert "ends" not in told(tree_subject(own_tree()), picture)


@pytest.mark.parametrize(
    ("known", "peak"), [(True, "not sampled yet; 4.5G now in 3 processes"), (False, "not sampled yet")]
)
def test_a_run_without_a_sample_tells_the_memory_it_has_now(known, peak):
    live = msgspec.structs.replace(busy_runs()[0], peak_memory=None)
    tree = busy_trees()[0]
    picture = picture_of(snapshot(outcomes=(live,), processes=(tree,) if known else ()))
    assert told(run_subject(live.run_id, live.task), picture)["peak memory"] == peak


@pytest.mark.parametrize("failures", [0, 3])
def test_a_port_that_a_stranger_holds_is_the_gate_that_is_shut(failures):
    taken = "port 8000 is taken by node (pid 512), which is not ours"
    refused = service(
        "web",
        ServiceState.BACKOFF,
        f"starts in 8s ({taken})",
        command="web",
        endpoint="localhost:8000",
        failures=failures,
        next_start_at=NOW + 8,
    )
    stray = msgspec.structs.replace(ORPHAN, kind=StrayKind.LISTENER, owner="web", pid=512)
    stranger = picture_of(snapshot(strays=StraysView(found=(stray,)))).listener_for("web")
    links = service_chain(refused, running_orchestrator(), NOW, KEY, stranger)
    shut = [link for link in links if link.verdict is Verdict.BLOCK]
    assert [(link.name, link.saw) for link in shut] == [("port", taken)]
    assert "press x on node (pid 512) in the processes; looked at again in 8s" in shut[0].way_out
    assert "press x" not in service_chain(refused, running_orchestrator(), NOW, KEY)[2].way_out


def test_without_an_orchestrator_what_comes_due_is_started_by_nobody():
    idle = task("kbSync", TaskState.IDLE, due_at=NOW + 57)
    cell = next_cell(idle, picture_of(killed_keeper()), NOW)
    assert (cell.text, cell.middle) == ("due in 57s", "due in 57s · nobody starts it")
    assert cell.full == "due in 57s · 14:04 · nobody starts it"
    assert next_cell(idle, picture_of(snapshot()), NOW).text == next_cell(idle, Picture(), NOW).text == "in 57s · 14:04"


def test_a_retry_that_nobody_makes_says_so():
    again = task("kbSync", TaskState.IDLE, due_at=NOW + 74, failures=2, tries=2, retry_at=NOW + 74)
    assert next_cell(again, picture_of(killed_keeper()), NOW).full.endswith("nobody starts it")


@pytest.mark.parametrize(
    ("outcome", "started", "said"),
    [
        (Outcome.DEFERRED, None, "It never started: no log (lease held)."),
        (None, None, "No log yet: it is starting."),
        (Outcome.FAILED, NOW, ""),
    ],
)
def test_what_never_started_has_no_log(outcome, started, said):
    assert absence(run("r", "backup", outcome, at=NOW, started_at=started, reason="lease held")) == said
    assert absence(None) == ""


def test_the_title_of_a_moment_says_when_its_trees_were_looked_at_after_it():
    first, *_ = calm_course().samples
    later = (TreeCost(owner="embed", kind="run", pid=9, cost=1, rss=1, processes=1),)
    samples = tuple(
        msgspec.structs.replace(
            first,
            reading=msgspec.structs.replace(first.reading, at=NOW - 60 + after),
            trees=later if after == 25 else first.trees,
        )
        for after in (0, 5, 10, 15, 20, 25)
    )
    past = Past(begin=NOW - 60, end=NOW, near=30.0, samples=samples)
    assert cursor_title(Cursor(past, 4), NOW) == "THEN 14:02:42, trees of 14:02:47"
    assert cursor_title(Cursor(past, 1), NOW) == "THEN 14:02:27"
