"""What can be done, from facts alone: graduated, with where every number comes from, and unknown never as nothing."""

from __future__ import annotations

import pytest

from neo_core.ledger.models import Control, ControlKind, Run, Trigger
from neo_core.ledger.reliefs import Relief, ReliefKind
from neo_core.relief.options import Astray, Coming, Server, Situation, Working, options
from neo_core.relief.settling import LATEST, Standing, standing
from neo_core.relief.trees import Tree
from neo_core.snapshot_strays import StrayKind, StrayView

MIB = 1024 * 1024
NOW = 1_790_000_000.0


def tree(mib, **changes):
    return Tree(members=((7, 70),), cost=mib * MIB, **changes)


def server(name="ollama", **changes):
    return Server(name=name, address="127.0.0.1:11434", **changes)


def working(task, mib):
    run = Run(run_id=f"{task}-id", task=task, heavy=True, trigger=Trigger.MANUAL, requested_at=NOW - 60, last_at=NOW)
    return Working(run=run, tree=None if mib is None else tree(mib))


def astray(pid, mib):
    stray = StrayView(
        kind=StrayKind.RUN,
        pid=pid,
        start_time=1,
        boot_id="",
        owner="light",
        name="sleep",
        command="sleep 60",
        sentence="works on for run ab of light, which was lost",
        mend="",
    )
    return Astray(stray=stray, tree=tree(mib))


def of(**changes):
    return options(Situation(now=NOW, **changes))


def test_they_are_graduated_and_within_a_grade_the_most_comes_first_and_what_cannot_be_done_last():
    found = of(
        servers=(
            server("down", why="nobody listens on port 1", absent=True),
            server("small", tree=tree(10)),
            server("big", tree=tree(20)),
        ),
        working=(working("little", 1), working("much", 9), working("unseen", None)),
        strays=(astray(5, 1), astray(6, 2)),
    )

    assert [one.target for one in found[1:3]] == ["6", "5"]
    assert [one.label for one in found] == ["", "sleep", "sleep", "big", "small", "down", "much", "little", "unseen"]
    assert [one.kind for one in found] == sorted((one.kind for one in found), key=list(ReliefKind).index)


def test_a_stray_is_told_with_why_it_is_one_and_what_it_has():
    (_, stray) = of(strays=(astray(5, 100),))

    assert (stray.kind, stray.target, stray.label) == (ReliefKind.STRAY, "5", "sleep")
    assert stray.effect == "ends what works on for run ab of light, which was lost"
    assert (stray.expected, stray.basis, stray.blocked) == (100 * MIB, "PSS of its tree now, at most", "")


@pytest.mark.parametrize(
    ("told", "label", "blocked", "mend"),
    [
        ({"orphaned": "its holder is gone", "orphaned_mend": "m"}, "of a killed run", "its holder is gone", "m"),
        ({"unseen": "is locked"}, "", "what is astray is not known: is locked", "neo-console doctor"),
    ],
)
def test_what_cannot_be_ended_here_is_pointed_at_and_never_measured_as_nothing(told, label, blocked, mend):
    (_, pointer) = of(**told)

    assert (pointer.label, pointer.expected, pointer.blocked, pointer.mend) == (label, None, blocked, mend)


def test_deferring_frees_nothing_and_names_what_it_holds_back():
    (defer,) = of(coming=[Coming(task=f"t{at}", due_at=NOW + at) for at in (-5, 252, 3700, 7200, 9000, 9999)])

    assert (defer.expected, defer.basis) == (0, "frees nothing by itself")
    assert defer.effect.startswith("holds back t-5 (due), t252 (in 4m12s), t3700 (in 1h01m), t7200 (in 2h00m), 2 more;")
    assert "nothing heavy that starts by itself" in of()[0].effect


def test_what_is_deferred_already_is_blocked_with_the_way_out():
    held = Control(control_id=1, kind=ControlKind.DEFER_HEAVY, target="", created_at=NOW)
    (defer,) = of(deferral=held)

    assert (defer.blocked, defer.mend) == (
        "everything heavy is deferred already",
        "neo-console relief resume-heavy ends it",
    )


@pytest.mark.parametrize(
    ("told", "expected", "basis"),
    [
        ({"tree": tree(100)}, 100 * MIB, "PSS of its tree now, at most"),
        ({"tree": tree(100, exact=False)}, 100 * MIB, "RSS, which counts shared pages twice, of its tree now, at most"),
        ({"tree": tree(100), "freed": (80 * MIB, 60 * MIB, 90 * MIB)}, 80 * MIB, "median of 3 past times"),
        ({"tree": tree(100), "freed": (9 * MIB, 3 * MIB)}, 6 * MIB, "median of 2 past times"),
        ({"tree": tree(100), "freed": (80 * MIB,)}, 80 * MIB, "median of the one past time"),
        ({"tree": tree(100), "freed": (-5,)}, 0, "median of the one past time"),
        ({"tree": tree(9), "freed": (80 * MIB,) * 2}, 9 * MIB, "all it has now; the median of 2 past times is more"),
        ({"freed": (80 * MIB,) * 2, "why": "hidden"}, 80 * MIB, "median of 2 past times"),
        ({"why": "the process on port 1 is another user's"}, None, "unknown: the process on port 1 is another user's"),
    ],
)
def test_what_a_server_should_free_says_where_the_number_comes_from(told, expected, basis):
    found = of(servers=(server(**told),))[1]

    assert (found.expected, found.basis) == (expected, basis)


def relief(kind=ReliefKind.UNLOAD, **changes):
    return Relief(kind=kind, target="x", asked_at=NOW, **changes)


def run(ended_at=None):
    outcome = None if ended_at is None else "cancelled"
    told = {"task": "t", "heavy": True, "trigger": Trigger.MANUAL, "requested_at": NOW, "last_at": NOW}
    return Run(run_id="x", ended_at=ended_at, outcome=outcome, **told)


DONE = {"done_at": NOW + 1, "result": "done"}


@pytest.mark.parametrize(
    ("what", "after", "told", "due"),
    [
        (relief(**DONE), 15, {}, False),
        (relief(**DONE), 16, {}, True),
        (relief(), 60, {"asker_lives": True}, False),
        (relief(), 60, {}, True),
        (relief(ReliefKind.STOP, **DONE), 60, {"run": run()}, False),
        (relief(ReliefKind.STOP, **DONE), 60, {"run": run(NOW + 50)}, False),
        (relief(ReliefKind.STOP, **DONE), 66, {"run": run(NOW + 50)}, True),
    ],
    ids=["too early", "settled", "being done", "killed", "still ending", "just ended", "ended a while ago"],
)
def test_it_is_measured_once_it_had_time_to_happen(what, after, told, due):
    assert standing(what, NOW + after, 15, **{"asker_lives": False, **told}) == Standing(due)


@pytest.mark.parametrize(
    ("after", "told", "said"),
    [
        (16 + LATEST + 1, {}, "nobody recorded"),
        (-1, {}, "the clock was set back"),
        (20, {"same_boot": False}, "started again"),
    ],
)
def test_what_was_not_measured_in_time_never_is_and_says_why(after, told, said):
    found = standing(relief(**DONE), NOW + after, 15, asker_lives=False, **told)

    assert found.due
    assert said in found.note
